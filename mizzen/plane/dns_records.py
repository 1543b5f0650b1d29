"""Which HTTPS records shall be kept where, as the served gateways and their announcements are. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field

from mizzen.dns.compared import names as names_of
from mizzen.dns.justified import Justified, Listed, Served, by_name, justified
from mizzen.dns.record import Record
from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.dns import Keeper
from mizzen.plane.effects import ServerKey
from mizzen.plane.served_gateway import Gateway

WITHHELD = "HTTP/3 is not announced"
# May DNS name a server now? None: nobody knows, and what is there stays.
Lists = Callable[[ServerKey], bool | None]


@dataclass(frozen=True, slots=True, order=True)
class ZoneKey:
    """A zone at its primary, in whose name it is written to, and by which key: nobody writes by another's."""

    server: str
    port: int
    zone: str
    owner: str
    secret: str = ""  # "NAMESPACE/NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptZone:
    """What shall be in a zone."""

    keeper: Keeper
    records: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)  # by their name
    unknown: frozenset[str] = frozenset()  # names of which nobody knows: they stay as they are
    absent: frozenset[str] = (
        frozenset()
    )  # names that are not justified now, whatever an earlier process wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that shall be kept."""

    zones: Mapping[ZoneKey, KeptZone] = field(default_factory=dict)
    # What external-dns is told, by the policy that says so.
    objects: Mapping[ResourceRef, tuple[Listed, ...]] = field(default_factory=dict)


def kept(gateways: Iterable[Gateway], lists: Lists) -> Kept:
    """All of it. Gateways that are kept in one zone are judged together, apart from all others."""
    groups: dict[ZoneKey | ResourceRef, list[tuple[Keeper, Served, bool | None]]] = {}
    for keeper, served, listed in _kept_servers(gateways, lists):
        groups.setdefault(key_of(keeper) or keeper.policy, []).append((keeper, served, listed))
    zones: dict[ZoneKey, KeptZone] = {}
    objects: dict[ResourceRef, tuple[Listed, ...]] = {}
    for key, some in groups.items():
        if isinstance(key, ZoneKey):
            zones[key] = _zone(some)
        else:
            objects[key] = _justified(some).listed
    return Kept(zones=zones, objects=objects)


def key_of(keeper: Keeper) -> ZoneKey | None:
    """Where a keeper writes; None: into objects."""
    if keeper.is_external_dns:
        return None
    return ZoneKey(keeper.server, keeper.port, keeper.zone, keeper.owner, keeper.secret)


def keeps_any(gateway: Gateway) -> bool:
    """Are records kept of a server of this gateway?"""
    targets = gateway.translated.targets.values()
    return any(one.announcement.listed_for is not None for one in targets)


def _kept_servers(gateways: Iterable[Gateway], lists: Lists) -> Iterator[tuple[Keeper, Served, bool | None]]:
    for gateway in gateways:
        called = gateway.translated.called
        for name, target in gateway.translated.targets.items():
            binding = target.announcement.binding
            if binding is None or binding.keeper is None:
                continue
            has_mirror = target.announcement.port is not None
            listed = lists((called, name)) if has_mirror else False
            served = Served(
                gateway=called,
                server=name,
                binding=binding,
                reason=WITHHELD if listed is False else "",
                resource=str(target.announcement.origin),
            )
            yield binding.keeper, served, listed


def _justified(some: Iterable[tuple[Keeper, Served, bool | None]]) -> Justified:
    return justified(served for _, served, _ in some)


def _zone(some: list[tuple[Keeper, Served, bool | None]]) -> KeptZone:
    keeper = some[0][0]
    found = _justified(some).within(keeper.zone)
    unknown = {id(served) for _, served, listed in some if listed is None}
    names = {one.record.name for one in found.listed if any(id(served) in unknown for served in one.because)}
    records = {name: tuple(records) for name, records in by_name(found.listed).items()}
    absent = frozenset(names_of(found)).difference(records)
    return KeptZone(keeper=keeper, records=records, unknown=frozenset(names), absent=absent)
