"""Which gateways there are, what their Services open, and the switches and the mesh they live in.

Each gateway that is declared (`declared`) becomes a `Proxy` here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import TypeVar

from mizzen.errors import Report, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.model.listener import HeaderLimits
from mizzen.model.route import Scoped
from mizzen.resolve.context import PRIVILEGED_BELOW, ExternalPorts, Families, Proxy, ServiceTarget, Switches
from mizzen.resolve.names import service_host
from mizzen.resolve.overlay import overlay
from mizzen.resolve.proxies.declared import DeclaredGateway, annotated, declared_gateways, of_pods, own_config
from mizzen.resolve.proxies.pods import CONFIG_ANNOTATION, locality_of, pod_groups
from mizzen.resolve.proxies.proxy_configs import configured
from mizzen.resolve.selecting import fits
from mizzen.resources.declaring import values
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.mesh import DEFAULT_MESH, MeshConfig
from mizzen.resources.istio.operator import (
    IstioOperator,
)
from mizzen.resources.istio.workload_entry import WorkloadEntry
from mizzen.resources.kubernetes.core import Pod, Service, ServicePort
from mizzen.resources.rules import mesh_text
from mizzen.resources.rules.mesh_text import mesh_of
from mizzen.resources.world import World

NO_TRANSLATION_LABEL = "experimental.istio.io/disable-gateway-port-translation"

_META = "ISTIO_META_"
_EARLIEST = datetime.min.replace(tzinfo=UTC)

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})  # as Go reads a boolean
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def proxies(
    world: World,
    environment: Mapping[str, str],
    external_ports: ExternalPorts,
    routers: frozenset[str] | None = None,
    report: Report = lambda _: None,
    families: Families = "unknown",
) -> tuple[tuple[Proxy, Switches, MeshConfig], ...]:
    """Every gateway with its switches and mesh, in the order in which they are declared.

    `environment` is consulted for switches that no IstioOperator sets (`values.pilot.env`, then the
    environment of `components.pilot`). `routers`: the Pods ("namespace/name") that are gateways; None: gateways
    are what IstioOperators declare. `families`: of the addresses of gateways that are no Pods.
    """
    mesh = mesh_config(world)
    switches = switches_of(world.operators, environment)
    found: list[tuple[DeclaredGateway, tuple[Pod, ...]]]
    if routers is None:
        found = [(gateway, ()) for gateway in declared_gateways(world)]
    else:
        found = [(of_pods(group), group.pods) for group in pod_groups(world, routers)]
    made = [
        attempt(
            Stage.GATEWAY,
            gateway.origin,
            partial(_proxy, world, gateway, pods, mesh, external_ports, families),
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
    switches = switches_of(world.operators, environment)
    found = []
    for key in sorted(wanted):
        namespace, _, name = key.partition("/")
        workload = world.workload_entry_by_key.get((namespace, name))
        pod = world.pod_by_key.get((namespace, name))
        if workload is not None:
            make, ref = partial(_sidecar, world, workload, mesh), workload.ref
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
    config = configured(world, mesh, pod.namespace, pod.meta.labels)
    config = overlay(
        config, annotated(pod.meta.annotations.get(CONFIG_ANNOTATION, ""), "", Findings(pod.ref))
    )
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
        metadata=_metadata(config.proxy_metadata),
        config=config,
        origin=pod.ref,
    )


def _sidecar(world: World, workload: WorkloadEntry, mesh: MeshConfig) -> Proxy:
    spec = workload.spec
    labels = {**spec.labels, **workload.meta.labels}
    config = configured(world, mesh, workload.namespace, labels)
    region, zone, subzone = (*spec.locality.split("/", 2), "", "", "")[:3]
    return Proxy(
        kind="sidecar",
        name=workload.name,
        namespace=workload.namespace,
        labels=labels,
        targets=(),
        service_account=spec.service_account or "default",
        address=spec.address,
        ports=spec.ports,
        region=region,
        zone=zone,
        subzone=subzone,
        metadata=_metadata(config.proxy_metadata),
        config=config,
        origin=workload.ref,
    )


def mesh_config(world: World) -> MeshConfig:
    """The mesh's configuration: that of the ConfigMap which charts make of it (from files; the one of a cluster comes as
    an IstioOperator), and over it that of every IstioOperator, the later over the earlier."""
    written = mesh_of(world.config_map_by_key.get((mesh_text.NAMESPACE, mesh_text.NAME)))
    mesh = DEFAULT_MESH if written is None else overlay(DEFAULT_MESH, written)
    if any(operator.spec.profile == "demo" for operator in world.operators):
        mesh = overlay(MeshConfig(access_log_file="/dev/stdout"), mesh)  # as the profile is installed
    for operator in world.operators:
        mesh = overlay(overlay(mesh, operator.spec.values.mesh_config), operator.spec.mesh_config)
    return mesh


# --- switches ---------------------------------------------------------------------------------------


def switches_of(operators: tuple[IstioOperator, ...], environment: Mapping[str, str]) -> Switches:
    said: dict[str, str] = {}
    for operator in operators:
        said |= {variable.name: variable.value for variable in operator.spec.components.pilot.k8s.env}
        said |= operator.spec.values.pilot.env

    def stated(name: str) -> bool | None:
        values = (_boolean(source.get(name, "")) for source in (said, environment))
        return next((value for value in values if value is not None), None)

    def flag(name: str, default: bool) -> bool:
        value = stated(name)
        return default if value is None else value

    texts = {**environment, **said}
    return Switches(
        quic_listeners=flag("PILOT_ENABLE_QUIC_LISTENERS", not operators),
        scope_gateway_to_namespace=flag("PILOT_SCOPE_GATEWAY_TO_NAMESPACE", False),
        filter_gateway_clusters=flag("PILOT_FILTER_GATEWAY_CLUSTER_CONFIG", False),
        send_unhealthy_endpoints=flag("PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS", True),
        http10=flag("PILOT_HTTP10", False),
        dual_stack=flag("ISTIO_DUAL_STACK", False),
        internal_networks=stated("ENABLE_HCM_INTERNAL_NETWORKS"),
        scoped_routes=_one_of(Scoped, Scoped.AUTO, texts.get("MIZZEN_SCOPED_ROUTES", "")),
        header_limits=_one_of(HeaderLimits, HeaderLimits.FILTER, texts.get("MIZZEN_HEADER_LIMITS", "")),
        most_header_kib=texts.get("MIZZEN_MAX_REQUEST_HEADERS_KB", ""),
        most_headers=texts.get("MIZZEN_MAX_REQUEST_HEADERS_COUNT", ""),
        trace_sampling=_percent(texts.get("PILOT_TRACE_SAMPLING", "")),
        key_refresh=_span(texts.get("PILOT_JWT_PUB_KEY_REFRESH_INTERVAL", ""), Switches().key_refresh),
        key_networks_blocked=_networks(texts.get("BLOCKED_CIDRS_IN_JWKS_URIS", "")),
        module_networks_blocked=_networks(texts.get("BLOCKED_CIDRS_IN_WASM_FETCH", "")),
        keys_from_anybody=flag("JWKS_RESOLVER_INSECURE_SKIP_VERIFY", False),
    )


Choice = TypeVar("Choice", bound=Enum)


def _boolean(text: str) -> bool | None:
    return True if text in _TRUE else False if text in _FALSE else None


def _one_of(choices: type[Choice], default: Choice, text: str) -> Choice:
    return choices(text) if text in {choice.value for choice in choices} else default


def _span(text: str, default: timedelta) -> timedelta:
    """A duration as Go writes it, of at least a second."""
    read = values.span(negative=False)(text, "", Findings(ResourceRef(kind=""))) if text else None
    return read if isinstance(read, timedelta) and read >= timedelta(seconds=1) else default


def _networks(text: str) -> tuple[str, ...]:
    """Networks with commas between them. Where one is malformed, all: nobody knows what it was to keep out."""
    networks = tuple(one for one in map(str.strip, text.split(",")) if one)
    return ("0.0.0.0/0", "::/0") if any(map(checks.subnet, networks)) else networks


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
    families: Families,
) -> Proxy:
    own, _ = own_config(gateway)
    config = overlay(configured(world, mesh, gateway.namespace, gateway.labels), own)
    environment = {**config.proxy_metadata, **{v.name: v.value for v in gateway.component.k8s.env}}
    metadata = _metadata(environment)
    pod = pods[0] if pods else _pod_of(world, gateway)
    region, zone, subzone = locality_of(world, pod, gateway.labels)
    account = pod.spec.service_account_name if pod else ""
    if gateway.workload is not None:
        account = gateway.workload.service_account
    targets = _targets(world, gateway)
    return Proxy(
        name=gateway.name,
        namespace=gateway.namespace,
        labels=gateway.labels,
        targets=targets,
        service_account=account or f"{gateway.name}-service-account",
        families=_families(pods) if pods else families,
        unprivileged=_is_unprivileged(
            metadata.get("UNPRIVILEGED_POD", ""),
            is_pod=bool(pods) or gateway.workload is not None or _opens_low_ports(world, targets),
        ),
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


def _metadata(environment: Mapping[str, str]) -> dict[str, str]:
    """What an Envoy says of itself: each variable ISTIO_META_X as X."""
    return {name.removeprefix(_META): value for name, value in environment.items() if name.startswith(_META)}


def _families(pods: tuple[Pod, ...]) -> Families:
    """Of the addresses that all of them have."""
    found = {tuple(sorted({":" in one.ip for one in pod.status.pod_ips if one.ip})) for pod in pods}
    known: dict[tuple[bool, ...], Families] = {(False,): "v4", (True,): "v6", (False, True): "both"}
    return known.get(found.pop(), "unknown") if len(found) == 1 else "unknown"


def _is_unprivileged(said: str, *, is_pod: bool) -> bool:
    """The charts run gateways unprivileged, and say so in their Pods; where there is none, only "false" says otherwise,
    or a Service of the user's own that leads to such ports."""
    return _boolean(said) is True if is_pod else _boolean(said) is not False


def _opens_low_ports(world: World, targets: tuple[ServiceTarget, ...]) -> bool:
    """Does a Service that is written lead to a port that needs a right?"""
    hosts = {one.service for one in targets if one.target_port < PRIVILEGED_BELOW}
    return any(service_host(service.name, service.namespace) in hosts for service in world.services)


def _pod_of(world: World, gateway: DeclaredGateway) -> Pod | None:
    for pod in world.pods:
        if pod.namespace == gateway.namespace and fits(gateway.labels, pod.meta.labels):
            return pod
    return None


# --- what its Services open -------------------------------------------------------------------------


def _targets(world: World, gateway: DeclaredGateway) -> tuple[ServiceTarget, ...]:
    """The ports of every Service that selects the gateway, the oldest Service first.

    The Service of the installation counts unless the world holds it itself, or those of the gateway's workload.
    """
    pod = gateway.workload.template if gateway.workload else _pod_of(world, gateway)
    groups: list[tuple[tuple[datetime, str], tuple[ServiceTarget, ...]]] = []
    for service in world.services:
        if service.namespace == gateway.namespace and _selects(service, gateway):
            host = service_host(service.name, service.namespace)
            created = service.meta.creation_timestamp or _EARLIEST
            translate = NO_TRANSLATION_LABEL not in service.meta.labels
            groups.append(((created, host), _open(service.spec.ports, host, translate, pod)))
    is_known = bool(gateway.workload and groups) or (gateway.namespace, gateway.name) in world.service_by_key
    if not is_known:
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
