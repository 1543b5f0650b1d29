"""Ports that somebody opens beside our Envoy, who has them already."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mizzen.errors import ResourceRef
from mizzen.model.listener import Edge, Listener, Transport
from mizzen.plane.shared_ports import SharedPorts, sockets

SERVE = """
import socket, sys
for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    one = socket.socket(socket.AF_INET, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(("127.0.0.1", int(sys.argv[1])))
    if kind is socket.SOCK_STREAM:
        one.listen()
    globals()[str(kind)] = one
print("bound", flush=True)
sys.stdin.read()
"""


def listener(port: int, transport: Transport, address: str = "127.0.0.1") -> Listener:
    return Listener(
        name=f"{transport.value}_{port}",
        transport=transport,
        address=address,
        port=port,
        chains=(),
        edge=Edge(),
        origin=ResourceRef(kind="Gateway"),
    )


@pytest.fixture
def envoy(tmp_path: Path) -> Iterator[int]:
    """A process whose command line names a folder, as Envoy's does; the port that it shares with whoever wants."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port), f"{tmp_path}/bootstrap.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"bound\n"
    yield port
    process.communicate()


@pytest.mark.parametrize("transport", [Transport.QUIC, Transport.TCP])
def test_who_shares_a_port_is_seen_and_seen_to_go(envoy: int, tmp_path: Path, transport: Transport) -> None:
    shared, wanted = SharedPorts(), (listener(envoy, transport),)
    assert shared.look(wanted, tmp_path) == {}

    kind = socket.SOCK_DGRAM if transport is Transport.QUIC else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        thief.bind(("127.0.0.1", envoy))
        if transport is Transport.TCP:
            thief.listen()
        (holders,) = shared.look(wanted, tmp_path).values()
        assert [holder.pid for holder in holders] == [os.getpid()]
        other = listener(envoy, transport, "127.0.0.2")
        assert shared.look((other,), tmp_path) == {}  # another address is another port
    assert shared.look(wanted, tmp_path) == {}


def test_who_alone_has_a_port_shares_it_with_nobody(envoy: int, tmp_path: Path) -> None:
    assert SharedPorts().look((listener(envoy, Transport.TCP),), tmp_path / "other") == {}


def test_addresses_are_read_as_the_kernel_writes_them(envoy: int) -> None:
    assert ("127.0.0.1", envoy) in [one[:2] for one in sockets(udp=True)]
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert ("::1", server.getsockname()[1]) in [one[:2] for one in sockets(udp=False)]
