"""Services, their policies and their endpoints -> Backends: one for each port and subset."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.backend import Backend, Discovery, Health, Http3, Protocol
from mizzen.model.backend import Service as ServiceOf
from mizzen.model.tls import ClientTls
from mizzen.persistent import PersistentMap
from mizzen.resolve.budget import BACKEND_COST, MOST_ENDPOINTS, Budget
from mizzen.resolve.context import Context, flattened, grouped, step
from mizzen.resolve.names import DOMAIN, backend_name, host_of, sni_name
from mizzen.resolve.services import traffic_policy
from mizzen.resolve.services.client_tls import Spoken, client_tls, mesh_tls, takes_mesh_tls
from mizzen.resolve.services.endpoints import (
    EndpointIndex,
    Instance,
    are_labels_known,
    endpoint_index,
    with_labels,
)
from mizzen.resolve.services.locality import Preference, groups, preference, weighs_localities
from mizzen.resolve.services.peer_modes import peer_mode
from mizzen.resolve.services.policies import MergedRule, Policy, PolicyIndex
from mizzen.resolve.services.services import MeshPort, MeshService, ServiceHost, ServiceIndex
from mizzen.resolve.services.upstream_http3 import Carried, with_http3
from mizzen.resolve.services.upstream_protocol import protocol
from mizzen.resources.istio.destination_rule import Subset

CODES = {
    "BE-004": "Requests are routed to a service that has no endpoints.",
    "BE-005": "A subset takes in no endpoint; requests that are routed to it get 503.",
    "BE-006": "A service or a DestinationRule becomes too many backends and endpoints; requests to the rest get 503.",
}

_STRATEGY = "istio.io/connect-strategy"
_RACE = "RACE_FIRST_TCP_CONNECT"
_WILDCARD_PROTOCOLS = frozenset({"HTTP", "HTTP2", "GRPC", "TLS"})
# Inside the mesh's TLS, what is not HTTP says so.
_NOT_HTTP = frozenset({"TCP", "TLS", "HTTPS", "MONGO", "REDIS", "MYSQL"})
_BY_NAME = frozenset({Discovery.DNS, Discovery.DNS_ONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """One backend to make: a port of a service, whole or a subset of it."""

    service: MeshService
    port: MeshPort
    rule: MergedRule | None
    subset: Subset | None

    @property
    def name(self) -> str:
        return backend_name(self.port.number, self.subset.name if self.subset else "", self.service.host)

    @property
    def sni(self) -> str:
        """What clients of the mesh ask for who mean it."""
        return sni_name(self.port.number, self.subset.name if self.subset else "", self.service.host)


def backends(
    ctx: Context,
    services: ServiceIndex,
    wanted: PersistentMap[str, Any],
    passed_on: PersistentMap[str, Any],
) -> PersistentMap[str, Backend]:
    """A backend for every port and subset of every service, by name, whether or not it is `wanted` by a route.

    `passed_on`: by name, to which connections go whose bytes nobody looks into; they are wanted as well.
    With PILOT_FILTER_GATEWAY_CLUSTER_CONFIG, only those of hosts that somebody routes to. What is wanted and
    has no endpoints is reported. To be called by the root of a resolution.
    """
    views, published = ctx.steps.views, ctx.steps.published
    wanted = wanted.updated({name: True for name in passed_on if name not in wanted})
    views["wanted"] = published("wanted backends", wanted)
    views["passed on"] = published("passed on", passed_on)
    if ctx.switches.filter_gateway_clusters:
        views["wanted hosts"] = published("wanted hosts", grouped(ctx, _host_of, wanted))
    views["endpoints"] = endpoint_index(ctx)
    return flattened(ctx, _of_service, services.by_host)


def _host_of(_: Context, name: str, __: object) -> Mapping[str, bool]:
    return {host_of(name): True}


def _of_service(ctx: Context, host: str, who: ServiceHost) -> Mapping[str, Backend]:
    service = who.service
    if service.alias_of or (
        ctx.switches.filter_gateway_clusters and host not in ctx.steps.views["wanted hosts"]
    ):
        return {}
    make = partial(_made, ctx, service)
    found: tuple[Backend, ...] = attempt(Stage.RESOLVE, service.ref, make, ctx.report, ())
    return {backend.name: backend for backend in found}


def _made(ctx: Context, service: MeshService) -> tuple[Backend, ...]:
    """Those that raise, or are too many, are left out: requests to them fail with 503, as to any backend that is not
    there."""
    policies: PolicyIndex = ctx.steps.views["policies"]
    endpoints: EndpointIndex = ctx.steps.views["endpoints"]
    wanted: Mapping[str, object] = ctx.steps.views["wanted"]
    rule = policies.rule(service.host, service.namespace)
    if rule is not None and rule.is_failing:
        return ()
    budget = Budget(MOST_ENDPOINTS)
    found = []
    for port in service.ports:
        if port.protocol == "UDP" or not budget.allows(service.ref):
            continue
        instances = endpoints.instances(service, port)
        for one in _of_port(service, port, rule):
            if beyond := _beyond(ctx, budget, one, BACKEND_COST + len(instances)):
                ctx.report(beyond)
                break
            policy = policies.policy(rule, port.number, one.subset.name if one.subset else "")
            make = partial(
                _backend, ctx, one, policy, instances, used=one.name in wanted or one.sni in wanted
            )
            backend = attempt(Stage.RESOLVE, _blamed(one), make, ctx.report, None)
            found.append(backend)
            if backend is not None and one.sni in wanted:
                found.append(_passing_on(backend, one.sni))
    return tuple(backend for backend in found if backend is not None)


def _passing_on(backend: Backend, name: str) -> Backend:
    """The same for connections whose TLS ends behind it, under the SNI that they come with."""
    plain = replace(
        backend, protocol=Protocol.UNKNOWN, tls=None, mesh_tls=None, http3=Http3.NONE, http3_known=()
    )
    return replace(plain, name=name, stat_name="")


def _beyond(ctx: Context, budget: Budget, wanted: _Wanted, amount: int) -> Problem | None:
    """The service, or for subsets the DestinationRule, that would become too much with one more backend."""
    blamed = _blamed(wanted) if wanted.subset else wanted.service.ref
    refs = dict.fromkeys((wanted.service.ref, blamed))
    over = next((ref for ref in refs if not budget.allows(ref, amount)), None)
    if over is None and _is_shared(wanted) and wanted.service.host in _hosts_beyond(ctx, blamed):
        over = blamed
    if over is None:
        return None
    return Problem(
        code="BE-006",
        resource=over,
        field="spec",
        message="this becomes too many backends and endpoints: requests to the rest get 503",
        hint=f"Each host with each port and each subset counts as {BACKEND_COST}, and each of its endpoints as "
        f"1; at most {MOST_ENDPOINTS} are made. Write fewer of one.",
    )


def _is_shared(wanted: _Wanted) -> bool:
    """Is it of a subset that a DestinationRule gives to several services?"""
    return wanted.subset is not None and wanted.rule is not None and wanted.rule.host.startswith("*")


@step
def _hosts_beyond(ctx: Context, ref: ResourceRef) -> frozenset[str]:
    """The hosts whose subsets of a DestinationRule are too many, counted over all services in the order of their
    hosts."""
    services: ServiceIndex = ctx.steps.views["services"]
    policies: PolicyIndex = ctx.steps.views["policies"]
    endpoints: EndpointIndex = ctx.steps.views["endpoints"]
    spent, found = 0, []
    for service in services.all:
        rule = policies.rule(service.host, service.namespace)
        for port in service.ports if rule is not None else ():
            some = [one for one in _of_port(service, port, rule) if one.subset and _blamed(one) == ref]
            if some and port.protocol != "UDP":
                spent += len(some) * (BACKEND_COST + len(endpoints.instances(service, port)))
        if spent > MOST_ENDPOINTS:
            found.append(service.host)
    return frozenset(found)


def _blamed(wanted: _Wanted) -> ResourceRef:
    """Whose fault it most likely is when a backend cannot be made: a DestinationRule says most of it."""
    rule = wanted.rule
    if rule is None:
        return wanted.service.ref
    return rule.subset_refs.get(wanted.subset.name, rule.ref) if wanted.subset else rule.policy_ref


def _of_port(service: MeshService, port: MeshPort, rule: MergedRule | None) -> Iterator[_Wanted]:
    yield _Wanted(service=service, port=port, rule=rule, subset=None)
    if rule is not None and not service.is_dynamic:
        for subset in rule.subsets:
            yield _Wanted(service=service, port=port, rule=rule, subset=subset)


def _backend(
    ctx: Context, wanted: _Wanted, policy: Policy, everything: tuple[Instance, ...], *, used: bool
) -> Backend | None:
    """None for one that is found by name and has no name, and for ports that a wildcard cannot have."""
    service, port, subset = wanted.service, wanted.port, wanted.subset
    discovery, families = _discovery(ctx, service, policy)
    if discovery is Discovery.DNS_WILDCARD and port.protocol not in _WILDCARD_PROTOCOLS:
        return None
    instances = with_labels(everything, subset.labels) if subset else everything
    near = preference(ctx, service, policy)
    instances = _that_count(ctx, policy, near, instances)
    told = used or _is_told_unused(wanted, everything)
    if told and not instances and discovery in {Discovery.ENDPOINTS, *_BY_NAME}:
        _report_empty(ctx, wanted, everything)
    if discovery in _BY_NAME and not instances:
        return None
    if policy.tls is None and takes_mesh_tls(ctx, service):
        instances = _marked(ctx, service, instances)
    watched = policy.outlier_detection is not None
    place = discovery is Discovery.ENDPOINTS or discovery in _BY_NAME
    spoken, tls, mutual = _connection(ctx, wanted, policy, instances, is_known=place)
    forced = near is not None and near.forced
    weighed = weighs_localities(near, watched=watched)
    made = Backend(
        name=wanted.name,
        discovery=discovery,
        service=_service_of(wanted),
        groups=groups(ctx, instances, near, watched=watched) if place else (),
        protocol=spoken,
        stat_name=_stat_name(ctx, wanted),
        balancing=traffic_policy.balancing(policy, weigh_localities=weighed, panic=not forced),
        limits=traffic_policy.limits(policy),
        pool=traffic_policy.pool(ctx, policy),
        outliers=traffic_policy.outliers(policy),
        tls=tls,
        mesh_tls=mutual,
        proxy_protocol=policy.proxy_protocol.version if policy.proxy_protocol else "",
        dns_refresh=ctx.mesh.dns_refresh_rate,
        dns_families=families,
        origin=service.ref,
        policy_origin=wanted.rule.ref if wanted.rule else None,
    )
    bytes_too = wanted.name in ctx.steps.views["passed on"]
    carried = Carried(host=service.host, port_protocol=port.protocol, bytes_too=bytes_too)
    return with_http3(ctx, made, wanted.rule, carried)


def _connection(
    ctx: Context, wanted: _Wanted, policy: Policy, instances: tuple[Instance, ...], *, is_known: bool
) -> tuple[Protocol, ClientTls | None, ClientTls | None]:
    """What is spoken, the TLS to all endpoints, and that to those of the mesh alone. `is_known`: there are no other
    endpoints than `instances`."""
    service, port = wanted.service, wanted.port
    bytes_too = wanted.name in ctx.steps.views["passed on"]
    spoken = protocol(ctx, port, policy, instances if is_known else (), bytes_too=bytes_too)
    inside = Spoken(
        protocol=None if port.protocol in _NOT_HTTP else spoken,
        sni=wanted.sni,
    )
    tls = client_tls(ctx, service, policy, instances, inside)
    mutual = mesh_tls(ctx, service, policy, instances, inside)
    if spoken is Protocol.NEGOTIATED and tls is None:
        return spoken, mutual, None  # all of them speak it
    return spoken, tls, mutual


def _marked(ctx: Context, service: MeshService, instances: tuple[Instance, ...]) -> tuple[Instance, ...]:
    """Those that speak the mesh's mutual TLS, and do not refuse it, are marked."""
    return tuple(
        replace(one, mesh=True)
        if one.is_labelled_mesh and peer_mode(ctx, service.namespace, one.labels, one.port) != "DISABLE"
        else one
        for one in instances
    )


def _discovery(ctx: Context, service: MeshService, policy: Policy) -> tuple[Discovery, str]:
    """How endpoints are found, and which addresses a name is resolved to."""
    families = "v6" if ctx.proxy.ipv6_only else "v4"
    families = "all" if ctx.is_dual_stack else families
    simple = policy.load_balancer.simple if policy.load_balancer else None
    entry = service.entries[0] if service.entries else None
    resolution = entry.spec.resolution if entry else "STATIC"
    if resolution == "DYNAMIC_DNS":
        return Discovery.DNS_WILDCARD, families
    if simple == "PASSTHROUGH":
        return Discovery.CONNECTION, families
    if entry is not None and resolution == "DNS":
        if entry.meta.annotations.get(_STRATEGY) == _RACE:
            return Discovery.DNS_ONE, "all"
        return Discovery.DNS, families
    return (Discovery.DNS_ONE if resolution == "DNS_ROUND_ROBIN" else Discovery.ENDPOINTS), families


def _that_count(
    ctx: Context, policy: Policy, near: Preference | None, instances: tuple[Instance, ...]
) -> tuple[Instance, ...]:
    """Endpoints that are not ready are sent as such, except where a rule wants panic to choose among the rest."""
    outliers = policy.outlier_detection
    panics = bool(outliers and outliers.min_health_percent) and not (near and near.forced)
    if ctx.switches.send_unhealthy_endpoints and not panics:
        return instances
    return tuple(one for one in instances if one.health is not Health.UNHEALTHY)


def _service_of(wanted: _Wanted) -> ServiceOf:
    service, rule = wanted.service, wanted.rule
    path = "/apis/networking.istio.io/v1/namespaces/{}/destination-rule/{}"
    return ServiceOf(
        host=service.host,
        name=service.name,
        namespace=service.namespace,
        external=service.external and wanted.subset is None,
        subset=wanted.subset.name if wanted.subset else "",
        policy=path.format(rule.ref.namespace, rule.ref.name) if rule else "",
    )


def _stat_name(ctx: Context, wanted: _Wanted) -> str:
    """meshConfig.outboundClusterStatName with its variables filled in; "" leaves Istio's default."""
    pattern = ctx.mesh.outbound_cluster_stat_name
    if not pattern:
        return ""
    service, port = wanted.service, wanted.port
    short = f"{service.name}.{service.namespace}" if service.host.endswith(f".svc.{DOMAIN}") else service.host
    values = {
        "%SERVICE%": short,
        "%SERVICE_NAME%": service.name,
        "%SERVICE_FQDN%": service.host,
        "%SERVICE_PORT%": str(port.number),
        "%TARGET_PORT%": str(port.target_port or port.number),
        "%SERVICE_PORT_NAME%": port.name,
        "%SUBSET_NAME%": wanted.subset.name if wanted.subset else "",
    }
    for variable, value in values.items():
        pattern = pattern.replace(variable, value)
    return f"{pattern};"


def _is_told_unused(wanted: _Wanted, everything: tuple[Instance, ...]) -> bool:
    """Is it told that nothing is behind it although no route leads to it?

    Of subsets (istioctl: IST0173), where it is known which labels whatever could be behind it has, and unless the
    DestinationRule is for more services than this.
    """
    if wanted.subset is None or not wanted.subset.labels or _is_shared(wanted):
        return False
    return bool(everything) and are_labels_known(everything, wanted.subset.labels)


def _report_empty(ctx: Context, wanted: _Wanted, everything: tuple[Instance, ...]) -> None:
    if wanted.subset is not None and wanted.rule is not None and everything:
        labels = ", ".join(f"{key}={value}" for key, value in sorted(wanted.subset.labels.items()))
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="BE-005",
                resource=wanted.rule.subset_refs[wanted.subset.name],
                field=f"{wanted.subset.at}.labels",
                message=f"no endpoint of {wanted.service.host} has the labels {labels}",
                hint="Compare them with the labels of the pods, or of the endpoints of the ServiceEntry.",
            )
        )
        return
    service = wanted.service.kubernetes
    if service is None:
        hint = "Give it `endpoints` or a `workloadSelector`, and a `resolution` that fits them."
    else:
        hint = (
            "An EndpointSlice with the label kubernetes.io/service-name and a port of the same name "
            "lists its endpoints (or Endpoints of its name do)."
        )
    # Files seldom hold what a cluster would make of the Pods that the Service selects.
    in_cluster = service is not None and bool(service.spec.selector) and not ctx.proxy.instances
    ctx.report(
        Problem(
            severity=Severity.INFO if in_cluster else Severity.WARNING,
            code="BE-004",
            resource=wanted.service.ref,
            field="spec",
            message=f"nothing serves port {wanted.port.number} of {wanted.service.host}: requests to it get 503"
            + (", unless a cluster adds the endpoints of its selector" if in_cluster else ""),
            hint=hint,
        )
    )
