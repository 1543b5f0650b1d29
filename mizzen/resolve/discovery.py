"""Which namespaces count: `discoverySelectors` of the mesh.

Istio reads nothing of a namespace that no selector fits (pkg/kube/namespace: DiscoveryNamespacesFilter). Here what could
reach beyond its namespace is left out: services and their endpoints, and what routes to them. What only a proxy of the same
namespace goes by stays, above all its guards: a proxy there would be open without them.
"""

from collections.abc import Mapping
from functools import partial

from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap
from mizzen.resolve.context import Context
from mizzen.resolve.selecting import fits
from mizzen.resources.declaring.declare import Resource
from mizzen.resources.istio.destination_rule import DestinationRule
from mizzen.resources.istio.gateway import Gateway
from mizzen.resources.istio.mesh import NamespaceRequirement, NamespaceSelector
from mizzen.resources.istio.service_entry import ServiceEntry
from mizzen.resources.istio.virtual_service import VirtualService
from mizzen.resources.kubernetes.core import Endpoints, EndpointSlice, Namespace, Service
from mizzen.resources.kubernetes.ingress import Ingress
from mizzen.resources.refusal import Refused
from mizzen.resources.withheld import ClosedGateway, ClosedRule
from mizzen.resources.world import Key, World

Selectors = tuple[NamespaceSelector, ...]

_LEFT_OUT = frozenset(
    (
        *(Service, Endpoints, EndpointSlice, ServiceEntry, Ingress),
        *(Gateway, VirtualService, DestinationRule, ClosedGateway, ClosedRule),
    )
)
_NAMES = frozenset(kind.__name__ for kind in _LEFT_OUT)
_NAME = "kubernetes.io/metadata.name"  # a label that an API server gives every namespace
_NONE: PersistentMap[Key, Resource] = PersistentMap()


@dataclass(frozen=True, slots=True)
class Discovered:
    """What is left of a world."""

    world: World  # all that was read
    selectors: Selectors
    made: World


def discovered(world: World, selectors: Selectors, before: Discovered | None = None) -> Discovered:
    """The world without what is of namespaces that do not count; by difference to `before`."""
    if not selectors:
        return Discovered(world, selectors, world)
    counts = partial(_counts, world, selectors, {})
    if (
        before is None
        or before.selectors != selectors
        or _of(world, Namespace) != _of(before.world, Namespace)
    ):
        maps = {
            kind: PersistentMap({key: one for key, one in some.items() if counts(kind, key[0])})
            if kind in _LEFT_OUT
            else some
            for kind, some in world.maps.items()
        }
        return Discovered(world, selectors, World(maps, world.unread, _refused(world, selectors)))
    changed: dict[type[Resource], Mapping[Key, Resource]] = {}
    removed: dict[type[Resource], list[Key]] = {}
    for kind in {*world.maps, *before.world.maps}:
        difference = _of(world, kind).difference(_of(before.world, kind))
        if difference:
            held = _of(before.made, kind)
            changed[kind] = {key: one for key, one in difference.changed.items() if counts(kind, key[0])}
            removed[kind] = [key for key in difference.removed if key in held]
    made = before.made.with_changes(changed, removed, world.unread, _refused(world, selectors))
    return Discovered(world, selectors, made)


def is_discovered(world: World, selectors: Selectors, namespace: str) -> bool:
    """Does a namespace count? One without an object (in files) has its name for a label."""
    if not selectors or not namespace:
        return True
    known = world.namespace_by_key.get(("", namespace))
    labels = {_NAME: namespace, **(known.meta.labels if known else {})}
    return any(_fits(one, labels) for one in selectors)


def why_not_discovered(ctx: Context, namespace: str) -> str:
    """A sentence for whoever misses something of a namespace that does not count; "" where it counts."""
    if is_discovered(ctx.world, ctx.mesh.discovery_selectors, namespace):
        return ""
    return f"The namespace {namespace} does not count: no selector of meshConfig.discoverySelectors fits its labels."


def _of(world: World, kind: type[Resource]) -> PersistentMap[Key, Resource]:
    return world.maps.get(kind, _NONE)


def _counts(
    world: World, selectors: Selectors, known: dict[str, bool], kind: type[Resource], namespace: str
) -> bool:
    if kind not in _LEFT_OUT:
        return True
    if namespace not in known:
        known[namespace] = is_discovered(world, selectors, namespace)
    return known[namespace]


def _refused(world: World, selectors: Selectors) -> Refused:
    return {
        ref: hosts
        for ref, hosts in world.refused.items()
        if ref.kind not in _NAMES or is_discovered(world, selectors, ref.namespace)
    }


def _fits(selector: NamespaceSelector, labels: Mapping[str, str]) -> bool:
    """As Kubernetes judges a LabelSelector: an empty one fits everything."""
    return fits(selector.match_labels, labels) and all(
        _holds(one, labels) for one in selector.match_expressions
    )


def _holds(requirement: NamespaceRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
