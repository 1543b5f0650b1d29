"""Clients that take much and give nothing: slow ones, half ones, large ones. Others are answered meanwhile."""

import contextlib
import socket
import ssl
from collections.abc import Iterator

import pytest
from attacked_site import PLAIN_PORT, PORT, PROTOCOLS, WWW, Site

from tests.harness.raw_clients import dial

pytestmark = [pytest.mark.e2e, pytest.mark.attack]

CROWD = 300


@pytest.fixture
def crowd() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def assert_others_are_answered(site: Site) -> None:
    for protocol in PROTOCOLS:
        answer = site.ask(protocol, WWW)
        assert (answer.error, answer.status) == (None, 200), protocol
    site.backend.take()


def test_connections_that_say_nothing(site: Site, crowd: contextlib.ExitStack) -> None:
    for port in (PORT, PLAIN_PORT):
        for _ in range(CROWD):
            crowd.enter_context(socket.create_connection(("127.0.0.1", port), 3))
    assert_others_are_answered(site)


def test_half_a_client_hello(site: Site, crowd: contextlib.ExitStack) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = context.wrap_bio(incoming, outgoing, server_hostname=WWW)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    for _ in range(CROWD):
        half = crowd.enter_context(socket.create_connection(("127.0.0.1", PORT), 3))
        half.sendall(hello[: len(hello) // 2])
    assert_others_are_answered(site)


def test_headers_that_never_end(site: Site, crowd: contextlib.ExitStack) -> None:
    for number in range(CROWD // 3):
        slow = crowd.enter_context(dial(PORT, WWW, "http/1.1"))
        slow.sendall(f"GET /{number} HTTP/1.1\r\nHost: {WWW}\r\nx-slow: ".encode())
    assert_others_are_answered(site)
    assert site.backend.take() == []


def test_half_of_a_quic_packet_and_noise(site: Site) -> None:
    """Datagrams that are no QUIC, truncated long headers, unknown versions (RFC 9000 sections 14 and 17)."""
    noise = [
        b"",
        b"\0",
        b"\xff" * 1200,
        b"\xc0\0\0\0\1" + b"\0" * 30,
        b"\xc0\xba\xba\xba\xba\x08" + b"\1" * 1194,
        b"A" * 65_000,
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for _ in range(50):
            for datagram in noise:
                udp.sendto(datagram, ("127.0.0.1", PORT))
    assert_others_are_answered(site)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_large_headers_and_many(site: Site, protocol: str) -> None:
    for headers in ({"x-large": "a" * 61 * 1024}, {f"x-{number}": "1" for number in range(150)}):
        answer = site.ask(protocol, WWW, headers=headers)
        assert (answer.error, answer.status) == (None, 431)
    assert_others_are_answered(site)
