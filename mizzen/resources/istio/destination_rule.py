"""DestinationRule (networking.istio.io): how a backend is balanced, limited, watched and secured."""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Duration, Element, Int32, Key, Range, Resource, UInt32
from mizzen.resources.istio import retired
from mizzen.resources.istio.virtual_service import PortSelector

Percentage = Annotated[int, Range(0, 100)]
RingSize = Annotated[int, Range(0, 2**23)]  # Envoy's limit (RingHashLbConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpKeepalive(Element):
    probes: Annotated[int, Range(0, 127), "unset: the kernel's; Linux has no more than 127"] = 0
    time: Duration | None = None
    interval: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TCPSettings(Element):
    max_connections: Int32 = 0
    connect_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    max_connection_duration: Duration | None = None
    idle_timeout: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Http2KeepAlive(Element):
    interval: Duration | None = None
    timeout: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPSettings(Element):
    http1_max_pending_requests: Int32 = 0
    http2_max_requests: Int32 = 0
    max_requests_per_connection: Int32 = 0
    max_retries: Int32 = 0
    idle_timeout: Duration | None = None
    h2_upgrade_policy: Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"] = "DEFAULT"
    use_client_protocol: bool = False
    max_concurrent_streams: Int32 = 0
    http2_keep_alive: Annotated[Http2KeepAlive | None, Key("http2KeepAlive", also=("http2Keepalive",))] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPoolSettings(Element):
    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieAttribute(Element):
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPCookie(Element):
    name: str = ""
    path: str = ""
    ttl: timedelta | None = None
    attributes: tuple[CookieAttribute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RingHash(Element):
    minimum_ring_size: RingSize = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MagLev(Element):
    table_size: Annotated[int, Range(0, 2**64 - 1)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistentHashLB(Element):
    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"),
        ("ringHash", "maglev"),
    )
    RETIRED: ClassVar = retired.CONSISTENT_HASH

    http_header_name: str | None = None
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool | None = None
    http_query_parameter_name: str | None = None
    ring_hash: RingHash | None = None
    maglev: MagLev | None = None
    minimum_ring_size: Annotated[RingSize, "deprecated: ringHash.minimumRingSize"] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribute(Element):
    from_: Annotated[str, Key("from")] = ""
    to: Mapping[str, UInt32] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover(Element):
    from_: Annotated[str, Key("from")] = ""
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalityLoadBalancerSetting(Element):
    distribute: tuple[Distribute, ...] = ()
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAwareLbSetting(Element):
    enabled: bool | None = None
    min_cluster_size: Annotated[int | None, Range(1, 2**32 - 1)] = None
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmupConfiguration(Element):
    duration: Duration | None = None
    minimum_percent: float | None = None
    aggression: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendUtilization(Element):
    """Accepted and without effect, as in Istio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerSettings(Element):
    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("simple", "consistentHash"),
        ("localityLbSetting", "zoneAwareLbSetting"),
    )
    RETIRED: ClassVar = retired.LOAD_BALANCER

    simple: (
        Literal["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"] | None
    ) = None
    consistent_hash: ConsistentHashLB | None = None
    backend_utilization: BackendUtilization | None = None
    locality_lb_setting: LocalityLoadBalancerSetting | None = None
    zone_aware_lb_setting: ZoneAwareLbSetting | None = None
    warmup_duration_secs: Annotated[timedelta | None, "deprecated: warmup"] = None
    warmup: WarmupConfiguration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierDetection(Element):
    RETIRED: ClassVar = retired.OUTLIER_DETECTION

    consecutive_errors: Annotated[Int32, "deprecated: consecutive5xxErrors"] = 0
    split_external_local_origin_errors: bool = False
    consecutive_local_origin_failures: UInt32 | None = None
    consecutive_gateway_errors: UInt32 | None = None
    consecutive_5xx_errors: UInt32 | None = None
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: Percentage | None = None
    min_health_percent: Percentage | None = None
    outlier_detection_http_error_codes: tuple[Annotated[int, Range(100, 599)], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTLSSettings(Element):
    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] = "DISABLE"
    client_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    credential_name: str = ""
    subject_alt_names: tuple[str, ...] = ()
    sni: str = ""
    insecure_skip_verify: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelSettings(Element):
    protocol: str = ""
    target_host: str = ""
    target_port: UInt32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyProtocol(Element):
    version: Literal["V1", "V2"] = "V1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBudget(Element):
    percent: Annotated[float | None, Range(0, 100)] = None
    budget_interval: timedelta | None = None
    min_retry_concurrency: UInt32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PortTrafficPolicy(Element):
    """One item of portLevelSettings."""

    port: PortSelector | None = None
    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficPolicy(Element):
    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("tunnel", "proxyProtocol"),)

    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None
    port_level_settings: tuple[PortTrafficPolicy, ...] = ()
    tunnel: TunnelSettings | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset(Element):
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    traffic_policy: TrafficPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadLabelSelector(Element):
    match_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRuleSpec(Element):
    RETIRED: ClassVar = retired.DESTINATION_RULE

    host: str = ""
    traffic_policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: tuple[str, ...] = ()
    workload_selector: WorkloadLabelSelector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRule(Resource):
    spec: DestinationRuleSpec = field(default_factory=DestinationRuleSpec)
