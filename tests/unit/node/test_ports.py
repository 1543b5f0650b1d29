import os
import socket

import pytest

from mizzen.node import ports
from mizzen.node.ports import Holder, Refusal, holders, listening_inodes, may_bind_low_ports, try_bind

TCP_TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:20FB 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 0 10 -1
   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
"""


@pytest.mark.parametrize("udp", [False, True])
def test_a_port_that_others_would_share_is_not_free(udp: bool) -> None:
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        if not udp:
            other.listen()
        port = other.getsockname()[1]

        for address in ("127.0.0.1", "0.0.0.0"):
            refusal = try_bind(address, port, udp=udp)
            assert refusal
            assert f"it is in use by pid {os.getpid()} (" in refusal.reason
            assert refusal.involves("python")
            assert not refusal.involves("no such word")
        assert try_bind("127.0.0.1", port, udp=not udp) is None  # TCP and UDP have ports of their own

    assert try_bind("127.0.0.1", port, udp=udp) is None


def test_connections_that_linger_are_no_obstacle() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
    accepted.close()  # the server closes first: TIME_WAIT stays on its port
    client.close()

    assert try_bind("127.0.0.1", port) is None


def test_an_address_of_another_machine_is_named() -> None:
    refusal = try_bind("192.0.2.1", 8443)

    assert refusal == Refusal(reason="no interface of this machine has the address 192.0.2.1")


def test_only_who_listens_holds_a_port() -> None:
    assert listening_inodes(TCP_TABLE, 8443, udp=False) == {"4711"}
    assert listening_inodes(TCP_TABLE, 443, udp=False) == set()


def test_nobody_holds_a_free_port() -> None:
    assert holders(1) == ()


def test_the_capability_is_read_from_the_effective_set() -> None:
    assert may_bind_low_ports("Name:\tx\nCapPrm:\t0\nCapEff:\t0000000000000400\n")
    assert not may_bind_low_ports("Name:\tx\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000000\n")


def test_long_command_lines_are_cut_in_messages() -> None:
    assert str(Holder(pid=7, command="x" * 500)) == f"pid 7 ({'x' * 117}...)"
    assert str(Holder()) == "a process of another user"
    assert not Refusal(reason="", holders=(Holder(),)).involves("mizzen")


def test_the_families_of_a_machine_are_those_it_has_a_way_to(monkeypatch):
    for ways, expected in (
        ((True, True), "both"),
        ((False, True), "v6"),
        ((True, False), "both"),  # nobody asks for IPv6 there; who does may have it
        ((False, False), "both"),
    ):
        found = dict(zip((socket.AF_INET, socket.AF_INET6), ways, strict=True))
        monkeypatch.setattr(ports, "_has_way", lambda family, _, found=found: found[family])
        assert ports.families() == expected
    monkeypatch.setattr(ports, "_may_bind_ipv6", lambda: False)
    assert ports.families() == "v4"
