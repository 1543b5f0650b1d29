"""What an operator sees of the gateways behind a URL: the control plane's word, Envoy's counters, the kernel's. Values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from mizzen.lazy import dataclass
from mizzen.status import EnvoyStatus, KernelUdp, MirrorStatus, ProblemValue, Status

MOST_ENVOYS = 8  # that are asked for their counters; the others answer under the same address
# Envoy's counters that are looked at (RE2).
STATS = r"^(listener\.udp_.*\.(downstream_cx_total|worker_\d+\.downstream_cx_total|udp\.|quic\.dispatcher\.|http3\.downstream\.).*)"
_SO_RCVBUF = ("1", "8")  # level SOL_SOCKET, name SO_RCVBUF, on Linux


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyListener:
    """A listener as Envoy holds it (ListenersConfigDump.DynamicListener)."""

    name: str
    active: bool = False
    warming: bool = False
    draining: bool = False
    error: str = ""  # why its last update was refused
    receive_buffer: int = 0  # bytes that it asks for; 0: the kernel's default
    routable_ids: bool = False  # connection ids name the Pod (QUIC-LB)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoySight:
    """One Envoy."""

    name: str  # what it calls itself
    status: EnvoyStatus
    stats: Mapping[str, int] = field(default_factory=dict)
    listeners: tuple[EnvoyListener, ...] = ()
    kernel: KernelUdp | None = None  # None: not to be seen
    silent: str = ""  # why it could not be asked

    def counter(self, mirror: MirrorStatus, name: str) -> int:
        """A counter of the mirror's listener."""
        return int(self.stats.get(f"listener.{mirror.listener}.{name}", 0))

    def listener(self, name: str) -> EnvoyListener | None:
        return next((one for one in self.listeners if one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The Envoys that serve a host, and what is wrong in general."""

    where: str  # "mizzen up in /run/mizzen", "the cluster kind"
    envoys: tuple[EnvoySight, ...] = ()
    problems: tuple[ProblemValue, ...] = ()
    nodes: int = 0  # of the cluster

    def envoy(self, name: str) -> EnvoySight | None:
        return next((one for one in self.envoys if one.name == name), None)


# --- which server a URL is about --------------------------------------------------------------------


def servers(envoy: EnvoyStatus, host: str, port: int) -> tuple[MirrorStatus, ...]:
    """The HTTPS servers that end TLS for `host`: those that clients dial at `port`, where there are such.

    As Envoy chooses a chain by SNI: the exact host before wildcards, the longest wildcard first, then any.
    """
    # Of a server that is gone nobody knows the hosts.
    ranked = [(rank, one) for one in envoy.mirrors if one.resource and (rank := _rank(one.hosts, host))]
    ranked = [pair for pair in ranked if pair[1].port == port] or ranked
    best = max((rank for rank, _ in ranked), default=0)
    return tuple(one for rank, one in ranked if rank == best)


def _rank(hosts: Sequence[str], host: str) -> int:
    """How well a server fits: 0 not at all."""
    name = host.lower().rstrip(".")
    if not hosts:
        return 1
    if name in hosts:
        return 2 + len(name)
    return max((len(one) for one in hosts if one.startswith("*.") and name.endswith(one[1:])), default=0)


def serving(status: Status, host: str, port: int) -> tuple[str, ...]:
    """The names of the Envoys with a server for `host`, those that clients reach at `port` before others."""
    found = {name: servers(one, host, port) for name, one in sorted(status.gateways.items())}
    at_port = [name for name, mirrors in found.items() if any(one.port == port for one in mirrors)]
    return tuple(at_port or [name for name, mirrors in found.items() if mirrors])


# --- what Envoy answers -----------------------------------------------------------------------------


def stats_of(answer: Mapping[str, Any]) -> dict[str, int]:
    """Counters and gauges out of `/stats?format=json`."""
    return {
        one["name"]: int(one["value"])
        for one in answer.get("stats") or ()
        if isinstance(one.get("value"), int) and "name" in one
    }


def listeners_of(dump: Mapping[str, Any]) -> tuple[EnvoyListener, ...]:
    """The listeners out of `/config_dump?resource=dynamic_listeners`."""
    return tuple(_listener(one) for one in dump.get("configs") or ())


def _listener(one: Mapping[str, Any]) -> EnvoyListener:
    states = {key: one.get(f"{key}_state") for key in ("active", "warming", "draining", "error")}
    holder = states["active"] or states["warming"] or states["draining"] or {}
    config = holder.get("listener") or {}
    quic = (config.get("udp_listener_config") or {}).get("quic_options") or {}
    generator = quic.get("connection_id_generator_config") or {}
    return EnvoyListener(
        name=str(one.get("name", "")),
        active=bool(states["active"]),
        warming=bool(states["warming"]),
        draining=bool(states["draining"]),
        error=str((states["error"] or {}).get("details", "")),
        receive_buffer=next(_receive_buffers(config), 0),
        routable_ids="quic_lb" in str(generator.get("name", "")) + str(generator.get("typed_config", "")),
    )


def _receive_buffers(config: Mapping[str, Any]) -> Iterator[int]:
    for option in config.get("socket_options") or ():
        if (str(option.get("level")), str(option.get("name"))) == _SO_RCVBUF:
            yield int(option.get("int_value", 0))


def worker_connections(envoy: EnvoySight, mirror: MirrorStatus) -> tuple[int, ...]:
    """How many QUIC connections each worker has had."""
    pattern = re.compile(rf"listener\.{re.escape(mirror.listener)}\.worker_(\d+)\.downstream_cx_total")
    found = {
        int(match[1]): value for name, value in envoy.stats.items() if (match := pattern.fullmatch(name))
    }
    return tuple(found[number] for number in sorted(found))
