"""What a webhook takes of strangers, and for how long."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator, Iterable

import pytest

from mizzen.cluster import http
from mizzen.cluster.http import Bounded, reviewing, serve


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = reviewing(lambda asked: {"asked": asked}, lambda asked: {})
    found = free_port()
    task = asyncio.create_task(serve(app, found, host="127.0.0.1"))
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", found)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        break
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def answered(port: int, head: str, body: Iterable[bytes] = ()) -> bytes:
    """What comes back until the end; of a connection that is reset, what came before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(_received(reader))
    lines = "\r\n".join((*head.splitlines(), "", ""))
    with contextlib.suppress(ConnectionError):
        writer.write(lines.encode())
        for part in body:
            if answer.done():
                break
            writer.write(part)
            await writer.drain()
    found = await asyncio.wait_for(answer, 5)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return found


async def _received(reader: asyncio.StreamReader) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65_536):
            found += part
    return found


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side closes, with a reset or without."""
    try:
        return await asyncio.wait_for(reader.read(), 5) == b""
    except ConnectionResetError:
        return True


async def test_a_review_is_answered(port: int) -> None:
    found = await answered(
        port,
        "POST /inject HTTP/1.1\nhost: a\nconnection: close\ncontent-length: 7",
        iter([b'{"a":', b"1}"]),
    )
    assert found.startswith(b"HTTP/1.1 200")
    assert found.endswith(b'{"asked":{"a":1}}')


@pytest.mark.parametrize("length", [f"content-length: {200 * 2**20}", "transfer-encoding: chunked"])
async def test_two_hundred_megabytes_are_not_read(port: int, length: str) -> None:
    part = b" " * 2**20
    chunk = part if length.startswith("content") else b"%x\r\n%b\r\n" % (len(part), part)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    found = await answered(port, f"POST /inject HTTP/1.1\nhost: a\n{length}", (chunk for _ in range(200)))

    assert found.startswith(b"HTTP/1.1 413")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"\xff"])
async def test_what_is_no_review_is_refused(port: int, body: bytes) -> None:
    found = await answered(
        port,
        f"POST /inject HTTP/1.1\nhost: a\nconnection: close\ncontent-length: {len(body)}",
        iter([body]),
    )
    assert found.startswith(b"HTTP/1.1 400")


async def test_headers_have_a_bound(port: int) -> None:
    found = await answered(port, f"POST /inject HTTP/1.1\nhost: a\nx-large: {'x' * 2_000_000}")
    assert found.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("sent", [b"", b"POST /inject HTTP/1.1\r\nhost: a\r\n"])
async def test_who_does_not_come_to_the_point_is_cut_off(
    port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    assert await ended(reader)
    writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.1)
    found = await answered(port, "POST /inject HTTP/1.1\nhost: a\ncontent-length: 7")
    assert found.startswith(b"HTTP/1.1 408")


async def test_further_connections_are_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bounded, "most", 2)
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    await asyncio.sleep(0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await ended(reader)
    for _, one in [*held, (reader, writer)]:
        one.close()
