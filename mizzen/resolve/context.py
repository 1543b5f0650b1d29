"""What every step of resolving is given: the world, the gateway it is done for, and where to report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from mizzen.errors import Report, ResourceRef
from mizzen.resources.mesh import MeshConfig, ProxyConfig
from mizzen.resources.world import World


class ByService(Enum):
    """Clients dial the ports of the gateway's Service: something forwards them to the bound ports."""

    SERVICE = "service"


# Pairs (dialled port, bound port), or the Service's ports. () means clients dial the bound ports.
ExternalPorts = tuple[tuple[int, int], ...] | ByService


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Istio's feature switches that take part (values.pilot.env, else the environment)."""

    quic_listeners: bool = False  # PILOT_ENABLE_QUIC_LISTENERS
    scope_gateway_to_namespace: bool = False  # PILOT_SCOPE_GATEWAY_TO_NAMESPACE
    filter_gateway_clusters: bool = False  # PILOT_FILTER_GATEWAY_CLUSTER_CONFIG
    send_unhealthy_endpoints: bool = True  # PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS
    http10: bool = False  # PILOT_HTTP10
    dual_stack: bool = False  # ISTIO_DUAL_STACK
    trace_sampling: float = 1.0  # PILOT_TRACE_SAMPLING, percent
    # Whom backends are verified against where no CA is named: a file on Envoy's machine.
    system_roots: str = "/etc/ssl/certs/ca-certificates.crt"  # SSL_CERT_FILE
    internal_networks: bool = False  # ENABLE_HCM_INTERNAL_NETWORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTarget:
    """One port of a Service that selects the gateway. 443/TCP and 443/UDP are two of them."""

    port: int
    target_port: int
    udp: bool
    name: str
    service: str  # host of the Service: "istio-ingressgateway.istio-system.svc.cluster.local"
    translate: bool = True  # False: labelled experimental.istio.io/disable-gateway-port-translation


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The gateway or sidecar that a model is made for."""

    kind: Literal["router", "sidecar"] = "router"
    name: str
    namespace: str
    labels: Mapping[str, str]
    targets: tuple[ServiceTarget, ...]  # sorted by age of the Service, then its host; then in its order
    service_account: str = ""
    address: str = ""  # of a sidecar's workload
    # Of a sidecar's workload, by the name of the service's port.
    ports: Mapping[str, int] = field(default_factory=dict)
    intercepted: bool = False  # the kernel redirects what the workload sends and gets to its sidecar
    unprivileged: bool = False  # ports below 1024 cannot be bound
    ipv6_only: bool = False
    region: str = ""
    zone: str = ""
    subzone: str = ""
    node_name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)  # ISTIO_META_*: IDLE_TIMEOUT, HTTP10 ...
    config: ProxyConfig  # the mesh's defaultConfig with this gateway's own on top
    external_ports: ExternalPorts = ()
    variant: str = ""  # Pods of one Deployment that differ (during a rollout, or in two zones)
    instances: tuple[str, ...] = ()  # its Pods as their Envoys call themselves ("name.namespace"); (): itself
    origin: ResourceRef  # the IstioOperator (or a built-in default)

    @property
    def called(self) -> str:
        """What users call it: "istio-ingressgateway.istio-system"."""
        return f"{self.name}.{self.namespace}"

    @property
    def key(self) -> str:
        """What tells it from all others: what it is called, unless Pods of one name differ."""
        return f"{self.called}{self.variant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Handed to every resolver. `report` takes a Problem and returns nothing."""

    world: World
    proxy: Proxy
    mesh: MeshConfig
    switches: Switches
    report: Report
    remember: Callable[[Any], None] = lambda _: (
        None
    )  # how the backends were made (resolve.backends.Upstreams)
