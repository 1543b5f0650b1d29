"""Servers as DNS goes by them: of a model, offline, and of the status of what runs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from mizzen.dns.justified import Served
from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.dns import Binding
from mizzen.status import EnvoyStatus, MirrorStatus

Place = Callable[[ResourceRef, str], str]  # an object and a field of it -> "file:line:column"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever asks says in the place of what objects say."""

    addresses: tuple[str, ...] = ()
    ttl: timedelta | None = None
    target: str = ""

    def applied(self, served: Served) -> Served:
        binding = served.binding
        if self.addresses:
            binding = replace(binding, addresses=self.addresses, unknown="")
        if self.ttl is not None:
            binding = replace(binding, ttl=self.ttl)
        if self.target:
            binding = replace(binding, target=self.target)
        return served if binding is served.binding else replace(served, binding=binding)


def of_model(called: str, model: Model, place: Place) -> Iterator[Served]:
    """The servers of a gateway, as if each mirror that it has had been proven."""
    mirrors = {mirror.server: mirror for mirror in model.mirrors}
    for announcement in model.announcements:
        mirror = mirrors.get(announcement.name.partition("/")[2])
        if announcement.binding is None or mirror is None:
            continue
        withheld = announcement.port is None
        yield Served(
            gateway=called,
            server=mirror.server,
            binding=announcement.binding,
            reason=(mirror.reason or "HTTP/3 is not offered") if withheld else "",
            resource=str(mirror.origin),
            origin=place(mirror.origin, mirror.at),
        )


def of_status(gateways: Mapping[str, EnvoyStatus]) -> tuple[Served, ...]:
    """The servers that run. What one Envoy of a gateway does not announce, the gateway does not: clients cannot choose."""
    found: dict[tuple[str, str], Served] = {}
    for one in _speaking(gateways):
        called = one.key.partition("~")[0]
        for mirror in one.mirrors:
            served = _served(called, mirror)
            if served is None:
                continue
            known = found.get((called, mirror.server))
            if known is None or (served.reason and not known.reason):
                found[called, mirror.server] = served
    return tuple(found.values())


def _speaking(gateways: Mapping[str, EnvoyStatus]) -> Iterable[EnvoyStatus]:
    """The Envoys that are connected: of others, which there may be of old, nobody knows."""
    return [one for _, one in sorted(gateways.items()) if one.version]


def _served(called: str, mirror: MirrorStatus) -> Served | None:
    dns = mirror.dns
    if dns is None:
        return None
    reason = "" if dns.is_listed else mirror.reason or f"HTTP/3 is {mirror.state or 'not offered'}"
    return Served(
        gateway=called,
        server=mirror.server,
        binding=Binding(
            hosts=tuple(sorted({*(mirror.hosts or ("*",)), *dns.also})),
            off=dns.off,
            port=mirror.port,
            alpn=dns.alpn,
            has_default=dns.has_default,
            target=dns.target,
            addresses=dns.addresses,
            unknown=dns.unknown,
            ttl=timedelta(seconds=dns.ttl),
        ),
        reason=reason,
        resource=mirror.resource,
        origin=mirror.origin,
    )
