"""IstioOperator (install.istio.io): which gateways there are, their ports and switches, and the mesh."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from mizzen.resources.core import EnvVar, ServicePort
from mizzen.resources.declare import Element, LooseText, Resource
from mizzen.resources.mesh import MeshConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayService(Element):
    """k8s.service of a gateway. `ports` replaces the usual ports as a whole."""

    type: str = ""
    ports: tuple[ServicePort, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesResources(Element):
    service: GatewayService = field(default_factory=GatewayService)
    env: tuple[EnvVar, ...] = ()
    pod_annotations: Mapping[str, str] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    service_annotations: Mapping[str, str] = field(default_factory=dict)
    replica_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayComponent(Element):
    """One gateway. `label` is laid over the labels app: NAME, istio: ingressgateway."""

    name: str = ""
    namespace: str = ""
    enabled: bool | None = None
    label: Mapping[str, LooseText] = field(default_factory=dict)
    k8s: KubernetesResources = field(default_factory=KubernetesResources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(Element):
    """A component of which only the environment takes part (pilot)."""

    enabled: bool | None = None
    k8s: KubernetesResources = field(default_factory=KubernetesResources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Components(Element):
    ingress_gateways: tuple[GatewayComponent, ...] = ()
    egress_gateways: tuple[GatewayComponent, ...] = ()
    pilot: Component = field(default_factory=Component)


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotValues(Element):
    env: Annotated[Mapping[str, LooseText], "switches: PILOT_ENABLE_QUIC_LISTENERS and others"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Values(Element):
    pilot: PilotValues = field(default_factory=PilotValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class IstioOperatorSpec(Element):
    profile: str = ""
    hub: str = ""
    tag: LooseText = ""
    namespace: str = ""
    revision: str = ""
    mesh_config: MeshConfig = field(default_factory=MeshConfig)
    components: Components = field(default_factory=Components)
    values: Values = field(default_factory=Values)


@dataclass(frozen=True, slots=True, kw_only=True)
class IstioOperator(Resource):
    spec: IstioOperatorSpec = field(default_factory=IstioOperatorSpec)
