"""Envoy's admin interface, for readers."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from mizzen.agent.admin_reader import Reading
from mizzen.status import KernelUdp


@pytest.fixture
async def reading(tmp_path: Path) -> AsyncIterator[int]:
    """The port of a reader, before something that answers with what it was asked."""

    async def admin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked = head.split(b"\r\n")[0]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(asked), asked))
        await writer.drain()
        writer.close()

    socket = tmp_path / "admin.sock"
    server = await asyncio.start_unix_server(admin, socket)
    found = Reading(socket, lambda: 0)
    await found.start(0)
    assert found.server
    yield found.server.sockets[0].getsockname()[1]
    await found.stop()
    server.close()


async def asked(port: int, line: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{line} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer


async def test_what_can_be_read_is_handed_on_with_its_query(reading: int) -> None:
    answer = await asked(reading, "GET /clusters?format=json")
    assert answer.startswith("HTTP/1.1 200 OK")
    assert "GET /clusters?format=json HTTP/1.1" in answer


async def test_what_is_secret_in_the_configuration_is_left_out(tmp_path: Path) -> None:
    body = b'{"configs": [{"header": {"key": "authorization", "value": "Hunter2"}}]}'

    async def admin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(admin, tmp_path / "admin.sock"):
        found = Reading(tmp_path / "admin.sock", lambda: 0)
        await found.start(0)
        assert found.server
        answer = await asked(found.server.sockets[0].getsockname()[1], "GET /config_dump")
        await found.stop()

    assert "authorization" in answer
    assert "Hunter2" not in answer


@pytest.mark.parametrize(
    "line", ["POST /quitquitquit", "GET /quitquitquit", "POST /config_dump", "GET /stats/../quitquitquit"]
)
async def test_nothing_can_be_changed(reading: int, line: str) -> None:
    assert (await asked(reading, line)).startswith("HTTP/1.1 403")


async def test_a_connection_of_envoy_itself_is_not_answered(tmp_path: Path) -> None:
    """Somebody's route would have led it here. This process stands for Envoy."""
    found = Reading(tmp_path / "admin.sock", os.getpid)
    await found.start(0)
    assert found.server
    answer = await asked(found.server.sockets[0].getsockname()[1], "GET /config_dump")
    await found.stop()

    assert answer.startswith("HTTP/1.1 403")
    assert answer.endswith("not through a proxy\n")


async def test_what_the_kernel_of_the_pod_says_of_udp_is_told(reading: int) -> None:
    head, _, body = (await asked(reading, "GET /udp_sockets")).partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK")
    assert msgspec.json.decode(body, type=KernelUdp) is not None
    assert (await asked(reading, "POST /udp_sockets")).startswith("HTTP/1.1 403")
