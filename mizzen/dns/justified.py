"""Which HTTPS records are justified: what each server at each gateway is, put together by name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mizzen.dns.record import Record, Unnameable, hints, is_within, owner_name
from mizzen.lazy import dataclass
from mizzen.model.dns import Binding

_WILDCARD = "*."


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One HTTPS server at one gateway, as DNS goes by it."""

    gateway: str  # as clients know it: "istio-ingressgateway.istio-system"
    server: str  # "https.443.https.web.shop"
    binding: Binding
    reason: str = ""  # why HTTP/3 is not offered there; "": it is
    resource: str = ""  # "Gateway/shop/web"
    origin: str = ""  # file:line:column

    @property
    def called(self) -> str:
        """Where the records come from, in a comment."""
        place = f" ({self.origin})" if self.origin else ""
        return f"{self.resource or self.server}{place} at {self.gateway}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A record, and why it is there."""

    record: Record
    because: tuple[Served, ...]
    notes: tuple[str, ...] = ()  # what is not known of it, and where sources differ


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A host without a record."""

    host: str
    reason: str
    served: Served


@dataclass(frozen=True, slots=True, kw_only=True)
class Justified:
    """All of both, in the order of their names."""

    listed: tuple[Listed, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def within(self, zone: str) -> "Justified":
        """Those of one zone ("example.com.")."""
        hosts = (one for one in self.left_out if is_within(f"{one.host}.", zone))
        return Justified(
            listed=tuple(one for one in self.listed if is_within(one.record.name, zone)),
            left_out=tuple(hosts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """Hosts that are served without a record, and the exact ones below each domain, sorted."""

    by_host: Mapping[str, list[LeftOut]]
    below: Mapping[str, list[str]]

    @classmethod
    def of(cls, without: Iterable[LeftOut]) -> "Lacking":
        by_host: dict[str, list[LeftOut]] = {}
        for one in without:
            by_host.setdefault(one.host, []).append(one)
        below: dict[str, list[str]] = {}
        for host in sorted(by_host):
            domain = host
            while not host.startswith("*") and (domain := domain.partition(".")[2]):
                below.setdefault(domain, []).append(host)
        return cls(by_host=by_host, below=below)


def justified(served: Iterable[Served]) -> Justified:
    """The records of these servers.

    A host that several gateways serve has one record for each that differs. Where a gateway serves it without HTTP/3 and
    the addresses of the host may lead there (TargetName "."), there is none: clients cannot choose to which they come.
    """
    some = sorted(served, key=lambda one: (one.gateway, one.server))
    offered: dict[str, list[tuple[Served, Record]]] = {}
    without: list[LeftOut] = []
    for one in some:
        for host in one.binding.hosts:
            if reason := one.reason or one.binding.off.get(host, ""):
                without.append(LeftOut(host=host, reason=reason, served=one))
                continue
            try:
                record = _record(one, host)
            except Unnameable as error:
                without.append(LeftOut(host=host, reason=str(error), served=one))
                continue
            offered.setdefault(record.name, []).append((one, record))
    lacking = Lacking.of(without)
    listed: list[Listed] = []
    for name in sorted(offered, key=in_order):
        kept, left = _divided(offered[name], lacking)
        listed += _together(kept, lacking)
        without += left
    return Justified(
        listed=tuple(listed),
        left_out=tuple(sorted(without, key=lambda one: (in_order(one.host), one.served.gateway, one.reason))),
    )


def in_order(name: str) -> tuple[str, ...]:
    """Names in the order of DNS: by their labels from the right (RFC 4034, section 6.1)."""
    return tuple(reversed(name.rstrip(".").split(".")))


def _record(one: Served, host: str) -> Record:
    binding = one.binding
    ipv4, ipv6 = hints(binding.addresses)
    return Record(
        name=owner_name(host, binding.port),
        ttl=max(0, round(binding.ttl.total_seconds())),
        target=binding.target,
        alpn=binding.alpn,
        no_default_alpn=not binding.has_default,
        port=binding.port,
        ipv4hint=ipv4,
        ipv6hint=ipv6,
    )


def host_of(record: Record) -> str:
    """The host that a record is of."""
    name = record.name.rstrip(".")
    return name.split(".", 2)[2] if name.startswith(f"_{record.port}._https.") else name


def _divided(
    offered: list[tuple[Served, Record]], lacking: Lacking
) -> tuple[list[tuple[Served, Record]], list[LeftOut]]:
    """What stays of the records of a name, and what does not because another gateway has no HTTP/3 there."""
    host = host_of(offered[0][1])
    others = [
        other
        for other in lacking.by_host.get(host, ())
        if other.served.binding.port == offered[0][1].port
        and other.served.gateway not in {one.gateway for one, _ in offered}
    ]
    if not others:
        return offered, []
    kept = [(one, record) for one, record in offered if record.target != "."]
    why = f"{others[0].served.gateway} serves it too, without HTTP/3: {others[0].reason}"
    return kept, [
        LeftOut(host=host, reason=why, served=one) for one, record in offered if record.target == "."
    ]


def _together(offered: list[tuple[Served, Record]], lacking: Lacking) -> Iterator[Listed]:
    """The records of one name: each once, all with the shortest TTL (RFC 2181, section 5.2: they have one)."""
    if not offered:
        return
    ttls = sorted({record.ttl for _, record in offered})
    sources: dict[Record, list[Served]] = {}
    for one, record in offered:
        sources.setdefault(replace(record, ttl=ttls[0]), []).append(one)
    host = host_of(offered[0][1])
    for record in sorted(sources):
        notes = [*_unknown(sources[record], record), *_under_wildcard(host, record.port, lacking)]
        if len(ttls) > 1:
            notes.append(f"its TTL is the shortest of {', '.join(map(str, ttls))} s")
        if len(sources) > 1:
            notes.append(f"{host} has {len(sources)} records, for gateways that differ")
        yield Listed(record=record, because=tuple(sources[record]), notes=tuple(dict.fromkeys(notes)))


def _unknown(sources: Iterable[Served], record: Record) -> Iterator[str]:
    if record.ipv4hint or record.ipv6hint:
        return
    for one in sources:
        if one.binding.unknown:
            yield f"no address hints: {one.binding.unknown}"


def _under_wildcard(host: str, port: int, lacking: Lacking) -> Iterator[str]:
    """A wildcard's records answer for names below it that DNS has nothing of (RFC 4592, section 3.3)."""
    if not host.startswith(_WILDCARD):
        return
    for name in lacking.below.get(host[len(_WILDCARD) :], ()):
        if any(one.served.binding.port == port for one in lacking.by_host[name]):
            yield f"{name} is without HTTP/3: unless DNS has records of that name, this one answers for it too"


def by_name(listed: Iterable[Listed]) -> dict[str, list[Record]]:
    """The records of each name, in their order."""
    found: dict[str, list[Record]] = {}
    for one in listed:
        found.setdefault(one.record.name, []).append(one.record)
    return found
