"""Who of the endpoints is asked first: localities, priorities and shares, as Istio computes them."""

import math
from collections.abc import Iterable, Mapping

from mizzen.lazy import dataclass
from mizzen.model.backend import Endpoint, EndpointGroup
from mizzen.resolve.context import Context, Proxy
from mizzen.resolve.services.endpoints import Instance, Locality
from mizzen.resolve.services.policies import Policy
from mizzen.resolve.services.services import MeshService
from mizzen.resources.istio.destination_rule import Distribute, Failover, LocalityLoadBalancerSetting

_NETWORK = "topology.istio.io/network"
_CLOSE = (_NETWORK, "topology.kubernetes.io/region", "topology.kubernetes.io/zone")
_SAME_NODE = (*_CLOSE, "topology.istio.io/subzone", "kubernetes.io/hostname")
_DISTRIBUTION = "networking.istio.io/traffic-distribution"
_BY_DISTRIBUTION = {"PreferClose": _CLOSE, "PreferSameZone": _CLOSE, "PreferSameNode": _SAME_NODE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """How near and far endpoints are told apart. `forced`: also without outlier detection."""

    distribute: tuple[Distribute, ...] = ()
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    forced: bool = False
    regions_only: bool = False


def preference(ctx: Context, service: MeshService, policy: Policy) -> Preference | None:
    """The setting that holds: the rule's, the service's traffic distribution, the mesh's. None: all are alike."""
    balancer = policy.load_balancer
    if balancer is not None and balancer.zone_aware_lb_setting is not None:
        zone = balancer.zone_aware_lb_setting
        if zone.enabled is False:
            return None
        return Preference(failover=zone.failover, failover_priority=zone.failover_priority, regions_only=True)
    if balancer is not None and balancer.locality_lb_setting is not None:
        return _of_setting(balancer.locality_lb_setting)
    if labels := _distribution(ctx, service):
        return Preference(failover_priority=labels, forced=True)
    mesh = ctx.mesh.locality_lb_setting
    return _of_setting(mesh) if mesh is not None else Preference()


def _of_setting(setting: LocalityLoadBalancerSetting) -> Preference | None:
    if setting.enabled is False:
        return None
    return Preference(
        distribute=setting.distribute,
        failover=setting.failover,
        failover_priority=setting.failover_priority,
    )


def _distribution(ctx: Context, service: MeshService) -> tuple[str, ...]:
    source = service.sources[0]
    namespace = ctx.world.namespace_by_key.get(("", service.namespace))
    written = (
        service.kubernetes.spec.traffic_distribution if service.kubernetes else "",
        source.meta.annotations.get(_DISTRIBUTION, ""),
        namespace.meta.annotations.get(_DISTRIBUTION, "") if namespace else "",
    )
    return _BY_DISTRIBUTION.get(next(filter(None, written), ""), ())


def weighs_localities(wanted: Preference | None, *, watched: bool) -> bool:
    """Whether the weights of localities count (Envoy's locality_weighted_lb_config)."""
    if wanted is None:
        return False
    failing_over = (watched or wanted.forced) and bool(wanted.failover or wanted.failover_priority)
    return bool(wanted.distribute) or failing_over


def groups(
    ctx: Context, instances: Iterable[Instance], wanted: Preference | None, *, watched: bool
) -> tuple[EndpointGroup, ...]:
    """Endpoints by locality and priority, sorted. `watched`: outlier detection is on, so failing over is."""
    found = tuple(instances)
    if wanted is not None and wanted.distribute:
        share = next((one for one in wanted.distribute if _covers(one.from_, _own(ctx.proxy))), None)
        if share is not None:
            return _distributed(found, share)
        return _grouped(found, {})
    if wanted is None or not (watched or wanted.forced):
        return _grouped(found, {})
    return _grouped(found, _priorities(ctx.proxy, found, wanted))


def _own(proxy: Proxy) -> Locality:
    return (proxy.region, proxy.zone, proxy.subzone)


def _grouped(instances: tuple[Instance, ...], priorities: Mapping[int, int]) -> tuple[EndpointGroup, ...]:
    """`priorities`: by position in `instances`, gaps allowed; they are closed here, as Envoy demands."""
    known = sorted(set(priorities.values()))
    by_place: dict[tuple[int, Locality], list[Instance]] = {}
    for index, one in enumerate(instances):
        priority = known.index(priorities[index]) if priorities else 0
        by_place.setdefault((priority, one.locality), []).append(one)
    return tuple(
        _group(locality, priority, members) for (priority, locality), members in sorted(by_place.items())
    )


def _group(
    locality: Locality, priority: int, members: list[Instance], weight: int | None = None
) -> EndpointGroup:
    return EndpointGroup(
        region=locality[0],
        zone=locality[1],
        subzone=locality[2],
        priority=priority,
        weight=weight,
        endpoints=tuple(
            Endpoint(
                address=one.address,
                port=one.port,
                health=one.health,
                weight=one.weight,
                mesh=one.mesh,
                also=one.also,
            )
            for one in members
        ),
    )


# --- shares -----------------------------------------------------------------------------------------


def _distributed(instances: tuple[Instance, ...], share: Distribute) -> tuple[EndpointGroup, ...]:
    """Each pattern's localities share its percentage by their own weights; those of no pattern get nothing."""
    members: dict[Locality, list[Instance]] = {}
    for one in instances:
        members.setdefault(one.locality, []).append(one)
    weights: dict[Locality, int] = {}
    for pattern, percent in sorted(share.to.items()):
        matching = {
            place: sum(one.weight for one in members[place]) for place in members if _covers(pattern, place)
        }
        total = sum(matching.values())
        for place, weight in matching.items():
            weights.setdefault(place, math.ceil(weight * percent / total))
    return tuple(
        _group(place, 0, members[place] if place in weights else [], weights.get(place, 0))
        for place in sorted(members)
    )


def _covers(pattern: str, place: Locality) -> bool:
    """ "*", "region/*", "region/zone/*" or a whole locality."""
    parts = pattern.split("/")
    for index, part in enumerate(parts):
        if part == "*":
            return True
        if index >= len(place) or place[index] != part:
            return False
    return True


# --- priorities -------------------------------------------------------------------------------------


def _priorities(proxy: Proxy, instances: tuple[Instance, ...], wanted: Preference) -> dict[int, int]:
    def of(one: Instance) -> int:
        far = _distance(proxy, one, wanted)
        if not wanted.failover_priority:
            return far
        near = _label_priority(proxy, one, wanted.failover_priority)
        return near * 5 + far if wanted.failover else near

    return {index: of(one) for index, one in enumerate(instances)}


def _distance(proxy: Proxy, one: Instance, wanted: Preference) -> int:
    """0: here; 1: the same zone; 2: the same region; 3: the region to fail over to, or any; 4: the others."""
    region, zone, subzone = one.locality
    if region == proxy.region:
        if wanted.regions_only:
            return 0
        if zone != proxy.zone:
            return 2
        return 0 if subzone == proxy.subzone else 1
    target = next((each.to for each in wanted.failover if each.from_ == proxy.region), None)
    if target is None:
        return 3
    return 3 if region == target else 4


def _label_priority(proxy: Proxy, one: Instance, labels: tuple[str, ...]) -> int:
    """How many labels, in their order, it does not share with the proxy; "label=value" asks for the value."""
    own = _proxy_labels(proxy)
    for index, label in enumerate(labels):
        name, has_value, value = label.partition("=")
        expected = value if has_value else own.get(name, "")
        if one.labels.get(name, "") != expected:
            rest = len(labels) - index
            # Endpoints of another network come after everything else.
            return rest + len(labels) if name == _NETWORK and index == 0 else rest
    return 0


def _proxy_labels(proxy: Proxy) -> Mapping[str, str]:
    topology = {
        "topology.kubernetes.io/region": proxy.region,
        "topology.kubernetes.io/zone": proxy.zone,
        "topology.istio.io/subzone": proxy.subzone,
        "kubernetes.io/hostname": proxy.node_name,
    }
    return {**proxy.labels, **topology}
