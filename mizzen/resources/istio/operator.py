"""IstioOperator (install.istio.io): which gateways there are, their ports and switches, and the mesh.

What concerns Kubernetes alone (affinity, probes, metrics of an autoscaler ...) is handed on as it is written: the
API server knows those fields better. A field that takes no part is told, not refused: Istio has more of them.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Key, LooseText, Range, Resource, Unknown
from mizzen.resources.istio import idle, retired
from mizzen.resources.istio.mesh import MeshConfig
from mizzen.resources.kubernetes.core import IntOrName, ServicePort

AsWritten = Mapping[str, Any]
PullPolicy = Literal["", "Always", "IfNotPresent", "Never"]
Count = Annotated[int, Range(0, 2**31 - 1)]

# What the gateway chart opens when nobody says otherwise.
CHART_PORTS = (
    ServicePort(name="status-port", port=15021, target_port=15021),
    ServicePort(name="http2", port=80, target_port=8080),
    ServicePort(name="https", port=443, target_port=8443),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPart(Element):
    """Istio knows more fields here than take part: those are told, not refused."""

    UNKNOWN_FIELDS: ClassVar[Unknown] = Unknown.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorEnvVar(OperatorPart):
    """A variable of a container's environment: its value, or where Kubernetes shall take it from."""

    name: str = ""
    value: str = ""
    value_from: Annotated[AsWritten, "fieldRef, secretKeyRef ...: as in a Pod"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayService(OperatorPart):
    """k8s.service of a gateway. `ports` replaces the usual ports as a whole."""

    type: Literal["", "ClusterIP", "NodePort", "LoadBalancer"] = ""
    ports: tuple[ServicePort, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)
    cluster_ip: Annotated[str, Key("clusterIP")] = ""
    external_ips: Annotated[tuple[str, ...], Key("externalIPs")] = ()
    external_traffic_policy: Literal["", "Cluster", "Local"] = ""
    internal_traffic_policy: Literal["", "Cluster", "Local"] = ""
    health_check_node_port: Annotated[
        Annotated[int, Range(1, 65535)] | None, "of externalTrafficPolicy: Local"
    ] = None
    ip_families: tuple[Literal["IPv4", "IPv6"], ...] = ()
    ip_family_policy: Literal["", "SingleStack", "PreferDualStack", "RequireDualStack"] = ""
    load_balancer_ip: Annotated[str, Key("loadBalancerIP")] = ""
    load_balancer_class: str = ""
    load_balancer_source_ranges: tuple[str, ...] = ()
    allocate_load_balancer_node_ports: bool | None = None
    session_affinity: Literal["", "None", "ClientIP"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeResources(OperatorPart):
    """What a container asks for, and its bounds: quantities of Kubernetes (100m, 128Mi)."""

    requests: Mapping[str, LooseText] = field(default_factory=dict)
    limits: Mapping[str, LooseText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizontalPodAutoscalerSpec(OperatorPart):
    """hpaSpec: with it, an autoscaler says how many Pods there are."""

    min_replicas: Annotated[Count | None, "unset: 1"] = None
    max_replicas: Annotated[Count | None, "unset: 5"] = None
    metrics: Annotated[tuple[AsWritten, ...], "as in autoscaling/v2; unset: 80 % of the CPU asked for"] = ()
    behavior: Annotated[AsWritten, "as in autoscaling/v2"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodDisruptionBudgetSpec(OperatorPart):
    """How many Pods a drained node may take away. One of the two fields."""

    min_available: IntOrName | None = None
    max_unavailable: IntOrName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayPatch(OperatorPart):
    """One change of a manifest. Without a value, what `path` names is removed."""

    path: Annotated[str, "spec.template.spec.containers.[name:discovery].args.[-1]"] = ""
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestOverlay(OperatorPart):
    """The manifest that is changed, and its changes in order."""

    api_version: Annotated[str, "unset: any"] = ""
    kind: str = ""
    name: str = ""
    patches: tuple[OverlayPatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesResources(OperatorPart):
    service: GatewayService = field(default_factory=GatewayService)
    env: tuple[OperatorEnvVar, ...] = ()
    resources: ComputeResources = field(default_factory=ComputeResources)
    replica_count: Annotated[Count | None, "unset: 1"] = None
    hpa_spec: HorizontalPodAutoscalerSpec | None = None
    pod_disruption_budget: PodDisruptionBudgetSpec | None = None
    pod_annotations: Mapping[str, str] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    service_annotations: Mapping[str, str] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    affinity: Annotated[AsWritten, "as in a Pod"] = field(default_factory=dict)
    tolerations: Annotated[tuple[AsWritten, ...], "as in a Pod"] = ()
    priority_class_name: str = ""
    image_pull_policy: PullPolicy = ""
    strategy: Annotated[AsWritten, "as in a Deployment"] = field(default_factory=dict)
    readiness_probe: Annotated[AsWritten, "laid over the usual one"] = field(default_factory=dict)
    security_context: Annotated[AsWritten, "of the Pod, laid over the usual one"] = field(
        default_factory=dict
    )
    volumes: Annotated[tuple[AsWritten, ...], "added to the usual ones"] = ()
    volume_mounts: Annotated[tuple[AsWritten, ...], "added to the usual ones"] = ()
    overlays: Annotated[tuple[ManifestOverlay, ...], "applied last, to the manifests of the component"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayComponent(OperatorPart):
    """One gateway. `label` is laid over the labels app: NAME, istio: ingressgateway."""

    name: str = ""
    namespace: str = ""
    enabled: bool | None = None
    hub: str = ""
    tag: LooseText = ""
    label: Mapping[str, LooseText] = field(default_factory=dict)
    k8s: KubernetesResources = field(default_factory=KubernetesResources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(OperatorPart):
    """A component of which there is one (pilot, base)."""

    enabled: bool | None = None
    hub: str = ""
    tag: LooseText = ""
    k8s: KubernetesResources = field(default_factory=KubernetesResources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Components(OperatorPart):
    RETIRED: ClassVar = retired.COMPONENTS

    ingress_gateways: tuple[GatewayComponent, ...] = ()
    egress_gateways: tuple[GatewayComponent, ...] = ()
    pilot: Component = field(default_factory=Component)
    base: Component = field(default_factory=Component)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVolume(OperatorPart):
    """A Secret that is mounted into a gateway's Pods."""

    name: str = ""
    secret_name: str = ""
    mount_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTarget(OperatorPart):
    target_average_utilization: Annotated[int | None, Range(1, 1000), "percent"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayValues(OperatorPart):
    """What Istio's chart of a gateway takes: it lies below what `components` say (`gateway_values`)."""

    name: str = ""
    namespace: str = ""
    enabled: bool | None = None
    labels: Mapping[str, LooseText] = field(default_factory=dict)
    ports: Annotated[tuple[ServicePort, ...], "in the place of the usual ones"] = ()
    type: Literal["", "ClusterIP", "NodePort", "LoadBalancer"] = ""
    external_traffic_policy: Literal["", "Cluster", "Local"] = ""
    external_ips: Annotated[tuple[str, ...], Key("externalIPs")] = ()
    load_balancer_ip: Annotated[str, Key("loadBalancerIP")] = ""
    load_balancer_class: str = ""
    load_balancer_source_ranges: tuple[str, ...] = ()
    ip_families: tuple[Literal["IPv4", "IPv6"], ...] = ()
    ip_family_policy: Literal["", "SingleStack", "PreferDualStack", "RequireDualStack"] = ""
    service_annotations: Mapping[str, LooseText] = field(default_factory=dict)
    pod_annotations: Mapping[str, LooseText] = field(default_factory=dict)
    env: Mapping[str, LooseText] = field(default_factory=dict)
    resources: ComputeResources = field(default_factory=ComputeResources)
    replica_count: Count | None = None
    autoscale_enabled: bool | None = None
    autoscale_min: Count | None = None
    autoscale_max: Count | None = None
    cpu: CpuTarget = field(default_factory=CpuTarget)
    rolling_max_surge: IntOrName | None = None
    rolling_max_unavailable: IntOrName | None = None
    node_selector: Mapping[str, LooseText] = field(default_factory=dict)
    tolerations: Annotated[tuple[AsWritten, ...], "as in a Pod"] = ()
    affinity: Annotated[AsWritten, "as in a Pod"] = field(default_factory=dict)
    secret_volumes: tuple[SecretVolume, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaysValues(OperatorPart):
    ingress: Annotated[GatewayValues, Key("istio-ingressgateway")] = field(default_factory=GatewayValues)
    egress: Annotated[GatewayValues, Key("istio-egressgateway")] = field(default_factory=GatewayValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotValues(OperatorPart):
    env: Annotated[Mapping[str, LooseText], "switches: PILOT_ENABLE_QUIC_LISTENERS and others"] = field(
        default_factory=dict
    )
    trace_sampling: Annotated[float | None, Range(0, 100), "percent"] = None
    replica_count: Count | None = None
    autoscale_enabled: bool | None = None
    autoscale_min: Count | None = None
    autoscale_max: Count | None = None
    resources: ComputeResources = field(default_factory=ComputeResources)
    node_selector: Mapping[str, LooseText] = field(default_factory=dict)
    tolerations: Annotated[tuple[AsWritten, ...], "as in a Pod"] = ()
    affinity: Annotated[AsWritten, "as in a Pod"] = field(default_factory=dict)
    pod_annotations: Mapping[str, LooseText] = field(default_factory=dict)
    pod_labels: Mapping[str, LooseText] = field(default_factory=dict)
    service_annotations: Mapping[str, LooseText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicyValues(OperatorPart):
    """Whether NetworkPolicies say who may reach the control plane and the gateways."""

    enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyValues(OperatorPart):
    """Of every sidecar."""

    resources: ComputeResources = field(default_factory=ComputeResources)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalValues(OperatorPart):
    IDLE: ClassVar = idle.GLOBAL_VALUES

    istio_namespace: Annotated[str, "after spec.namespace"] = ""
    proxy: ProxyValues = field(default_factory=ProxyValues)
    hub: Annotated[str, "after spec.hub"] = ""
    tag: Annotated[LooseText, "after spec.tag"] = ""
    image_pull_policy: PullPolicy = ""
    image_pull_secrets: Annotated[tuple[str, ...], "names of Secrets"] = ()
    priority_class_name: str = ""
    network_policy: NetworkPolicyValues = field(default_factory=NetworkPolicyValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values(OperatorPart):
    IDLE: ClassVar = idle.VALUES

    pilot: PilotValues = field(default_factory=PilotValues)
    gateways: GatewaysValues = field(default_factory=GatewaysValues)
    mesh_config: Annotated[MeshConfig, "below spec.meshConfig"] = field(default_factory=MeshConfig)
    revision: Annotated[str, "after spec.revision"] = ""
    global_: Annotated[GlobalValues, Key("global")] = field(default_factory=GlobalValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class IstioOperatorSpec(OperatorPart):
    RETIRED: ClassVar = retired.OPERATOR

    profile: Annotated[str, "default, minimal, demo or empty"] = ""
    hub: Annotated[str, "where images are: HUB/mizzen:TAG"] = ""
    tag: LooseText = ""
    namespace: str = ""
    revision: str = ""
    mesh_config: MeshConfig = field(default_factory=MeshConfig)
    components: Components = field(default_factory=Components)
    values: Values = field(default_factory=Values)


@dataclass(frozen=True, slots=True, kw_only=True)
class IstioOperator(Resource):
    spec: IstioOperatorSpec = field(default_factory=IstioOperatorSpec)
