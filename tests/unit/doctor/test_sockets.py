"""What the kernel says of an address."""

import errno
import socket

import pytest

from mizzen.doctor.measured import Reply, Where
from mizzen.doctor.sockets import connected, dialled, failure, reply_of


@pytest.mark.parametrize(
    ("number", "reply"),
    [
        (errno.ECONNREFUSED, Reply.REFUSED),
        (errno.ETIMEDOUT, Reply.SILENT),
        (errno.ENETUNREACH, Reply.UNREACHABLE),
        (errno.EPERM, Reply.UNREACHABLE),
        (errno.EADDRNOTAVAIL, Reply.UNLOOKED),
    ],
)
def test_errors_say_what_an_address_did(number: int, reply: Reply) -> None:
    assert reply_of(OSError(number, "text")) is reply


def test_the_kernels_words() -> None:
    assert failure(OSError(errno.ENETUNREACH, "Network is unreachable")) == "Network is unreachable"


def test_addresses_are_dialled() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = Where("127.0.0.1", server.getsockname()[1])
        assert dialled(there, 1.0) is Reply.ANSWERED
    assert dialled(there, 1.0) is Reply.REFUSED


def test_a_datagram_is_sent_whole() -> None:
    with connected(Where("127.0.0.1", 9), socket.SOCK_DGRAM) as udp:
        assert udp.getsockopt(socket.IPPROTO_IP, 10) == 3  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE
