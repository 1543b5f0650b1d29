"""The UDP port, the handshake and the size of datagrams."""

import pytest

from mizzen.doctor.measured import Reply, Walk
from mizzen.doctor.verdicts.over_quic import mtu, quic, udp
from tests.harness.small_walk import OTHER, healthy, no_udp, no_visit, visit, without_quic
from tests.harness.small_walk import udp as port

SMALL = without_quic(udp=(no_udp(small_only=True),))


@pytest.mark.parametrize(
    ("reply", "said", "remedy"),
    [
        (Reply.SILENT, "UDP 192.0.2.1:443 is silent", "takes only TCP"),
        (Reply.REFUSED, "UDP 192.0.2.1:443 refuses", "nothing listens on UDP 443"),
        (Reply.UNREACHABLE, "cannot be reached", "route"),
    ],
)
def test_a_closed_port(reply: Reply, said: str, remedy: str) -> None:
    walk = without_quic(udp=(no_udp(reply=reply),))
    link = udp(walk)
    assert link.ok is False and said in link.said and remedy in link.remedy
    assert quic(walk).ok is None and mtu(walk).ok is None


def test_a_port_that_something_else_has() -> None:
    link = udp(
        without_quic(
            udp=(no_udp(reply=Reply.ANSWERED, detail="1200 bytes that are no QUIC"),),
            quic=(no_visit(datagrams=3),),
        )
    )
    assert link.ok is False and "something else has the port" in link.said


def test_a_handshake_shows_that_the_port_is_open() -> None:
    assert udp(healthy(udp=(no_udp(),))).ok


def test_ipv6_is_closed_while_ipv4_is_open() -> None:
    walk = healthy(udp=(port(), no_udp(OTHER, Reply.REFUSED)), quic=(visit(), no_visit(OTHER)))
    link = udp(walk)
    assert link.ok is False
    assert (
        link.said
        == "UDP [2001:db8::1]:443 refuses (nobody listens there), 192.0.2.1:443 answers in 1 ms: fine"
    )
    assert quic(walk).ok  # of what is open


def test_a_handshake_is_told() -> None:
    link = quic(healthy())
    assert link.ok and link.said == "192.0.2.1:443 version 1 in 10 ms, idle timeout 60 s"
    assert "version 1 of 1, 2 in" in quic(healthy(udp=(port(versions=(0x6B3343CF, 1)),))).said
    assert "after a Retry" in quic(healthy(quic=(visit(retried=True),))).said


@pytest.mark.parametrize(
    ("awake", "quiet", "ok", "said"),
    [
        (True, 30.0, True, "answers after 30 s"),
        (False, 30.0, False, "does not answer after 30 s"),
        (False, 90.0, True, "as the idle timeout says"),
        (None, 30.0, True, "idle timeout 60 s"),
    ],
)
def test_a_quiet_connection(awake: bool | None, quiet: float, ok: bool, said: str) -> None:
    link = quic(healthy(quiet=quiet, idle=visit(awake=awake)))
    assert link.ok is ok and said in link.said


@pytest.mark.parametrize(
    ("walk", "said"),
    [
        (without_quic(udp=(port(versions=(0x1A1A1A1A,)),)), "new connections are refused"),
        (
            without_quic(udp=(port(),), quic=(no_visit(close_code=0x178, close_reason="no chain"),)),
            "code 0x178 (no chain)",
        ),
        (
            without_quic(udp=(port(),), quic=(no_visit(datagrams=2),)),
            "answers, but not the handshake for shop.test",
        ),
    ],
)
def test_a_handshake_that_fails(walk: Walk, said: str) -> None:
    link = quic(walk)
    assert link.ok is False and said in link.said and link.remedy
    assert udp(walk).ok and mtu(walk).ok is None


def test_large_datagrams_that_get_lost_are_no_fault_of_the_port() -> None:
    assert udp(SMALL).ok and quic(SMALL).ok is None
    link = mtu(SMALL)
    assert link.ok is False and "1,200 bytes get lost" in link.said


def sizes(*passed: int, error: str = "") -> Walk:
    every = (1200, 1252, 1350, 1452)
    return healthy(
        mtu=tuple(
            (one, visit(largest=one) if one in passed else visit(status=0, error=error)) for one in every
        )
    )


def test_sizes_that_pass_are_told() -> None:
    link = mtu(healthy())
    assert link.ok and link.remedy == ""
    assert (
        link.said
        == "datagrams of 1,200, 1,252, 1,350, 1,452 bytes come through, the largest from the server had 1,452"
    )


def test_sizes_that_clients_send_must_pass() -> None:
    link = mtu(sizes(1200, 1252))
    assert link.ok is False and "those of 1,350, 1,452 are lost" in link.said


def test_a_little_less_than_ethernet_is_fine() -> None:
    link = mtu(sizes(1200, 1252, 1350))
    assert link.ok and link.remedy


def test_what_this_machine_cannot_send_is_no_fault_of_the_path() -> None:
    link = mtu(sizes(1200, error="Message too long"))
    assert link.ok and "this machine's own network takes none of 1,252, 1,350, 1,452" in link.said


def test_each_family_has_a_path_of_its_own() -> None:
    four = tuple((size, visit(largest=size)) for size in (1200, 1350))
    six = ((1200, visit(OTHER)), (1350, visit(OTHER, status=0)))
    link = mtu(healthy(udp=(port(), port(OTHER)), quic=(visit(), visit(OTHER)), mtu=(*four, *six)))
    assert link.ok is False
    assert "192.0.2.1:443: datagrams of 1,200, 1,350 bytes come through" in link.said
    assert "[2001:db8::1]:443: datagrams of 1,200 bytes come through, those of 1,350 are lost" in link.said


def test_without_answers_sizes_say_nothing() -> None:
    assert mtu(sizes()).ok is None
