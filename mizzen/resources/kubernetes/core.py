"""The objects of Kubernetes that a gateway depends on. Fields that take no part are not declared."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Key, LooseText, Range, Resource

IntOrName = int | str
PortNumber = Annotated[int, Range(1, 65535)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort(Element):
    name: str = ""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    app_protocol: str = ""
    port: PortNumber
    target_port: Annotated[IntOrName | None, "unset: the port"] = None
    node_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec(Element):
    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    selector: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[ServicePort, ...] = ()
    cluster_ip: Annotated[str, Key("clusterIP")] = ""
    cluster_ips: Annotated[tuple[str, ...], Key("clusterIPs")] = ()
    external_name: str = ""
    external_ips: Annotated[tuple[str, ...], Key("externalIPs")] = ()
    publish_not_ready_addresses: bool = False
    internal_traffic_policy: str = ""
    external_traffic_policy: str = ""
    traffic_distribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Element):
    type: str = ""
    status: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortStatus(Element):
    """What a load balancer made of one port; `error`: why it does not carry it."""

    port: int = 0
    protocol: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerIngress(Element):
    ip: str = ""
    hostname: str = ""
    ports: tuple[PortStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerStatus(Element):
    ingress: tuple[LoadBalancerIngress, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus(Element):
    conditions: tuple[Condition, ...] = ()
    load_balancer: LoadBalancerStatus = field(default_factory=LoadBalancerStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Resource):
    spec: ServiceSpec = field(default_factory=ServiceSpec)
    status: ServiceStatus = field(default_factory=ServiceStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReference(Element):
    api_version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConditions(Element):
    """Unset differs from false: an endpoint that does not say whether it is ready is ready."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Element):
    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = field(default_factory=EndpointConditions)
    hostname: str = ""
    node_name: str = ""
    zone: str = ""
    target_ref: ObjectReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPort(Element):
    name: str = ""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    port: PortNumber | None = None
    app_protocol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSlice(Resource):
    address_type: Literal["", "IPv4", "IPv6", "FQDN"] = ""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAddress(Element):
    ip: str = ""
    hostname: str = ""
    node_name: str = ""
    target_ref: ObjectReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSubset(Element):
    """Addresses that have the same ports."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints(Resource):
    """Those of the Service of its name, as they were written before there were EndpointSlices."""

    subsets: tuple[EndpointSubset, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPort(Element):
    name: str = ""
    container_port: PortNumber | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvVar(Element):
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container(Element):
    name: str = ""
    image: str = ""
    args: tuple[LooseText, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec(Element):
    containers: tuple[Container, ...] = ()
    node_name: str = ""
    service_account_name: str = ""
    service_account: Annotated[str, "the old name of serviceAccountName"] = ""
    host_network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PodIP(Element):
    ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStatus(Element):
    phase: str = ""
    pod_ip: Annotated[str, Key("podIP")] = ""
    pod_ips: Annotated[tuple[PodIP, ...], Key("podIPs")] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod(Resource):
    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret(Resource):
    """`data` holds what base64 said, with `stringData` on top, as the API server stores it."""

    type: str = ""
    data: Mapping[str, bytes] = field(default_factory=dict)
    string_data: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.string_data:
            plain = {key: text.encode() for key, text in self.string_data.items()}
            # A frozen dataclass has no other way; from here on there is only `data`.
            object.__setattr__(self, "data", {**self.data, **plain})
            object.__setattr__(self, "string_data", {})

    def __repr__(self) -> str:
        keys = ", ".join(sorted(self.data))
        return f"Secret({self.namespace}/{self.name}, type={self.type!r}, data=<redacted: {keys}>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMap(Resource):
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace(Resource):
    """Not in a namespace itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Resource):
    """Not in a namespace; its labels tell the region and zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount(Resource):
    """Named by pods: who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Resource):
    """What happened to an object, as `kubectl describe` shows it."""

    involved_object: ObjectReference = field(default_factory=ObjectReference)
    reason: str = ""
    message: str = ""
