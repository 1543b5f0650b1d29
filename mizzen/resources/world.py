"""World: every object that was read and is valid, by kind and key."""

import itertools
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from mizzen.errors import Problem, ResourceRef
from mizzen.persistent import PersistentMap
from mizzen.resources.declaring.declare import Resource
from mizzen.resources.decode import Unread
from mizzen.resources.istio.envoy_filter import EnvoyFilter
from mizzen.resources.istio.extension import TrafficExtension, WasmPlugin
from mizzen.resources.istio.gateway import Gateway
from mizzen.resources.istio.operator import IstioOperator
from mizzen.resources.istio.proxy_config import ProxyConfig
from mizzen.resources.istio.security import (
    AuthorizationPolicy,
    Closure,
    PeerAuthentication,
    RequestAuthentication,
)
from mizzen.resources.istio.service_entry import ServiceEntry
from mizzen.resources.istio.sidecar import Sidecar
from mizzen.resources.istio.telemetry import Telemetry
from mizzen.resources.istio.virtual_service import VirtualService
from mizzen.resources.istio.workload_entry import WorkloadEntry
from mizzen.resources.kinds import KINDS, is_ours
from mizzen.resources.kubernetes.core import (
    ConfigMap,
    Event,
    Namespace,
    Node,
    Pod,
    Secret,
    Service,
)
from mizzen.resources.mizzen.http3_policy import HTTP3Policy
from mizzen.resources.refusal import Refused
from mizzen.resources.withheld import ClosedGateway
from mizzen.steps import Observed

R = TypeVar("R", bound=Resource)
Key = tuple[str, str]  # (namespace, name)
Maps = Mapping[type[Resource], PersistentMap[Key, Resource]]
# (kind, key) of an object; (kind,) for all of a kind; ("refused", ref); ("refused",) for all of them; ("unread",)
Fact = tuple[Any, ...]

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_NONE: PersistentMap[Key, Any] = PersistentMap()
_BY_KIND = {(kind.group, name): kind.declaration for name, kind in KINDS.items()}
_FEW = 64  # changes of a kind, up to which its order is mended instead of being made anew
UNREAD: Fact = ("unread",)
REFUSED: Fact = ("refused",)


def age_order(resource: Resource) -> tuple[datetime, str, str]:
    """Oldest first, then by name, then by namespace: the order in which Istio lets objects win.

    Objects from files have no creation time: they count as equally old.
    """
    return (resource.meta.creation_timestamp or _EARLIEST, resource.meta.name, resource.meta.namespace)


class World:
    """Every valid object. Tuples are sorted by `age_order`, maps go by (namespace, name). Never changed."""

    __slots__ = ("_ordered", "_unread", "_unread_refs", "maps", "refused")

    def __init__(
        self,
        maps: Maps | None = None,
        unread: tuple[Unread, ...] = (),
        refused: Refused | None = None,
    ) -> None:
        """`unread`: may guard something, and have an error. `refused`: are there, and take no part for an error."""
        self.maps: Maps = {} if maps is None else maps
        self._unread = unread
        self._unread_refs: dict[ResourceRef, ResourceRef] | None = None  # made when it is asked for
        self.refused: Refused = {} if refused is None else refused
        self._ordered: dict[type[Resource], tuple[Resource, ...]] = {}

    @classmethod
    def of(
        cls,
        resources: Iterable[Resource],
        unread: Iterable[Unread] = (),
        refused: Iterable[ResourceRef] = (),
    ) -> "World":
        """The world of these resources, whatever their order. Of two with one name, the last is kept."""
        kept: dict[type[Resource], dict[Key, Resource]] = {}
        for resource in resources:
            kept.setdefault(type(resource), {})[resource.key] = resource
        return cls(
            {kind: PersistentMap(some) for kind, some in kept.items()},
            tuple(sorted(unread, key=lambda one: str(one.ref))),
            dict.fromkeys(refused, ()),
        )

    def with_changes(
        self,
        changed: Mapping[type[Resource], Mapping[Key, Resource]],
        removed: Mapping[type[Resource], Iterable[Key]],
        unread: tuple[Unread, ...],
        refused: Refused,
    ) -> "World":
        """The same with other objects in it."""
        maps = dict(self.maps)
        world = World(maps, unread, refused)
        world._ordered = dict(self._ordered)
        for kind in {*changed, *removed}:
            before = maps.get(kind, _NONE)
            maps[kind] = before.updated(changed.get(kind, {}), removed.get(kind, ()))
            if kind in world._ordered:
                mended = _mended(world._ordered.pop(kind), before, maps[kind])
                if mended is not None:
                    world._ordered[kind] = mended
        return world

    def facts_since(self, before: "World") -> Iterator[Fact]:
        """What is another fact than it was."""
        for kind in {*self.maps, *before.maps}:
            difference = self.maps.get(kind, _NONE).difference(before.maps.get(kind, _NONE))
            if difference:
                yield (kind.__name__,)
                for key in (*difference.changed, *difference.removed):
                    yield (kind.__name__, key)
        if self._unread != before._unread:
            yield UNREAD
        if self.refused != before.refused:
            yield REFUSED
            for ref in self.refused.keys() ^ before.refused.keys():
                yield ("refused", ref)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, World):
            return NotImplemented
        mine = {kind: some for kind, some in self.maps.items() if some}
        theirs = {kind: some for kind, some in other.maps.items() if some}
        return (mine, self._unread, self.refused) == (theirs, other._unread, other.refused)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"World({[*itertools.chain(*(some.values() for some in self.maps.values()))]!r})"

    # --- looking ------------------------------------------------------------------------------------

    def every(self, kind: type[R]) -> tuple[R, ...]:
        """All of a kind, sorted by age."""
        if kind not in self._ordered:
            self._ordered[kind] = tuple(sorted(self.maps.get(kind, _NONE).values(), key=age_order))
        return cast("tuple[R, ...]", self._ordered[kind])

    def all_by_key(self, kind: type[R]) -> PersistentMap[Key, R]:
        """All of a kind, by (namespace, name)."""
        return cast("PersistentMap[Key, R]", self.maps.get(kind, _NONE))

    def by_key(self, kind: type[R]) -> Mapping[Key, R]:
        """The same, to look up some."""
        return self.all_by_key(kind)

    def is_refused(self, ref: ResourceRef) -> bool:
        """Is there such an object, and takes no part for an error?"""
        return ref in self.refused

    def refused_of(self, kind: str) -> Refused:
        """All objects of a kind of ours that take no part for an error, and the hosts that they are for."""
        return {ref: hosts for ref, hosts in self.refused.items() if ref.kind == kind and is_ours(ref)}

    def located(self, problem: Problem) -> Problem:
        """The same, where its object stands now: of what has not changed, the lines may have."""
        ref = problem.resource
        now = self._written(ref)
        if now is None or now is ref or now.places is ref.places or now != ref:
            return problem
        return replace(problem, resource=now)

    def _written(self, ref: ResourceRef) -> ResourceRef | None:
        """The object of that identity as it stands now: a valid one, or one that may guard something."""
        declaration = _BY_KIND.get((ref.group, ref.kind))
        resource = self.maps.get(declaration, _NONE).get((ref.namespace, ref.name)) if declaration else None
        if resource is not None:
            written: ResourceRef = resource.ref
            return written
        if self._unread_refs is None:
            self._unread_refs = {unread.ref: unread.ref for unread in self._unread}
        return self._unread_refs.get(ref)

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What may guard something, and has an error."""
        return self._unread

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        return self.every(Gateway)

    @property
    def virtual_services(self) -> tuple[VirtualService, ...]:
        return self.every(VirtualService)

    @property
    def service_entries(self) -> tuple[ServiceEntry, ...]:
        return self.every(ServiceEntry)

    @property
    def workload_entries(self) -> tuple[WorkloadEntry, ...]:
        return self.every(WorkloadEntry)

    @property
    def sidecars(self) -> tuple[Sidecar, ...]:
        return self.every(Sidecar)

    @property
    def peer_authentications(self) -> tuple[PeerAuthentication, ...]:
        return self.every(PeerAuthentication)

    @property
    def authorization_policies(self) -> tuple[AuthorizationPolicy, ...]:
        return self.every(AuthorizationPolicy)

    @property
    def request_authentications(self) -> tuple[RequestAuthentication, ...]:
        return self.every(RequestAuthentication)

    @property
    def closures(self) -> tuple[Closure, ...]:
        """What stands for guards that cannot be read."""
        return self.every(Closure)

    @property
    def closed_gateways(self) -> tuple[ClosedGateway, ...]:
        """What stands for Gateways that have an error."""
        return self.every(ClosedGateway)

    @property
    def envoy_filters(self) -> tuple[EnvoyFilter, ...]:
        return self.every(EnvoyFilter)

    @property
    def wasm_plugins(self) -> tuple[WasmPlugin, ...]:
        return self.every(WasmPlugin)

    @property
    def traffic_extensions(self) -> tuple[TrafficExtension, ...]:
        return self.every(TrafficExtension)

    @property
    def proxy_configs(self) -> tuple[ProxyConfig, ...]:
        return self.every(ProxyConfig)

    @property
    def telemetries(self) -> tuple[Telemetry, ...]:
        return self.every(Telemetry)

    @property
    def http3_policies(self) -> tuple[HTTP3Policy, ...]:
        return self.every(HTTP3Policy)

    @property
    def services(self) -> tuple[Service, ...]:
        return self.every(Service)

    @property
    def pods(self) -> tuple[Pod, ...]:
        return self.every(Pod)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return self.every(Secret)

    @property
    def config_maps(self) -> tuple[ConfigMap, ...]:
        return self.every(ConfigMap)

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        return self.every(Namespace)

    @property
    def operators(self) -> tuple[IstioOperator, ...]:
        return self.every(IstioOperator)

    @property
    def events(self) -> tuple[Event, ...]:
        return self.every(Event)

    @property
    def gateway_by_key(self) -> Mapping[Key, Gateway]:
        return self.by_key(Gateway)

    @property
    def virtual_service_by_key(self) -> Mapping[Key, VirtualService]:
        return self.by_key(VirtualService)

    @property
    def workload_entry_by_key(self) -> Mapping[Key, WorkloadEntry]:
        return self.by_key(WorkloadEntry)

    @property
    def service_by_key(self) -> Mapping[Key, Service]:
        return self.by_key(Service)

    @property
    def pod_by_key(self) -> Mapping[Key, Pod]:
        return self.by_key(Pod)

    @property
    def secret_by_key(self) -> Mapping[Key, Secret]:
        return self.by_key(Secret)

    @property
    def config_map_by_key(self) -> Mapping[Key, ConfigMap]:
        return self.by_key(ConfigMap)

    @property
    def namespace_by_key(self) -> Mapping[Key, Namespace]:
        """Namespaces are in none."""
        return self.by_key(Namespace)

    @property
    def node_by_key(self) -> Mapping[Key, Node]:
        """Nodes are in no namespace."""
        return self.by_key(Node)


def _mended(
    ordered: tuple[Resource, ...], before: PersistentMap[Key, Resource], after: PersistentMap[Key, Resource]
) -> tuple[Resource, ...] | None:
    """The order with a few objects taken out and others put in; None where these are many."""
    difference = after.difference(before)
    if len(difference.changed) + len(difference.removed) > _FEW:
        return None
    resources = list(ordered)
    for key in (*difference.changed, *difference.removed):
        if (old := before.get(key)) is not None:
            del resources[bisect_left(resources, age_order(old), key=age_order)]
    for resource in difference.changed.values():
        insort(resources, resource, key=age_order)
    return tuple(resources)


class ObservedWorld(World):
    """A world that tells what of it is looked at."""

    __slots__ = ("_known", "_look", "_world")

    def __init__(self, world: World, look: Callable[[Hashable], None]) -> None:
        """`look` hears each fact, in the words of `World.facts_since`."""
        super().__init__(world.maps, world._unread, world.refused)
        self._world, self._look = world, look
        self._known: dict[type[Resource], Mapping[Key, Any]] = {}

    def every(self, kind: type[R]) -> tuple[R, ...]:
        self._look((kind.__name__,))
        return self._world.every(kind)

    def all_by_key(self, kind: type[R]) -> PersistentMap[Key, R]:
        self._look((kind.__name__,))
        return self._world.all_by_key(kind)

    def by_key(self, kind: type[R]) -> Mapping[Key, R]:
        if kind not in self._known:
            self._known[kind] = Observed(kind.__name__, self._world.all_by_key(kind), self._look)
        return self._known[kind]

    def is_refused(self, ref: ResourceRef) -> bool:
        self._look(("refused", ref))
        return self._world.is_refused(ref)

    def refused_of(self, kind: str) -> Refused:
        self._look(REFUSED)
        return self._world.refused_of(kind)

    @property
    def unread(self) -> tuple[Unread, ...]:
        self._look(UNREAD)
        return self._world.unread
