"""World: every object that was read and is valid, sorted and indexed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.resources.apps import Deployment
from mizzen.resources.closing import Closed, closed, is_guard, whole
from mizzen.resources.core import (
    ConfigMap,
    EndpointSlice,
    Event,
    Namespace,
    Node,
    Pod,
    Secret,
    Service,
    ServiceAccount,
)
from mizzen.resources.declare import Resource
from mizzen.resources.decode import Decoded, Unread, decode, identify
from mizzen.resources.destination_rule import DestinationRule
from mizzen.resources.envoy_filter import EnvoyFilter
from mizzen.resources.extension import TrafficExtension, WasmPlugin
from mizzen.resources.gateway import Gateway
from mizzen.resources.kinds import KINDS, is_ours
from mizzen.resources.operator import IstioOperator
from mizzen.resources.security import (
    AuthorizationPolicy,
    Closure,
    PeerAuthentication,
    RequestAuthentication,
)
from mizzen.resources.service_entry import ServiceEntry
from mizzen.resources.sidecar import Sidecar
from mizzen.resources.virtual_service import VirtualService
from mizzen.resources.withheld import ClosedGateway, ClosedRule, withheld, withheld_text
from mizzen.resources.workload_entry import WorkloadEntry
from mizzen.resources.yaml import RawObject

Decode = Callable[[RawObject], Decoded]

R = TypeVar("R", bound=Resource)
Key = tuple[str, str]  # (namespace, name)

_EARLIEST = datetime.min.replace(tzinfo=UTC)


def age_order(resource: Resource) -> tuple[datetime, str, str]:
    """Oldest first, then by name, then by namespace: the order in which Istio lets objects win.

    Objects from files have no creation time: they count as equally old.
    """
    return (resource.meta.creation_timestamp or _EARLIEST, resource.meta.name, resource.meta.namespace)


def _index(resources: tuple[R, ...]) -> Mapping[Key, R]:
    return MappingProxyType({(r.meta.namespace, r.meta.name): r for r in resources})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Every valid object, each kind sorted by `age_order`. Indexes go by (namespace, name)."""

    gateways: tuple[Gateway, ...] = ()
    virtual_services: tuple[VirtualService, ...] = ()
    destination_rules: tuple[DestinationRule, ...] = ()
    service_entries: tuple[ServiceEntry, ...] = ()
    workload_entries: tuple[WorkloadEntry, ...] = ()
    sidecars: tuple[Sidecar, ...] = ()
    peer_authentications: tuple[PeerAuthentication, ...] = ()
    authorization_policies: tuple[AuthorizationPolicy, ...] = ()
    request_authentications: tuple[RequestAuthentication, ...] = ()
    closures: tuple[Closure, ...] = ()  # what stands for guards that cannot be read
    closed_rules: tuple[ClosedRule, ...] = ()  # and for DestinationRules that may ask for TLS
    closed_gateways: tuple[ClosedGateway, ...] = ()  # and for Gateways
    envoy_filters: tuple[EnvoyFilter, ...] = ()
    wasm_plugins: tuple[WasmPlugin, ...] = ()
    traffic_extensions: tuple[TrafficExtension, ...] = ()
    unread: tuple[Unread, ...] = ()  # may guard something, and have an error
    refused: frozenset[ResourceRef] = frozenset()  # are there, and take no part because of an error
    services: tuple[Service, ...] = ()
    endpoint_slices: tuple[EndpointSlice, ...] = ()
    pods: tuple[Pod, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    secrets: tuple[Secret, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    nodes: tuple[Node, ...] = ()
    service_accounts: tuple[ServiceAccount, ...] = ()
    operators: tuple[IstioOperator, ...] = ()
    events: tuple[Event, ...] = ()

    gateway_by_key: Mapping[Key, Gateway] = field(init=False, repr=False, compare=False)
    workload_entry_by_key: Mapping[Key, WorkloadEntry] = field(init=False, repr=False, compare=False)
    virtual_service_by_key: Mapping[Key, VirtualService] = field(init=False, repr=False, compare=False)
    service_by_key: Mapping[Key, Service] = field(init=False, repr=False, compare=False)
    pod_by_key: Mapping[Key, Pod] = field(init=False, repr=False, compare=False)
    secret_by_key: Mapping[Key, Secret] = field(init=False, repr=False, compare=False)
    config_map_by_key: Mapping[Key, ConfigMap] = field(init=False, repr=False, compare=False)
    namespace_by_name: Mapping[str, Namespace] = field(init=False, repr=False, compare=False)
    node_by_name: Mapping[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_once = object.__setattr__  # a frozen dataclass has no other way to fill a derived field
        set_once(self, "gateway_by_key", _index(self.gateways))
        set_once(self, "virtual_service_by_key", _index(self.virtual_services))
        set_once(self, "workload_entry_by_key", _index(self.workload_entries))
        set_once(self, "service_by_key", _index(self.services))
        set_once(self, "pod_by_key", _index(self.pods))
        set_once(self, "secret_by_key", _index(self.secrets))
        set_once(self, "config_map_by_key", _index(self.config_maps))
        set_once(self, "namespace_by_name", MappingProxyType({n.name: n for n in self.namespaces}))
        set_once(self, "node_by_name", MappingProxyType({n.name: n for n in self.nodes}))

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

        def every(kind: type[R]) -> tuple[R, ...]:
            found = [r for r in kept.get(kind, {}).values() if isinstance(r, kind)]
            return tuple(sorted(found, key=age_order))

        return cls(
            gateways=every(Gateway),
            virtual_services=every(VirtualService),
            destination_rules=every(DestinationRule),
            service_entries=every(ServiceEntry),
            workload_entries=every(WorkloadEntry),
            sidecars=every(Sidecar),
            peer_authentications=every(PeerAuthentication),
            authorization_policies=every(AuthorizationPolicy),
            request_authentications=every(RequestAuthentication),
            closures=every(Closure),
            closed_rules=every(ClosedRule),
            closed_gateways=every(ClosedGateway),
            envoy_filters=every(EnvoyFilter),
            wasm_plugins=every(WasmPlugin),
            traffic_extensions=every(TrafficExtension),
            unread=tuple(sorted(unread, key=lambda one: str(one.ref))),
            refused=frozenset(refused),
            services=every(Service),
            endpoint_slices=every(EndpointSlice),
            pods=every(Pod),
            deployments=every(Deployment),
            secrets=every(Secret),
            config_maps=every(ConfigMap),
            namespaces=every(Namespace),
            nodes=every(Node),
            service_accounts=every(ServiceAccount),
            operators=every(IstioOperator),
            events=every(Event),
        )


def decode_all(
    raws: Iterable[RawObject],
    *,
    default_namespace: str = "default",
    remember: Decode | None = None,
    broken: Iterable[Problem] = (),
) -> tuple[World, tuple[Problem, ...]]:
    """The world of some objects, and everything that is wrong with them. Raises nothing.

    Of several objects of one group, kind, namespace and name, the later valid one is kept: later by the name of
    the file, then by the place in it, so that the order of `raws` does not matter. `remember` decodes one
    object in the place of `decode`: a caller can keep what it gave for the same digest. `broken`: problems of documents
    that gave no object, some of which tell its name. A guard that has an error closes (resources.closing; `World.unread`
    for kinds that are not honoured), and so does a rule or Gateway whose absence would open something
    (resources.withheld), unless there is a good object of its name.
    """
    how = remember or (lambda raw: decode(raw, default_namespace))
    problems: list[Problem] = []
    earlier: dict[ResourceRef, ResourceRef] = {}
    kept: dict[ResourceRef, Resource] = {}
    broken = tuple(broken)
    closing: dict[ResourceRef, Closed] = {}
    unread = {one.ref: one for one in map(partial(_guard_of, default_namespace), broken) if one is not None}
    for raw in sorted(raws, key=lambda raw: (raw.ref.place(), raw.digest)):
        decoded = how(raw)
        ref = identify(raw, default_namespace)
        problems += decoded.problems
        if ref in earlier and ref.name:
            problems.append(_doubled(ref, earlier[ref], taken=decoded.resource is not None))
        earlier[ref] = ref
        if decoded.resource is not None:
            kept[ref] = decoded.resource
        elif instead := (
            closed(raw, decoded.problems, default_namespace)
            or withheld(raw, decoded.problems, default_namespace)
        ):
            closing[instead.resource.ref] = instead
        elif decoded.unread is not None and not is_guard(ref):
            unread[ref] = decoded.unread
    closing = {**_closed_unread(broken, default_namespace), **closing}
    # One that was kept holds in the place of a later one that cannot be read, as at an API server.
    standing = [instead for ref, instead in closing.items() if ref not in kept]
    problems += [instead.problem for instead in standing if instead.problem is not None]
    world = World.of(
        (*kept.values(), *(instead.resource for instead in standing)),
        [one for ref, one in unread.items() if ref not in kept],
        earlier.keys() - kept.keys(),
    )
    return world, tuple(problems)


def _closed_unread(problems: Iterable[Problem], default_namespace: str) -> dict[ResourceRef, Closed]:
    """What stands for guards, rules and Gateways whose documents cannot be read."""
    found: dict[ResourceRef, Closed] = {}
    for problem in problems:
        ref = problem.resource
        if problem.code.startswith("YML-") and problem.severity is Severity.ERROR and is_guard(ref):
            ref = replace(ref, namespace=ref.namespace or default_namespace)
            found[ref] = whole(ref, field=problem.field)
        elif instead := withheld_text(problem, default_namespace):
            found[instead.resource.ref] = instead
    return found


def _guard_of(default_namespace: str, problem: Problem) -> Unread | None:
    """A document that cannot be read and that its lines tell to be of a kind that may guard."""
    ref = problem.resource
    if problem.severity is not Severity.ERROR or not is_ours(ref) or not KINDS[ref.kind].may_guard:
        return None
    return Unread(ref=replace(ref, namespace=ref.namespace or default_namespace))


def _doubled(later: ResourceRef, earlier: ResourceRef, *, taken: bool) -> Problem:
    became = "takes the place of" if taken else "would take the place of"
    return Problem(
        severity=Severity.WARNING,
        code="META-002",
        resource=later,
        field="metadata.name",
        message=f"this object {became} the one at {earlier.place()}, which has the same name",
        hint="Rename one of the two, or remove it.",
    )
