"""Which gateways there are: what IstioOperators declare, what workloads and Pods are.

An IstioOperator declares one gateway per entry of `components.ingressGateways`; a workload that is a gateway
(`workloads`) is one too, and the same one where namespace and name are the same. Where nothing declares any there is
one called istio-ingressgateway, with HTTP/3 on.
"""

from collections.abc import Mapping
from dataclasses import replace

from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.resolve.overlay import overlay
from mizzen.resolve.proxies.pods import CONFIG_ANNOTATION, PodGroup, without_labels_of_one_pod
from mizzen.resolve.proxies.workloads import Workload, gateway_workloads
from mizzen.resources.declaring.compile import decoder_of
from mizzen.resources.declaring.declare import Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.gateway_values import namespace_of, with_values
from mizzen.resources.istio.mesh import ProxyConfig
from mizzen.resources.istio.operator import (
    CHART_PORTS,
    GatewayComponent,
    KubernetesResources,
    OperatorEnvVar,
)
from mizzen.resources.kubernetes.core import ServicePort
from mizzen.resources.world import World
from mizzen.resources.yaml.construct import Broken, construct

CODES = {"GW-008": "A gateway's annotation proxy.istio.io/config cannot be read; it takes no part."}

DEFAULT_NAME = "istio-ingressgateway"
DEFAULT_NAMESPACE = "istio-system"

# Profiles of IstioOperator that bring no ingress gateway of their own.
_WITHOUT_GATEWAY = frozenset({"minimal", "empty", "remote", "ambient"})
_HTTP3_PORT = ServicePort(name="http3", port=443, target_port=8443, protocol="UDP")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredGateway:
    """One gateway as it was asked for."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    component: GatewayComponent
    ports: tuple[ServicePort, ...]  # of the Service that its installation brings
    variant: str = ""  # tells apart what has one name and differs
    workload: Workload | None = None  # that its Pods are made of
    origin: ResourceRef
    configured_at: str = ""  # field of `origin` (of the workload, where there is one) with its annotations

    @property
    def service_host(self) -> str:
        return f"{self.name}.{self.namespace}.svc.cluster.local"


def declared_gateways(world: World) -> tuple[DeclaredGateway, ...]:
    """Every gateway there is: enabled entries of all IstioOperators, and workloads; or else the built-in one.

    A workload that is scaled to 0 is no gateway, and says that one is not wanted.
    """
    workloads = gateway_workloads(world)
    found = _of_operators(world)
    for workload in workloads:
        found[workload.key] = _of_workload(workload, found.get(workload.key))
        if workload.is_off:
            del found[workload.key]
    return tuple(found.values()) if workloads or found else _unless_declared(world)


def _of_operators(world: World) -> dict[tuple[str, str], DeclaredGateway]:
    found: dict[tuple[str, str], DeclaredGateway] = {}
    disabled: set[tuple[str, str]] = set()
    for operator in world.operators:
        values, home = operator.spec.values.gateways.ingress, namespace_of(operator.spec)
        for said in operator.spec.components.ingress_gateways:
            component = with_values(said, values)
            gateway = _declared(component, home, operator.ref, CHART_PORTS)
            key = (gateway.namespace, gateway.name)
            if key in found:
                both = overlay(found[key].component, component)
                gateway = _declared(both, home, found[key].origin, CHART_PORTS)
            found[key] = gateway
            (disabled.add if component.enabled is False else disabled.discard)(key)
    return {key: gateway for key, gateway in found.items() if key not in disabled}


def _unless_declared(world: World) -> tuple[DeclaredGateway, ...]:
    """The gateway that there is where nothing declares one."""
    if not world.operators:
        origin = ResourceRef(
            kind="IstioOperator", group="install.istio.io", namespace=DEFAULT_NAMESPACE, name="built-in"
        )
        return (_declared(GatewayComponent(), DEFAULT_NAMESPACE, origin, (*CHART_PORTS, _HTTP3_PORT)),)
    is_listed = any(one.spec.components.ingress_gateways for one in world.operators)
    if is_listed or all(one.spec.profile in _WITHOUT_GATEWAY for one in world.operators):
        return ()
    first = world.operators[0]
    component = with_values(GatewayComponent(), first.spec.values.gateways.ingress)
    if component.enabled is False:
        return ()
    return (_declared(component, namespace_of(first.spec), first.ref, CHART_PORTS),)


def _of_workload(workload: Workload, declared: DeclaredGateway | None) -> DeclaredGateway:
    """A workload, laid over what an IstioOperator declares of the same gateway. Its ports are those of its Services."""
    template = workload.template
    env = tuple(OperatorEnvVar(name=variable.name, value=variable.value) for variable in workload.env)
    known = declared.component.k8s if declared else KubernetesResources()
    k8s = replace(
        known,
        env=(*known.env, *env),
        pod_annotations={**known.pod_annotations, **template.meta.annotations},
    )
    is_configured = CONFIG_ANNOTATION in template.meta.annotations or declared is None
    return DeclaredGateway(
        name=workload.name,
        namespace=template.namespace,
        labels={
            **(declared.labels if declared else {}),
            **without_labels_of_one_pod(template.meta.labels),
        },
        component=replace(declared.component if declared else GatewayComponent(), k8s=k8s),
        ports=declared.ports if declared else (),
        workload=workload,
        origin=workload.ref if declared is None else declared.origin,
        configured_at=f"{workload.at}.annotations" if is_configured else "",
    )


def of_pods(group: PodGroup) -> DeclaredGateway:
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


def own_config(gateway: DeclaredGateway) -> tuple[ProxyConfig, tuple[Problem, ...]]:
    """The ProxyConfig of the annotation proxy.istio.io/config (YAML), and what is wrong with it.

    A broken one counts as empty: the gateway runs on the mesh's.
    """
    text = gateway.component.k8s.pod_annotations.get(CONFIG_ANNOTATION, "")
    at = f"{gateway.configured_at or f'{gateway.component.at}.k8s.podAnnotations'}[{CONFIG_ANNOTATION}]"
    found = Findings(gateway.workload.ref if gateway.workload and gateway.configured_at else gateway.origin)
    return annotated(text, at, found), found.all()


def annotated(text: str, at: str, found: Findings) -> ProxyConfig:
    """What the annotation proxy.istio.io/config says; nothing where it is broken."""
    if not text.strip():
        return ProxyConfig()
    try:
        documents = construct(text)
    except Broken as broken:
        found.error("GW-008", at, f"the annotation {CONFIG_ANNOTATION} is no YAML: {broken.message}")
        return ProxyConfig()
    read = decoder_of(ProxyConfig, Unknown.WARN)(documents[0].value if documents else {}, at, found)
    return read if isinstance(read, ProxyConfig) else ProxyConfig()
