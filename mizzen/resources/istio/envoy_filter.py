"""EnvoyFilter: patches of Envoy's own configuration, as Istio's API words them (networking/v1alpha3)."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource, UInt32
from mizzen.resources.istio import retired
from mizzen.resources.istio.security import PolicyTargetReference

ApplyTo = Literal[
    "INVALID",
    "LISTENER",
    "FILTER_CHAIN",
    "NETWORK_FILTER",
    "HTTP_FILTER",
    "ROUTE_CONFIGURATION",
    "VIRTUAL_HOST",
    "HTTP_ROUTE",
    "CLUSTER",
    "EXTENSION_CONFIG",
    "BOOTSTRAP",
    "LISTENER_FILTER",
]
PatchContext = Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"]
Operation = Literal[
    "INVALID",
    "MERGE",
    "MERGE_AND_REPLACE_LIST",
    "ADD",
    "REMOVE",
    "INSERT_BEFORE",
    "INSERT_AFTER",
    "INSERT_FIRST",
    "REPLACE",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector(Element):
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyMatch(Element):
    proxy_version: Annotated[str, "a regular expression over Istio's version"] = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubFilterMatch(Element):
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterMatch(Element):
    name: str = ""
    sub_filter: SubFilterMatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChainMatch(Element):
    name: str = ""
    sni: str = ""
    transport_protocol: str = ""
    application_protocols: str = ""
    filter: FilterMatch | None = None
    destination_port: UInt32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerMatch(Element):
    port_number: Annotated[UInt32, "the port that is bound; 0: any"] = 0
    port_name: str = ""
    filter_chain: FilterChainMatch | None = None
    listener_filter: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRouteMatch(Element):
    name: str = ""
    action: Literal["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"] = "ANY"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualHostMatch(Element):
    name: str = ""
    route: HttpRouteMatch | None = None
    domain_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteConfigurationMatch(Element):
    port_number: UInt32 = 0
    port_name: str = ""
    gateway: Annotated[str, "namespace/name of the Gateway"] = ""
    vhost: VirtualHostMatch | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMatch(Element):
    port_number: UInt32 = 0
    service: str = ""
    subset: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaypointMatch(Element):
    """For proxies of the ambient mesh alone."""

    filter: FilterMatch | None = None
    port_number: UInt32 = 0
    route: HttpRouteMatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigObjectMatch(Element):
    """What of a proxy's configuration is meant."""

    context: PatchContext = "ANY"
    proxy: ProxyMatch | None = None
    listener: ListenerMatch | None = None
    route_configuration: RouteConfigurationMatch | None = None
    cluster: ClusterMatch | None = None
    waypoint: WaypointMatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch(Element):
    operation: Operation = "INVALID"
    value: Annotated[Mapping[str, Any], "Envoy's own message, as JSON"] = field(default_factory=dict)
    filter_class: Annotated[
        Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"], "not looked at, as in Istio since 1.15"
    ] = "UNSPECIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigPatch(Element):
    apply_to: ApplyTo = "INVALID"
    match: ConfigObjectMatch | None = None
    patch: Patch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyFilterSpec(Element):
    SUCCEEDED: ClassVar = retired.ENVOY_FILTER

    workload_selector: Annotated[LabelSelector | None, "none: every proxy of the namespace"] = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    config_patches: tuple[ConfigPatch, ...] = ()
    priority: Annotated[int, "lower is applied first"] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyFilter(Resource):
    """Patches of Envoy's configuration."""

    spec: EnvoyFilterSpec = field(default_factory=EnvoyFilterSpec)
