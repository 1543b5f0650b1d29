from dataclasses import replace
from typing import Any

from mizzen.doctor.links import Name
from mizzen.doctor.operator_check import Check
from mizzen.doctor.operator_envoy import checks, connection_ids
from mizzen.doctor.operator_sight import EnvoyListener, EnvoySight, Sight
from mizzen.status import EnvoyStatus, KernelUdp, ListenerStatus, MirrorStatus, ProblemValue, UdpSocket

NAME = "udp_0.0.0.0_8443"
MIRROR = MirrorStatus(server="https.443", listener=NAME)
STATUS = EnvoyStatus(listeners=(ListenerStatus(name=NAME, address="0.0.0.0", port=8443, transport="quic"),))
TWO_MIB = 2 * 1024 * 1024
ACTIVE = EnvoyListener(name=NAME, active=True, receive_buffer=TWO_MIB)
DROPPED = "udp.downstream_rx_datagram_dropped"
RESETS = "quic.dispatcher.stateless_reset_packets_sent"


def sight(stats: dict[str, int] | None = None, **fields: Any) -> EnvoySight:
    named = {f"listener.{NAME}.{name}": value for name, value in (stats or {}).items()}
    values: dict[str, Any] = {"listeners": (ACTIVE,), "kernel": KernelUdp(receive_max=TWO_MIB), **fields}
    return EnvoySight(name="gw", status=STATUS, stats=named, **values)


def of(name: str, envoy: EnvoySight, before: EnvoySight | None = None) -> Check:
    (found,) = (one for one in checks(envoy, MIRROR, before) if one.check == name)
    return found


def test_an_envoy_that_cannot_be_asked_says_so_and_nothing_else() -> None:
    (found,) = checks(sight(silent="no way to its Pod"), MIRROR)
    assert found.ok is None
    assert "no way to its Pod" in found.said


def test_a_quiet_gateway_is_fine() -> None:
    found = list(checks(sight(), MIRROR))
    assert [(one.check, one.ok) for one in found] == [
        ("listener", True),
        ("receive-buffer", True),
        ("datagrams", True),
        ("stateless-resets", True),
    ]


def test_a_listener_that_is_not_active_breaks_udp() -> None:
    for listeners, told in (
        ((), "has no listener"),
        ((EnvoyListener(name=NAME, warming=True),), "waits for its certificates"),
        ((EnvoyListener(name=NAME, draining=True),), "is being drained"),
        ((EnvoyListener(name=NAME, error="cannot bind"),), "cannot bind"),
    ):
        found = of("listener", sight(listeners=listeners))
        assert (found.ok, found.links) == (False, (Name.UDP,))
        assert told in found.said
    stale = of("listener", sight(listeners=(EnvoyListener(name=NAME, active=True, error="bad chain"),)))
    assert (stale.ok, stale.links) == (False, ())
    assert "bad chain" in stale.said


def test_a_listener_that_still_drains_is_told() -> None:
    found = of("draining", sight(listeners=(replace(ACTIVE, draining=True),)))
    assert (found.ok, found.links) == (None, (Name.QUIC,))


def test_a_kernel_that_gives_less_than_is_asked_for() -> None:
    small = of("receive-buffer", sight(kernel=KernelUdp(receive_max=212_992)))
    assert small.ok is False
    assert "2048 KiB" in small.said and "208 KiB" in small.said
    assert "sysctl -w net.core.rmem_max=2097152" in small.remedy
    assert of("receive-buffer", sight(kernel=KernelUdp())).ok is None
    assert "receive-buffer" not in [one.check for one in checks(sight(kernel=None), MIRROR)]


def test_dropped_datagrams_count_where_envoy_or_the_kernel_counted_them() -> None:
    sockets = (
        UdpSocket(address="0.0.0.0", port=8443, drops=4),
        UdpSocket(address="0.0.0.0", port=53, drops=9),
    )
    by_kernel = sight(kernel=KernelUdp(receive_max=TWO_MIB, sockets=sockets))
    assert (of("datagrams", by_kernel).ok, of("datagrams", by_kernel).said[:12]) == (None, "4 datagrams ")
    by_envoy = sight({DROPPED: 7})
    assert of("datagrams", by_envoy).ok is None
    growing = of("datagrams", by_envoy, before=sight({DROPPED: 5}))
    assert growing.ok is False
    assert "2 of them just now" in growing.said


def workers(*counts: int) -> Check:
    return of("workers", sight({f"worker_{n}.downstream_cx_total": one for n, one in enumerate(counts)}))


def test_connections_must_reach_all_workers() -> None:
    assert workers(9, 12).ok is True
    assert workers(3, 0).ok is None
    found = workers(16, 0)
    assert found.ok is False
    assert "16, 0: not all are reached" in found.said
    assert "workers" not in [one.check for one in checks(sight({"worker_0.downstream_cx_total": 99}), MIRROR)]


def ids(*envoys: EnvoySight, problems: tuple[ProblemValue, ...] = ()) -> list[Check]:
    whole = Sight(where="the cluster", envoys=envoys, problems=problems)
    return list(connection_ids(whole, envoys, MIRROR))


def test_several_envoys_need_ids_that_a_balancer_can_read() -> None:
    assert ids(sight()) == []
    (two,) = ids(sight(), sight())
    assert (two.ok, two.links) == (None, (Name.MIGRATION,))
    assert two.said.startswith("2 Envoys serve it")
    named = sight(listeners=(replace(ACTIVE, routable_ids=True),))
    (fine,) = ids(named, named)
    assert fine.ok is True
    problem = ProblemValue(
        code="QLB-001", message="the key is not there", hint="write it", resource="HTTP3Policy/a/b"
    )
    (keyless,) = ids(named, named, problems=(problem,))
    assert (keyless.ok, keyless.remedy, keyless.links) == (False, "write it", (Name.MIGRATION,))
    assert keyless.said == "the key is not there (HTTP3Policy/a/b)"


def test_stateless_resets_that_rise_are_told() -> None:
    few = sight({RESETS: 3, "downstream_cx_total": 10})
    assert of("stateless-resets", few).ok is True
    many = sight({RESETS: 30, "downstream_cx_total": 100})
    assert (of("stateless-resets", many).ok, of("stateless-resets", many).links) == (None, (Name.MIGRATION,))
    assert of("stateless-resets", many, before=many).ok is None
    assert of("stateless-resets", many, before=few).ok is False


def test_how_connections_ended_is_told_where_it_was_no_good_end() -> None:
    code = "http3.downstream.{}.quic_connection_close_error_code_{}"
    usual = {
        code.format("rx", "QUIC_NO_ERROR"): 50,
        code.format("rx", "QUIC_IETF_GQUIC_ERROR_MISSING"): 9,
        "downstream_cx_total": 60,
    }
    assert "close-codes" not in [one.check for one in checks(sight(usual), MIRROR)]
    without_certificate = {**usual, code.format("tx", "QUIC_TLS_CERTIFICATE_REQUIRED"): 50}
    assert "close-codes" not in [one.check for one in checks(sight(without_certificate), MIRROR)]
    few = of("close-codes", sight({**usual, code.format("tx", "QUIC_HANDSHAKE_TIMEOUT"): 2}))
    assert (few.ok, few.remedy) == (None, "")
    bad = {code.format("tx", "QUIC_HANDSHAKE_FAILED"): 12, code.format("rx", "QUIC_HANDSHAKE_FAILED"): 3}
    many = of("close-codes", sight({**usual, **bad}))
    assert many.ok is False
    assert many.said == "15 of 60 QUIC connections of gw ended with an error: QUIC_HANDSHAKE_FAILED 15"
