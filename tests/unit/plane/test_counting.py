"""Asking Envoys what they have counted, over HTTP."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from mizzen.http3.health import Counters
from mizzen.plane.counting import Counting
from mizzen.plane.statistics import PATTERN, Meters
from tests.unit.plane.test_statistics import MINE, TEXT, UDP


async def asked(status: str, body: str, wanted: frozenset[Meters]) -> tuple[dict[str, object], list[str]]:
    targets: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        targets.append(request.split()[1].decode())
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        envoys = {"here": ("127.0.0.1", wanted), "gone": ("127.0.0.2", wanted)}
        return await Counting(instance=None, port=port).read(envoys), targets


def test_who_answers_is_read_and_who_does_not_is_missing() -> None:
    found, (target,) = asyncio.run(asked("200 OK", TEXT, frozenset({MINE})))
    assert found.keys() == {"here"}
    counted = found["here"]
    assert isinstance(counted, dict)
    assert counted[MINE].requests == 40
    parts = urlsplit(target)
    assert parts.path == "/stats/prometheus"
    assert parse_qs(parts.query)["filter"] == [PATTERN]


@pytest.mark.parametrize("status", ["503 Service Unavailable", "nonsense"])
def test_an_answer_that_is_none_counts_as_no_answer(status: str) -> None:
    found, _ = asyncio.run(asked(status, TEXT, frozenset({MINE})))
    assert found == {}


def test_an_answer_that_says_nothing_is_zero() -> None:
    meters = Meters(listener=UDP, prefix="x", tcp_listener="y", tcp_prefix="z")
    found, _ = asyncio.run(asked("200 OK", "", frozenset({meters})))
    assert found == {"here": {meters: Counters()}}
