"""Where the requests of a service may go: EndpointSlices (else Endpoints), endpoints of ServiceEntries,
WorkloadEntries, Pods."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.model.backend import Health
from mizzen.resolve.context import Context, grouped
from mizzen.resolve.proxies.pods import LOCALITY_LABELS
from mizzen.resolve.selecting import fits
from mizzen.resolve.services.services import MeshPort, MeshService
from mizzen.resolve.unix import UNIX, is_unix, permits
from mizzen.resources.formats.checks import is_ip
from mizzen.resources.istio.service_entry import ServiceEntry, ServicePort
from mizzen.resources.istio.workload_entry import WorkloadEntry, WorkloadEntrySpec
from mizzen.resources.kubernetes import core
from mizzen.resources.world import Key, age_order

CODES = {
    "BE-003": "An endpoint belongs to a Pod that is not there, and takes no part.",
}

SERVICE_NAME = "kubernetes.io/service-name"
_OTHER_CLUSTERS = "multicluster.kubernetes.io/service-name"
_REGION, _ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
_SUBZONE, _NETWORK = "topology.istio.io/subzone", "topology.istio.io/network"
_HOSTNAME = "kubernetes.io/hostname"
TLS_MODE = "security.istio.io/tlsMode"
# The annotation that tells whose a sidecar is: "true" on Pods that our injector made (those of Istio's have the label
# above as well), "false" on a WorkloadEntry whose proxy is not ours.
OWN_SIDECAR = "mizzen.dev/sidecar"
# The annotations of WorkloadEntries that Istio's control plane made: the proxies there are Istio's.
_OF_ISTIOD = ("istio.io/workloadController", "istio.io/autoRegistrationGroup")
_READINESS = ("addresses", "notReadyAddresses")
_CHECKED = "proxy.istio.io/health-checks-enabled"

Locality = tuple[str, str, str]  # region, zone, subzone; "" where nobody said


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One endpoint of one port of a service."""

    address: str  # IP address, DNS name, or the path of a Unix socket (port 0)
    port: int
    health: Health
    weight: int = 1
    labels: Mapping[str, str]
    locality: Locality = ("", "", "")
    service_account: str = ""  # "namespace/name", where somebody says
    mesh: bool = False  # requests go to it by the mesh's mutual TLS
    also: tuple[str, ...] = ()  # its addresses of another family
    own_sidecar: bool = False  # if it has a sidecar, that is ours, and we know what it can do

    @property
    def is_labelled_mesh(self) -> bool:
        """Does it say that it speaks the mesh's mutual TLS?"""
        return self.labels.get(TLS_MODE, "") == "istio"


@dataclass(frozen=True, slots=True)
class EndpointIndex:
    """Finds the instances of a service."""

    _ctx: Context = field(repr=False)
    _slices: Mapping[Key, Mapping[Key, core.EndpointSlice]] = field(repr=False)  # by key of the Service
    _workloads: Mapping[str, Mapping[Key, WorkloadEntry]] = field(repr=False)  # by namespace
    _pods: Mapping[str, Mapping[Key, core.Pod]] = field(repr=False)

    def instances(self, service: MeshService, port: MeshPort) -> tuple[Instance, ...]:
        """Everything that serves a port, in a stable order. Unix sockets and names are among them."""
        if service.kubernetes is not None:
            return (*self._of_slices(service.kubernetes, port), *self._beside(service.kubernetes, port))
        return tuple(
            found for entry in service.entries for found in self._of_entry(service.host, entry, port)
        )

    # --- Kubernetes ---------------------------------------------------------------------------------

    def _of_slices(self, service: core.Service, port: MeshPort) -> Iterator[Instance]:
        """A Pod with addresses of two families stands in two slices: it is one endpoint all the same."""
        found = list(self._each_of_slices(service, port))
        first: dict[tuple[Key, int, bool], str] = {}
        for pod, one in found:
            if pod is not None:
                first.setdefault((pod.key, one.port, ":" in one.address), one.address)
        for pod, one in found:
            is_v6 = ":" in one.address
            other = first.get((pod.key, one.port, not is_v6)) if pod is not None else None
            if other is None:
                yield one
            elif is_v6 is self._ctx.proxy.ipv6_only:
                yield replace(one, also=(other,)) if self._ctx.is_dual_stack else one

    def _each_of_slices(
        self, service: core.Service, port: MeshPort
    ) -> Iterator[tuple[core.Pod | None, Instance]]:
        seen: set[tuple[str, int]] = set()
        for one in self._written(service.key):
            numbers = [p.port for p in one.ports if p.name == port.name and p.port is not None]
            for endpoint in one.endpoints:
                health = _health(endpoint.conditions)
                if health is None or not self._is_local(service, endpoint):
                    continue
                pod, known = self._pod_of(one, endpoint)
                if not known:
                    continue
                for address in filter(is_ip, endpoint.addresses[:1]):
                    for number in numbers:
                        if (address, number) not in seen:
                            seen.add((address, number))
                            yield pod, self._instance(address, number, health, pod, endpoint)

    def _written(self, key: Key) -> Iterable[core.EndpointSlice]:
        """The slices of a Service; without any, what its Endpoints say. A cluster makes slices of them by itself."""
        if slices := self._slices.get(key):
            return sorted(slices.values(), key=age_order)
        endpoints = self._ctx.world.by_key(core.Endpoints).get(key)
        if endpoints is None:
            return ()
        found = tuple(slices_of(endpoints))
        for index, one in enumerate(found):
            _report_lost(self._ctx, one, f"subsets[{index // 2}].{_READINESS[index % 2]}")
        return found

    def _is_local(self, service: core.Service, endpoint: core.Endpoint) -> bool:
        """`internalTrafficPolicy: Local` keeps traffic on the node; without a node there is nothing to keep."""
        node = self._ctx.proxy.node_name
        return service.spec.internal_traffic_policy != "Local" or not node or endpoint.node_name == node

    def _pod_of(self, one: core.EndpointSlice, endpoint: core.Endpoint) -> tuple[core.Pod | None, bool]:
        """The Pod behind an endpoint, and whether the endpoint may be used: one whose Pod is unknown may not."""
        target = endpoint.target_ref
        if target is None or target.kind != "Pod":
            return None, True
        pod = self._ctx.world.pod_by_key.get((target.namespace or one.namespace, target.name))
        return pod, pod is not None

    def _instance(
        self, address: str, number: int, health: Health, pod: core.Pod | None, endpoint: core.Endpoint
    ) -> Instance:
        labels = dict(pod.meta.labels) if pod else {}
        node_name = pod.spec.node_name if pod else endpoint.node_name
        locality = _locality(labels, self._node_labels(node_name))
        return Instance(
            address=address,
            port=number,
            health=health,
            labels=_with_topology(labels, locality, node_name),
            locality=locality,
            service_account=f"{pod.namespace}/{pod.spec.service_account_name or 'default'}" if pod else "",
            own_sidecar=pod is not None and _has_own_sidecar(pod),
        )

    def _node_labels(self, name: str) -> Mapping[str, str]:
        node = self._ctx.world.node_by_key.get(("", name))
        return node.meta.labels if node else {}

    def _beside(self, service: core.Service, port: MeshPort) -> Iterator[Instance]:
        """WorkloadEntries that a Service selects, as Istio lets them stand beside pods."""
        if not service.spec.selector or service.spec.type == "ExternalName":
            return
        for workload in self._selected_workloads(service.namespace, service.spec.selector):
            target = port.target_port
            if isinstance(target, str):
                number = workload.spec.ports.get(target)
            else:
                number = workload.spec.ports.get(port.name) or target or port.number
            if number is not None and is_ip(workload.spec.address):
                yield self._of_workload(workload, number)

    # --- ServiceEntries -----------------------------------------------------------------------------

    def _of_entry(self, host: str, entry: ServiceEntry, port: MeshPort) -> Iterator[Instance]:
        own = next((one for one in entry.spec.ports if one.name == port.name), None)
        if own is None or own.number != port.number:
            return
        names = entry.spec.resolution in {"DNS", "DNS_ROUND_ROBIN"}
        if entry.spec.workload_selector is not None:
            for found in self._selected(entry, own):
                if names or is_ip(found.address) or not found.port:
                    yield found
        elif entry.spec.endpoints:
            for endpoint in entry.spec.endpoints:
                if endpoint.address and self._may_go_to(endpoint, entry.ref):
                    yield _of_endpoint(endpoint, own, entry.namespace)
        elif names:
            number = own.target_port or own.number
            yield Instance(address=host, port=number, health=Health.UNKNOWN, labels={})

    def _selected(self, entry: ServiceEntry, port: ServicePort) -> Iterator[Instance]:
        """Pods that are ready, then WorkloadEntries, each by name."""
        assert entry.spec.workload_selector is not None
        labels = entry.spec.workload_selector.labels
        number = port.target_port or port.number
        for _, pod in sorted(self._pods.get(entry.namespace, {}).items()):
            if fits(labels, pod.meta.labels) and _may_serve(pod):
                locality = _locality(pod.meta.labels, self._node_labels(pod.spec.node_name))
                yield Instance(
                    address=pod.status.pod_ip,
                    port=number,
                    health=Health.HEALTHY,
                    labels=_with_topology(pod.meta.labels, locality, pod.spec.node_name),
                    locality=locality,
                    service_account=f"{pod.namespace}/{pod.spec.service_account_name or 'default'}",
                    own_sidecar=_has_own_sidecar(pod),
                )
        for workload in self._selected_workloads(entry.namespace, labels):
            if workload.spec.address and self._may_go_to(workload.spec, workload.ref):
                yield self._of_workload(workload, workload.spec.ports.get(port.name) or number)

    def _may_go_to(self, endpoint: WorkloadEntrySpec, ref: ResourceRef) -> bool:
        address = endpoint.address
        return not is_unix(address) or permits(self._ctx, address, ref, f"{endpoint.at}.address")

    def _selected_workloads(self, namespace: str, labels: Mapping[str, str]) -> Iterator[WorkloadEntry]:
        for _, workload in sorted(self._workloads.get(namespace, {}).items()):
            if fits(labels, _workload_labels(workload)) and _is_healthy(workload):
                yield workload

    def _of_workload(self, workload: WorkloadEntry, number: int) -> Instance:
        labels = _workload_labels(workload)
        found = _of_address(workload.spec, labels, number, Health.HEALTHY, workload.namespace)
        return replace(found, own_sidecar=_may_have_own_sidecar(workload))


def endpoint_index(ctx: Context) -> EndpointIndex:
    """Looks over slices, Pods and WorkloadEntries once. Endpoints of Pods that are not there are reported."""
    slices = grouped(ctx, _by_service, ctx.world.all_by_key(core.EndpointSlice))
    workloads = grouped(ctx, _workload_of_namespace, ctx.world.all_by_key(WorkloadEntry))
    pods = grouped(ctx, _pod_of_namespace, ctx.world.all_by_key(core.Pod))
    published = ctx.steps.published
    return EndpointIndex(
        ctx, published("slices", slices), published("workloads", workloads), published("pods", pods)
    )


def _by_service(ctx: Context, _: Key, one: core.EndpointSlice) -> Mapping[Key, core.EndpointSlice]:
    service = one.meta.labels.get(SERVICE_NAME, "")
    if not service or one.address_type == "FQDN" or _OTHER_CLUSTERS in one.meta.labels:
        return {}
    _report_lost(ctx, one, "endpoints")
    return {(one.namespace, service): one}


def slices_of(endpoints: core.Endpoints) -> Iterator[core.EndpointSlice]:
    """Two for each subset: of what is ready, and of what is not."""
    for subset in endpoints.subsets:
        for addresses, ready in ((subset.addresses, True), (subset.not_ready_addresses, False)):
            # Of these nobody says that they are ending: they are sent as such that are not ready, like those of slices.
            conditions = core.EndpointConditions(ready=ready, terminating=False)
            yield core.EndpointSlice(
                meta=endpoints.meta,
                ref=endpoints.ref,
                endpoints=tuple(
                    core.Endpoint(
                        addresses=(one.ip,),
                        conditions=conditions,
                        hostname=one.hostname,
                        node_name=one.node_name,
                        target_ref=one.target_ref,
                    )
                    for one in addresses
                ),
                ports=subset.ports,
            )


def _workload_of_namespace(_: Context, key: Key, workload: WorkloadEntry) -> Mapping[str, WorkloadEntry]:
    return {key[0]: workload}


def _pod_of_namespace(_: Context, key: Key, pod: core.Pod) -> Mapping[str, core.Pod]:
    return {key[0]: pod}


def _report_lost(ctx: Context, one: core.EndpointSlice, at: str) -> None:
    for index, endpoint in enumerate(one.endpoints):
        target = endpoint.target_ref
        if target is None or target.kind != "Pod":
            continue
        key = (target.namespace or one.namespace, target.name)
        if key not in ctx.world.pod_by_key:
            ctx.report(
                Problem(
                    severity=Severity.WARNING,
                    code="BE-003",
                    resource=one.ref,
                    field=f"{at}[{index}].targetRef",
                    message=f"there is no Pod {key[0]}/{key[1]}, so nothing is sent to "
                    f"{', '.join(endpoint.addresses)}",
                    hint="Add the Pod, or leave out `targetRef`.",
                )
            )


# --- what an object says ----------------------------------------------------------------------------


def _health(conditions: core.EndpointConditions) -> Health | None:
    """None for one that is ending. One that does not say whether it is ready, is."""
    if conditions.ready is None or conditions.ready:
        return Health.HEALTHY
    return Health.UNHEALTHY if conditions.terminating is False else None


def _of_endpoint(endpoint: WorkloadEntrySpec, port: ServicePort, namespace: str) -> Instance:
    number = endpoint.ports.get(port.name) or port.target_port or port.number
    return _of_address(endpoint, endpoint.labels, number, Health.UNKNOWN, namespace)


def _of_address(
    endpoint: WorkloadEntrySpec, labels: Mapping[str, str], number: int, health: Health, namespace: str
) -> Instance:
    unix = is_unix(endpoint.address)
    locality = _split(endpoint.locality) if endpoint.locality else _locality(labels, {})
    topology = _with_topology(labels, locality, "")
    if endpoint.service_account:
        topology.setdefault(TLS_MODE, "istio")
    if endpoint.network:
        topology[_NETWORK] = endpoint.network
    return Instance(
        address=endpoint.address.removeprefix(UNIX),
        port=0 if unix else number,
        health=health,
        weight=endpoint.weight or 1,
        labels=topology,
        locality=locality,
        service_account=f"{namespace}/{endpoint.service_account}" if endpoint.service_account else "",
    )


def _workload_labels(workload: WorkloadEntry) -> Mapping[str, str]:
    return {**workload.spec.labels, **workload.meta.labels}


def _is_healthy(workload: WorkloadEntry) -> bool:
    """One whose health is checked serves only while the check says so."""
    if workload.meta.annotations.get(_CHECKED) != "true":
        return True
    return any(one.type == "Healthy" and one.status == "True" for one in workload.status.conditions)


def _has_own_sidecar(pod: core.Pod) -> bool:
    return pod.meta.annotations.get(OWN_SIDECAR) == "true"


def _may_have_own_sidecar(workload: WorkloadEntry) -> bool:
    annotations = workload.meta.annotations
    return annotations.get(OWN_SIDECAR) != "false" and annotations.keys().isdisjoint(_OF_ISTIOD)


def _may_serve(pod: core.Pod) -> bool:
    ready = any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions)
    ended = pod.status.phase in {"Succeeded", "Failed"} or pod.meta.deletion_timestamp is not None
    return ready and not ended and is_ip(pod.status.pod_ip)


def _locality(labels: Mapping[str, str], node: Mapping[str, str]) -> Locality:
    """Istio's order: the label of the workload itself (its dots are slashes), else the node's labels."""
    for name in LOCALITY_LABELS:
        if labels.get(name):
            return _split(labels[name].replace(".", "/"))
    return (node.get(_REGION, ""), node.get(_ZONE, ""), node.get(_SUBZONE, ""))


def _split(text: str) -> Locality:
    region, zone, subzone = (*text.split("/", 2), "", "")[:3]
    return (region, zone, subzone)


def _with_topology(labels: Mapping[str, str], locality: Locality, node_name: str) -> dict[str, str]:
    """Labels with those that Istio adds, by which subsets may choose."""
    added = {_REGION: locality[0], _ZONE: locality[1], _SUBZONE: locality[2], _HOSTNAME: node_name}
    return {**labels, **{name: value for name, value in added.items() if value}}


def with_labels(instances: Iterable[Instance], labels: Mapping[str, str]) -> tuple[Instance, ...]:
    """Those that a subset of these labels takes in."""
    return tuple(one for one in instances if fits(labels, one.labels))


def are_labels_known(instances: Iterable[Instance], labels: Mapping[str, str]) -> bool:
    """Is it known of each of these whether it has such labels? Endpoints without a Pod have none but their place; where
    they are is known of those whose node is."""
    place = frozenset((_REGION, _ZONE, _SUBZONE, _HOSTNAME))
    needed = place & labels.keys()
    return all(one.labels.keys() - place and needed <= one.labels.keys() for one in instances)
