"""Which gateways there are, what their Services open, and the switches and the mesh they live in.

An IstioOperator declares one gateway per entry of `components.ingressGateways`. Without any there is one,
called istio-ingressgateway, with HTTP/3 on.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import TypeVar

from mizzen.errors import Problem, Report, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.listener import HeaderLimits
from mizzen.model.route import Scoped
from mizzen.resolve.context import ExternalPorts, Proxy, ServiceTarget, Switches
from mizzen.resolve.overlay import overlay
from mizzen.resolve.proxies.pods import CONFIG_ANNOTATION, PodGroup, locality_of, pod_groups
from mizzen.resolve.selecting import fits
from mizzen.resources.declaring.compile import decoder_of
from mizzen.resources.declaring.declare import Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.mesh import DEFAULT_MESH, MeshConfig, ProxyConfig
from mizzen.resources.istio.operator import (
    CHART_PORTS,
    GatewayComponent,
    IstioOperator,
    KubernetesResources,
    OperatorEnvVar,
)
from mizzen.resources.istio.workload_entry import WorkloadEntry
from mizzen.resources.kubernetes.core import Pod, Service, ServicePort
from mizzen.resources.world import World
from mizzen.resources.yaml.construct import Broken, construct

CODES = {"GW-008": "A gateway's annotation proxy.istio.io/config cannot be read; it takes no part."}

DEFAULT_NAME = "istio-ingressgateway"
DEFAULT_NAMESPACE = "istio-system"
NO_TRANSLATION_LABEL = "experimental.istio.io/disable-gateway-port-translation"

# Profiles of IstioOperator that bring no ingress gateway of their own.
_WITHOUT_GATEWAY = frozenset({"minimal", "empty", "remote", "ambient"})
_META = "ISTIO_META_"
_EARLIEST = datetime.min.replace(tzinfo=UTC)

_HTTP3_PORT = ServicePort(name="http3", port=443, target_port=8443, protocol="UDP")

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})  # as Go reads a boolean
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredGateway:
    """One gateway as it was asked for."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    component: GatewayComponent
    ports: tuple[ServicePort, ...]  # of the Service that its installation brings
    variant: str = ""  # tells apart what has one name and differs
    origin: ResourceRef

    @property
    def service_host(self) -> str:
        return f"{self.name}.{self.namespace}.svc.cluster.local"


def declared_gateways(world: World) -> tuple[DeclaredGateway, ...]:
    """Every gateway that is installed: enabled entries of all IstioOperators, or the built-in one."""
    if not world.operators:
        origin = ResourceRef(
            kind="IstioOperator", group="install.istio.io", namespace=DEFAULT_NAMESPACE, name="built-in"
        )
        return (_declared(GatewayComponent(), DEFAULT_NAMESPACE, origin, (*CHART_PORTS, _HTTP3_PORT)),)
    found: dict[tuple[str, str], DeclaredGateway] = {}
    disabled: set[tuple[str, str]] = set()
    listed = False
    for operator in world.operators:
        for component in operator.spec.components.ingress_gateways:
            listed = True
            gateway = _declared(component, operator.spec.namespace, operator.ref, CHART_PORTS)
            key = (gateway.namespace, gateway.name)
            if key in found:
                both = overlay(found[key].component, component)
                gateway = _declared(both, operator.spec.namespace, found[key].origin, CHART_PORTS)
            found[key] = gateway
            (disabled.add if component.enabled is False else disabled.discard)(key)
    if not listed and any(o.spec.profile not in _WITHOUT_GATEWAY for o in world.operators):
        first = world.operators[0]
        return (_declared(GatewayComponent(), first.spec.namespace, first.ref, CHART_PORTS),)
    return tuple(gateway for key, gateway in found.items() if key not in disabled)


def _of_pods(group: PodGroup) -> DeclaredGateway:
    """What an installation would have declared so that these Pods came of it."""
    annotations = {CONFIG_ANNOTATION: group.config} if group.config else {}
    env = tuple(OperatorEnvVar(name=variable.name, value=variable.value) for variable in group.env)
    return DeclaredGateway(
        name=group.name,
        namespace=group.namespace,
        labels=group.labels,
        component=GatewayComponent(k8s=KubernetesResources(env=env, pod_annotations=annotations)),
        ports=(),
        variant=group.variant,
        origin=ResourceRef(kind="Deployment", group="apps", namespace=group.namespace, name=group.name),
    )


def _declared(
    component: GatewayComponent, namespace: str, origin: ResourceRef, ports: tuple[ServicePort, ...]
) -> DeclaredGateway:
    name = component.name or DEFAULT_NAME
    labels = {"app": name, "istio": "ingressgateway", **component.label, **component.k8s.pod_labels}
    return DeclaredGateway(
        name=name,
        namespace=component.namespace or namespace or DEFAULT_NAMESPACE,
        labels=labels,
        component=component,
        ports=component.k8s.service.ports or ports,
        origin=origin,
    )


def proxies(
    world: World,
    environment: Mapping[str, str],
    external_ports: ExternalPorts,
    routers: frozenset[str] | None = None,
    report: Report = lambda _: None,
) -> tuple[tuple[Proxy, Switches, MeshConfig], ...]:
    """Every gateway with its switches and mesh, in the order in which they are declared.

    `environment` is consulted for switches that no IstioOperator sets (`values.pilot.env`, then the
    environment of `components.pilot`). `routers`: the Pods ("namespace/name") that are gateways; None: gateways
    are what IstioOperators declare.
    """
    mesh = mesh_config(world)
    switches = _switches(world.operators, environment)
    found: list[tuple[DeclaredGateway, tuple[Pod, ...]]]
    if routers is None:
        found = [(gateway, ()) for gateway in declared_gateways(world)]
    else:
        found = [(_of_pods(group), group.pods) for group in pod_groups(world, routers)]
    made = [
        attempt(
            Stage.GATEWAY,
            gateway.origin,
            partial(_proxy, world, gateway, pods, mesh, external_ports),
            report,
            None,
        )
        for gateway, pods in found
    ]
    return tuple((proxy, switches, mesh) for proxy in made if proxy is not None)


def sidecars(
    world: World,
    environment: Mapping[str, str],
    wanted: frozenset[str],
    report: Report = lambda _: None,
) -> tuple[tuple[Proxy, Switches, MeshConfig], ...]:
    """The sidecars of WorkloadEntries and Pods `wanted` ("namespace/name"); what is not there has none."""
    mesh = mesh_config(world)
    switches = _switches(world.operators, environment)
    found = []
    for key in sorted(wanted):
        namespace, _, name = key.partition("/")
        workload = world.workload_entry_by_key.get((namespace, name))
        pod = world.pod_by_key.get((namespace, name))
        if workload is not None:
            make, ref = partial(_sidecar, workload, mesh), workload.ref
        elif pod is not None:
            make, ref = partial(_pod_sidecar, world, pod, mesh), pod.ref
        else:
            continue
        proxy = attempt(Stage.GATEWAY, ref, make, report, None)
        if proxy is not None:
            found.append((proxy, switches, mesh))
    return tuple(found)


def _pod_sidecar(world: World, pod: Pod, mesh: MeshConfig) -> Proxy:
    """The kernel redirects a Pod's connections to its sidecar."""
    region, zone, subzone = locality_of(world, pod, {})
    return Proxy(
        kind="sidecar",
        name=pod.name,
        namespace=pod.namespace,
        labels=pod.meta.labels,
        targets=(),
        service_account=pod.spec.service_account_name or "default",
        address=pod.status.pod_ip,
        ports={
            port.name: port.container_port
            for container in pod.spec.containers
            for port in container.ports
            if port.name and port.container_port is not None
        },
        intercepted=True,
        region=region,
        zone=zone,
        subzone=subzone,
        node_name=pod.spec.node_name,
        config=mesh.default_config,
        origin=pod.ref,
    )


def _sidecar(workload: WorkloadEntry, mesh: MeshConfig) -> Proxy:
    spec = workload.spec
    region, zone, subzone = (*spec.locality.split("/", 2), "", "", "")[:3]
    return Proxy(
        kind="sidecar",
        name=workload.name,
        namespace=workload.namespace,
        labels={**spec.labels, **workload.meta.labels},
        targets=(),
        service_account=spec.service_account or "default",
        address=spec.address,
        ports=spec.ports,
        region=region,
        zone=zone,
        subzone=subzone,
        config=mesh.default_config,
        origin=workload.ref,
    )


def mesh_config(world: World) -> MeshConfig:
    """The mesh's configuration: that of every IstioOperator, the later over the earlier."""
    mesh = DEFAULT_MESH
    for operator in world.operators:
        mesh = overlay(mesh, operator.spec.mesh_config)
    return mesh


# --- switches ---------------------------------------------------------------------------------------


def _switches(operators: tuple[IstioOperator, ...], environment: Mapping[str, str]) -> Switches:
    said: dict[str, str] = {}
    for operator in operators:
        said |= {variable.name: variable.value for variable in operator.spec.components.pilot.k8s.env}
        said |= operator.spec.values.pilot.env

    def flag(name: str, default: bool) -> bool:
        for source in (said, environment):
            value = _boolean(source.get(name, ""))
            if value is not None:
                return value
        return default

    texts = {**environment, **said}
    return Switches(
        quic_listeners=flag("PILOT_ENABLE_QUIC_LISTENERS", not operators),
        scope_gateway_to_namespace=flag("PILOT_SCOPE_GATEWAY_TO_NAMESPACE", False),
        filter_gateway_clusters=flag("PILOT_FILTER_GATEWAY_CLUSTER_CONFIG", False),
        send_unhealthy_endpoints=flag("PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS", True),
        http10=flag("PILOT_HTTP10", False),
        dual_stack=flag("ISTIO_DUAL_STACK", False),
        internal_networks=flag("ENABLE_HCM_INTERNAL_NETWORKS", False),
        scoped_routes=_one_of(Scoped, Scoped.AUTO, texts.get("MIZZEN_SCOPED_ROUTES", "")),
        header_limits=_one_of(HeaderLimits, HeaderLimits.FILTER, texts.get("MIZZEN_HEADER_LIMITS", "")),
        trace_sampling=_percent(texts.get("PILOT_TRACE_SAMPLING", "")),
    )


Choice = TypeVar("Choice", bound=Enum)


def _boolean(text: str) -> bool | None:
    return True if text in _TRUE else False if text in _FALSE else None


def _one_of(choices: type[Choice], default: Choice, text: str) -> Choice:
    return choices(text) if text in {choice.value for choice in choices} else default


def _percent(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value <= 100.0 else None


# --- one gateway ------------------------------------------------------------------------------------


def _proxy(
    world: World,
    gateway: DeclaredGateway,
    pods: tuple[Pod, ...],
    mesh: MeshConfig,
    external_ports: ExternalPorts,
) -> Proxy:
    own, _ = own_config(gateway)
    config = overlay(mesh.default_config, own)
    environment = {**config.proxy_metadata, **{v.name: v.value for v in gateway.component.k8s.env}}
    metadata = {k.removeprefix(_META): v for k, v in environment.items() if k.startswith(_META)}
    pod = pods[0] if pods else _pod_of(world, gateway)
    region, zone, subzone = locality_of(world, pod, gateway.labels)
    account = pod.spec.service_account_name if pod else ""
    return Proxy(
        name=gateway.name,
        namespace=gateway.namespace,
        labels=gateway.labels,
        targets=_targets(world, gateway),
        service_account=account or f"{gateway.name}-service-account",
        unprivileged=_is_unprivileged(metadata.get("UNPRIVILEGED_POD", ""), is_pod=bool(pods)),
        region=region,
        zone=zone,
        subzone=subzone,
        node_name=pod.spec.node_name if pod else "",
        metadata=metadata,
        config=config,
        external_ports=external_ports,
        variant=gateway.variant,
        instances=tuple(f"{one.name}.{one.namespace}" for one in pods),
        origin=gateway.origin,
    )


def _is_unprivileged(said: str, *, is_pod: bool) -> bool:
    """The charts run gateways unprivileged, and say so in their Pods; where there is none, only "false" says otherwise."""
    return _boolean(said) is True if is_pod else _boolean(said) is not False


def own_config(gateway: DeclaredGateway) -> tuple[ProxyConfig, tuple[Problem, ...]]:
    """The ProxyConfig of the annotation proxy.istio.io/config (YAML), and what is wrong with it.

    A broken one counts as empty: the gateway runs on the mesh's.
    """
    text = gateway.component.k8s.pod_annotations.get(CONFIG_ANNOTATION, "")
    at = f"{gateway.component.at}.k8s.podAnnotations[{CONFIG_ANNOTATION}]"
    if not text.strip():
        return ProxyConfig(), ()
    found = Findings(gateway.origin)
    try:
        documents = construct(text)
    except Broken as broken:
        found.error("GW-008", at, f"the annotation {CONFIG_ANNOTATION} is no YAML: {broken.message}")
        return ProxyConfig(), found.all()
    read = decoder_of(ProxyConfig, Unknown.WARN)(documents[0].value if documents else {}, at, found)
    return read if isinstance(read, ProxyConfig) else ProxyConfig(), found.all()


def _pod_of(world: World, gateway: DeclaredGateway) -> Pod | None:
    for pod in world.pods:
        if pod.namespace == gateway.namespace and fits(gateway.labels, pod.meta.labels):
            return pod
    return None


# --- what its Services open -------------------------------------------------------------------------


def _targets(world: World, gateway: DeclaredGateway) -> tuple[ServiceTarget, ...]:
    """The ports of every Service that selects the gateway, the oldest Service first.

    The Service of the installation counts unless the world holds it itself.
    """
    pod = _pod_of(world, gateway)
    groups: list[tuple[tuple[datetime, str], tuple[ServiceTarget, ...]]] = []
    for service in world.services:
        if service.namespace == gateway.namespace and _selects(service, gateway):
            host = f"{service.name}.{service.namespace}.svc.cluster.local"
            created = service.meta.creation_timestamp or _EARLIEST
            translate = NO_TRANSLATION_LABEL not in service.meta.labels
            groups.append(((created, host), _open(service.spec.ports, host, translate, pod)))
    if (gateway.namespace, gateway.name) not in world.service_by_key:
        host = gateway.service_host
        groups.append(((_EARLIEST, host), _open(gateway.ports, host, True, pod)))
    return tuple(target for _, targets in sorted(groups, key=lambda group: group[0]) for target in targets)


def _selects(service: Service, gateway: DeclaredGateway) -> bool:
    return bool(service.spec.selector) and fits(service.spec.selector, gateway.labels)


def _open(
    ports: tuple[ServicePort, ...], host: str, translate: bool, pod: Pod | None
) -> tuple[ServiceTarget, ...]:
    """One target per port. Istio forgets the second of two that lead to one port by one protocol."""
    found: list[ServiceTarget] = []
    for port in ports:
        number = _target_port(port, pod)
        if number is None or port.protocol == "SCTP":
            continue
        found.append(
            ServiceTarget(
                port=port.port,
                target_port=number,
                udp=port.protocol == "UDP",
                name=port.name,
                service=host,
                translate=translate,
            )
        )
    return tuple(found)


def _target_port(port: ServicePort, pod: Pod | None) -> int | None:
    """The number a port leads to; a name is looked up in the gateway's containers."""
    if port.target_port is None or port.target_port == 0:
        return port.port
    if isinstance(port.target_port, int):
        return port.target_port
    for container in pod.spec.containers if pod else ():
        for candidate in container.ports:
            if (candidate.name, candidate.protocol) == (port.target_port, port.protocol):
                return candidate.container_port
    return None
