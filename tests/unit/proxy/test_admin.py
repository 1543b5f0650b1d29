import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mizzen.proxy.admin import Admin, active_connections, ask, read_answer

OWN = frozenset({"0.0.0.0_15021", "0.0.0.0_15090"})


def test_an_answer_in_chunks_is_put_together() -> None:
    data = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    assert read_answer(data) == (200, b"abcde")


def test_an_answer_that_is_cut_off_is_no_answer() -> None:
    with pytest.raises(OSError, match="no proper answer"):
        read_answer(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")


def test_no_answer_at_all_is_an_error_too() -> None:
    with pytest.raises(OSError, match="no proper answer"):
        read_answer(b"")


def test_connections_are_those_of_clients_over_tcp_and_quic() -> None:
    stats = {
        "listener.admin.downstream_cx_active": 1,
        "listener.admin.main_thread.downstream_cx_active": 1,
        "listener.0.0.0.0_15021.downstream_cx_active": 7,
        "listener.0.0.0.0_15021.worker_0.downstream_cx_active": 7,
        "listener.0.0.0.0_8443.downstream_cx_active": 2,
        "listener.0.0.0.0_8443.worker_0.downstream_cx_active": 2,
        "listener.udp_0.0.0.0_8443.downstream_cx_active": 3,
    }

    assert active_connections(stats, OWN) == 5


@asynccontextmanager
async def answering(path: Path, answer: Callable[[str], str]) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.write(answer(head.splitlines()[0]).encode())
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        yield


async def test_what_is_asked_reaches_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    heard = []

    def answer(line: str) -> str:
        heard.append(line)
        return "HTTP/1.1 200 OK\r\n\r\nOK\n"

    async with answering(path, answer):
        await Admin(path).drain()
        await Admin(path).fail_health_check()

    assert heard == [
        "POST /drain_listeners?graceful&skip_exit HTTP/1.1",
        "POST /healthcheck/fail HTTP/1.1",
    ]


async def test_the_state_is_told_even_when_envoy_is_not_ready(tmp_path: Path) -> None:
    async with answering(tmp_path / "a", lambda _: "HTTP/1.1 503 No\r\n\r\nPRE_INITIALIZING\n"):
        assert await Admin(tmp_path / "a").ready() == "PRE_INITIALIZING"


async def test_statistics_are_numbers_by_name(tmp_path: Path) -> None:
    body = json.dumps({"stats": [{"name": "server.live", "value": 1}, {"histograms": {}}]})
    heard = []

    def answer(line: str) -> str:
        heard.append(line)
        return f"HTTP/1.1 200 OK\r\n\r\n{body}"

    async with answering(tmp_path / "a", answer):
        assert await Admin(tmp_path / "a").stats("^server[.]live&") == {"server.live": 1}

    assert heard == ["GET /stats?format=json&filter=%5Eserver%5B.%5Dlive%26 HTTP/1.1"]


async def test_a_refusal_is_an_error_with_what_was_said(tmp_path: Path) -> None:
    async with answering(tmp_path / "a", lambda _: "HTTP/1.1 400 Bad\r\n\r\nwhat?"):
        with pytest.raises(OSError, match=r"Envoy answered 400 to /clusters\?format=json: what\?"):
            await Admin(tmp_path / "a").clusters()


async def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        await ask(tmp_path / "nobody", "/ready")
