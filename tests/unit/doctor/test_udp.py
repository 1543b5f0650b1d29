"""The packet of a version that nobody speaks, and what comes back."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from mizzen.doctor import udp
from mizzen.doctor.measured import Reply, Where

SOURCE = b"01234567"


def negotiation(source: bytes, *versions: int) -> bytes:
    head = b"\x80\0\0\0\0" + bytes([len(source)]) + source + b"\x08" + bytes(8)
    return head + b"".join(one.to_bytes(4, "big") for one in versions)


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        yield one


def answering(port: socket.socket, answer: Callable[[bytes], bytes]) -> Where:
    """Answers every datagram that has an answer, until the port is closed."""

    def run() -> None:
        while True:
            try:
                data, sender = port.recvfrom(2048)
                if back := answer(data):
                    port.sendto(back, sender)
            except OSError:
                return

    threading.Thread(target=run, daemon=True).start()
    return where(port)


def where(port: socket.socket) -> Where:
    return Where("127.0.0.1", port.getsockname()[1])


def test_a_server_has_to_answer_the_packet() -> None:
    packet = udp.packet(SOURCE)
    assert len(packet) == 1200 and packet[0] & 0xC0 == 0xC0
    assert packet[1:5] == b"\x1a\x2a\x3a\x4a" and packet[15:23] == SOURCE


def test_a_negotiation_names_versions() -> None:
    assert udp.negotiated(negotiation(SOURCE, 1, 0x6B3343CF), SOURCE) == (1, 0x6B3343CF)


@pytest.mark.parametrize(
    "data", [b"", b"hello", udp.packet(SOURCE), negotiation(b"another!", 1), negotiation(SOURCE)[:10]]
)
def test_what_is_no_negotiation_for_us(data: bytes) -> None:
    assert udp.negotiated(data, SOURCE) is None


def test_a_port_that_speaks_quic(port: socket.socket) -> None:
    there = answering(port, lambda data: negotiation(data[15:23], 1))
    seen = udp.probe(there, 1.0)
    assert (seen.reply, seen.is_quic, seen.versions) == (Reply.ANSWERED, True, (1,))


def test_a_port_that_speaks_something_else(port: socket.socket) -> None:
    there = answering(port, lambda data: data)
    seen = udp.probe(there, 1.0)
    assert (seen.reply, seen.is_quic, seen.detail) == (Reply.ANSWERED, False, "1200 bytes that are no QUIC")


def test_a_port_where_large_datagrams_get_lost(port: socket.socket) -> None:
    there = answering(port, lambda data: b"reset" if len(data) < 1200 else b"")
    seen = udp.probe(there, 0.2)
    assert seen.reply is Reply.SILENT and seen.small_only


def test_a_silent_port(port: socket.socket) -> None:
    seen = udp.probe(where(port), 0.1)
    assert seen.reply is Reply.SILENT and not seen.small_only


def test_a_port_where_nobody_listens(port: socket.socket) -> None:
    there = where(port)
    port.close()
    assert udp.probe(there, 1.0).reply is Reply.REFUSED
