"""What one Envoy and its kernel say of a mirror: its listener, buffers, dropped datagrams, workers, resets. Pure.

`before` is an earlier look at the same Envoy: what has grown since happens now; without one, counters are those since
Envoy's start.
"""

import re
from collections.abc import Iterator, Sequence

from mizzen.doctor.links import Name
from mizzen.doctor.operator_check import Check, at
from mizzen.doctor.operator_sight import EnvoyListener, EnvoySight, Sight, worker_connections
from mizzen.status import MirrorStatus

_DROPPED = "udp.downstream_rx_datagram_dropped"
_RESETS = "quic.dispatcher.stateless_reset_packets_sent"
_CONNECTIONS = "downstream_cx_total"
# So few connections say nothing of how they are spread; beyond, a worker without any is no chance (2 workers: 1 in 32,000).
_ENOUGH_FOR_EACH_WORKER = 8
_MANY_RESETS, _MANY_RESETS_SHARE = 10, 0.05
_MANY_CLOSES, _MANY_CLOSES_SHARE = 10, 0.2
_CLOSED = re.compile(r"http3\.downstream\.([rt]x)\.quic_connection_close_error_code_(QUIC_\w+)")
# How connections end that nobody is to worry about.
_USUAL = frozenset(
    {
        "QUIC_NO_ERROR",
        # Clients that are not made of QUICHE name no code of its own, however they leave.
        "QUIC_IETF_GQUIC_ERROR_MISSING",
        "QUIC_NETWORK_IDLE_TIMEOUT",
        "QUIC_PEER_GOING_AWAY",
        "QUIC_CONNECTION_MIGRATION_NO_NEW_NETWORK",
    }
)


def checks(envoy: EnvoySight, mirror: MirrorStatus, before: EnvoySight | None = None) -> Iterator[Check]:
    """All of one Envoy that has the mirror."""
    if envoy.silent:
        said = f"the admin interface of {envoy.name} could not be asked: {envoy.silent}"
        yield Check(check="listener", ok=None, said=said)
    else:
        listener = envoy.listener(mirror.listener)
        yield _listener(envoy, mirror, listener)
        yield from _draining(envoy, listener)
        yield from _receive_buffer(envoy, listener)
        yield from _datagrams(envoy, mirror, before)
        yield from _workers(envoy, mirror)
        yield _resets(envoy, mirror, before)
        yield from _closes(envoy, mirror)


def _listener(envoy: EnvoySight, mirror: MirrorStatus, listener: EnvoyListener | None) -> Check:
    called = f"the listener {mirror.listener} of {envoy.name}"
    if listener is None:
        said = f"{envoy.name} has no listener {mirror.listener}"
        return Check(
            check="listener", ok=False, said=said, remedy="see mizzen proxy-status", links=(Name.UDP,)
        )
    if not listener.active:
        why = "waits for its certificates (warming)" if listener.warming else "is being drained"
        why = listener.error or why
        return Check(
            check="listener",
            ok=False,
            said=f"{called}: {why}",
            remedy="see mizzen proxy-config secret, and mizzen proxy-status",
            links=(Name.UDP,),
        )
    if listener.error:
        said = f"{called} serves what it had: its last update was refused: {listener.error}"
        return Check(check="listener", ok=False, said=said, remedy="see mizzen proxy-status")
    return Check(check="listener", ok=True, said=f"{called} is active")


def connection_ids(sight: Sight, envoys: Sequence[EnvoySight], mirror: MirrorStatus) -> Iterator[Check]:
    """Where a client comes to that changes its address in mid-connection: balancers choose by addresses."""
    listeners = [one.listener(mirror.listener) for one in envoys if not one.silent]
    wrong = [one for one in sight.problems if one.code.startswith("QLB-")]
    if any(one is not None and one.routable_ids for one in listeners):
        for problem in wrong:
            said = f"{problem.message} ({at(problem.resource, problem.origin)})"
            yield Check(
                check="connection-ids", ok=False, said=said, remedy=problem.hint, links=(Name.MIGRATION,)
            )
        if not wrong:
            said = "connection ids name the Envoy (QUIC-LB): a balancer that reads them leads clients that move to it"
            yield Check(check="connection-ids", ok=True, said=said)
    elif len(envoys) > 1:
        yield Check(
            check="connection-ids",
            ok=None,
            said=f"{len(envoys)} Envoys serve it, and connection ids do not name them: a client that changes its address may "
            "come to another one, and has to connect anew",
            remedy="a balancer that reads connection ids, and HTTP3Policy connectionIds (docs/tuning-http3.md)",
            links=(Name.MIGRATION,),
        )


def _draining(envoy: EnvoySight, listener: EnvoyListener | None) -> Iterator[Check]:
    """An older one at the same address takes a part of the datagrams (measured with Envoy 1.40)."""
    if listener is not None and listener.active and listener.draining:
        yield Check(
            check="draining",
            ok=None,
            said=f"an older {listener.name} of {envoy.name} is still being drained: new QUIC connections may time out until it "
            "is gone",
            remedy="wait for the drain time (20 s, else drainDuration) and look again",
            links=(Name.QUIC,),
        )


def _receive_buffer(envoy: EnvoySight, listener: EnvoyListener | None) -> Iterator[Check]:
    asked = listener.receive_buffer if listener else 0
    if not asked or envoy.kernel is None:
        return
    most = envoy.kernel.receive_max
    if most is None:
        said = f"{envoy.name} asks for a receive buffer of {_kib(asked)}; net.core.rmem_max is not to be seen from there"
        yield Check(check="receive-buffer", ok=None, said=said, remedy=_sysctl(asked))
    elif most < asked:
        said = f"{envoy.name} asks for a receive buffer of {_kib(asked)}, and the kernel gives {_kib(most)} (net.core.rmem_max)"
        yield Check(check="receive-buffer", ok=False, said=said, remedy=_sysctl(asked))
    else:
        said = f"{envoy.name} has the receive buffer of {_kib(asked)} that it asks for"
        yield Check(check="receive-buffer", ok=True, said=said)


def _sysctl(asked: int) -> str:
    return f"on the machine (each node): sysctl -w net.core.rmem_max={asked}, then restart Envoy; keep it in /etc/sysctl.d"


def _kib(size: int) -> str:
    return f"{size // 1024} KiB"


def _datagrams(envoy: EnvoySight, mirror: MirrorStatus, before: EnvoySight | None) -> Iterator[Check]:
    """Datagrams that Envoy or the kernel threw away: clients send them again, later."""
    total = _dropped(envoy, mirror)
    grown = total - _dropped(before, mirror) if before is not None else 0
    if not total:
        yield Check(check="datagrams", ok=True, said=f"{envoy.name} has dropped no datagram of it")
        return
    now = f", {grown} of them just now" if grown > 0 else ""
    yield Check(
        check="datagrams",
        ok=False if grown > 0 else None,
        said=f"{total} datagrams for {mirror.listener} of {envoy.name} were dropped for want of room{now}",
        remedy="raise net.core.rmem_max, give the gateway more CPU or more workers, or more replicas",
    )


def _dropped(envoy: EnvoySight, mirror: MirrorStatus) -> int:
    """Envoy counts what the kernel tells it of (SO_RXQ_OVFL); the kernel counts all."""
    port = next((one.port for one in envoy.status.listeners if one.name == mirror.listener), 0)
    sockets = envoy.kernel.sockets if envoy.kernel else ()
    return max(envoy.counter(mirror, _DROPPED), sum(one.drops for one in sockets if one.port == port))


def _workers(envoy: EnvoySight, mirror: MirrorStatus) -> Iterator[Check]:
    """Do QUIC connections reach all worker threads? Each has a socket of its own (SO_REUSEPORT)."""
    counts = worker_connections(envoy, mirror)
    if len(counts) < 2:
        return
    shown = ", ".join(str(one) for one in counts)
    said = f"QUIC connections of the {len(counts)} workers of {envoy.name}: {shown}"
    if all(counts):
        yield Check(check="workers", ok=True, said=said)
    elif sum(counts) < _ENOUGH_FOR_EACH_WORKER * len(counts):
        yield Check(check="workers", ok=None, said=f"{said}: too few to say whether all are reached")
    else:
        yield Check(
            check="workers",
            ok=False,
            said=f"{said}: not all are reached",
            remedy="something in front sends all datagrams from one address and port, or an EnvoyFilter sets "
            "enable_reuse_port: false",
        )


def _resets(envoy: EnvoySight, mirror: MirrorStatus, before: EnvoySight | None) -> Check:
    """Datagrams of connections that this Envoy does not know."""
    total = envoy.counter(mirror, _RESETS)
    grown = total - before.counter(mirror, _RESETS) if before is not None else 0
    connections = envoy.counter(mirror, _CONNECTIONS)
    said = f"{envoy.name} has sent {total} stateless resets, to {connections} connections in all"
    many = total >= _MANY_RESETS and total > connections * _MANY_RESETS_SHARE
    if not many and grown < _MANY_RESETS:
        return Check(check="stateless-resets", ok=True, said=said)
    return Check(
        check="stateless-resets",
        ok=False if grown >= _MANY_RESETS else None,
        said=f"{said}: clients speak to an Envoy that does not know their connection",
        remedy="it was restarted or its listener replaced, or a balancer sends clients to another Pod in the middle of "
        "a connection (docs/http3.md, connection ids)",
        links=(Name.MIGRATION,),
    )


def _is_usual(side: str, code: str) -> bool:
    """A client whose certificate is not taken fails over TCP too."""
    return code in _USUAL or (side == "tx" and code.startswith("QUIC_TLS_"))


def _closes(envoy: EnvoySight, mirror: MirrorStatus) -> Iterator[Check]:
    """How connections ended that did not end well."""
    prefix = f"listener.{mirror.listener}."
    found: dict[str, int] = {}
    for name, value in envoy.stats.items():
        match = _CLOSED.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if match and not _is_usual(match[1], match[2]):
            found[match[2]] = found.get(match[2], 0) + value
    bad = sum(found.values())
    if not bad:
        return
    worst = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    shown = ", ".join(f"{name} {number}" for name, number in worst)
    connections = envoy.counter(mirror, _CONNECTIONS)
    many = bad >= _MANY_CLOSES and bad > connections * _MANY_CLOSES_SHARE
    yield Check(
        check="close-codes",
        ok=False if many else None,
        said=f"{bad} of {connections} QUIC connections of {envoy.name} ended with an error: {shown}",
        remedy="QUIC_HANDSHAKE_FAILED and QUIC_TLS_* are certificates or names that clients do not accept; "
        "QUIC_HANDSHAKE_TIMEOUT is UDP that is lost on the way"
        if many
        else "",
    )
