"""Which gateways there are: what IstioOperators declare, and what Pods are.

An IstioOperator declares one gateway per entry of `components.ingressGateways`. Without any there is one,
called istio-ingressgateway, with HTTP/3 on.
"""

from collections.abc import Mapping

from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.resolve.overlay import overlay
from mizzen.resolve.proxies.pods import CONFIG_ANNOTATION, PodGroup
from mizzen.resources.declaring.compile import decoder_of
from mizzen.resources.declaring.declare import Unknown
from mizzen.resources.declaring.findings import Findings
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
