"""MeshConfig and ProxyConfig: what holds for every gateway, from an IstioOperator's meshConfig.

Unset (None) differs from every value where a gateway's own ProxyConfig is laid over the mesh's; the
defaults of the mesh as a whole (connectTimeout 10 s, trustDomain cluster.local ...) stand in the
declaration.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import (
    HeaderText,
    Int32,
    Key,
    LooseText,
    Range,
    UInt32,
)
from mizzen.resources.istio import idle, retired
from mizzen.resources.istio.destination_rule import (
    ConnectionPoolSettings,
    LocalityLoadBalancerSetting,
    OutlierDetection,
    TcpKeepalive,
    ZoneAwareLbSetting,
)
from mizzen.resources.istio.gateway import TlsVersion
from mizzen.resources.istio.provider import ExtensionProvider, MeshPart
from mizzen.resources.istio.telemetry import CustomTag
from mizzen.resources.istio.virtual_service import HTTPRetry

ForwardClientCertDetails = Literal[
    "UNDEFINED", "SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"
]


Window = Annotated[int, Range(2**16 - 1, 2**31 - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyProtocolConfiguration(MeshPart):
    """Present: clients are behind something that speaks the PROXY protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology(MeshPart):
    """gatewayTopology: what stands in front of the gateway."""

    num_trusted_proxies: UInt32 | None = None
    forward_client_cert_details: ForwardClientCertDetails | None = None
    proxy_protocol: ProxyProtocolConfiguration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHeader(MeshPart):
    disabled: bool | None = None
    value: Annotated[str, HeaderText()] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disableable(MeshPart):
    disabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enableable(MeshPart):
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCurrentClientCertDetails(MeshPart):
    subject: bool | None = None
    cert: bool | None = None
    chain: bool | None = None
    dns: bool | None = None
    uri: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHeaders(MeshPart):
    IDLE: ClassVar = idle.PROXY_HEADERS

    forwarded_client_cert: ForwardClientCertDetails | None = None
    set_current_client_cert_details: SetCurrentClientCertDetails | None = None
    request_id: Disableable | None = None
    server: ServerHeader | None = None
    attempt_count: Disableable | None = None
    envoy_debug_headers: Disableable | None = None
    preserve_http1_header_case: bool | None = None
    x_forwarded_host: Enableable | None = None
    x_forwarded_port: Enableable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings(MeshPart):
    """How much a client may ask of a connection, within what RFC 9113 (and so Envoy) allows. Profile EDGE fills in what is
    unset (istio/api mesh/v1alpha1/proxy.proto)."""

    IDLE: ClassVar = idle.CONNECTION_SETTINGS

    profile: Literal["SIDECAR", "EDGE"] | None = None
    listener_per_connection_buffer_limit_bytes: Int32 | None = None
    global_downstream_connection_limit: Annotated[int | None, "of the whole Envoy"] = None
    http_idle_timeout: timedelta | None = None
    http_max_connection_duration: timedelta | None = None
    http_max_stream_duration: timedelta | None = None
    http_stream_idle_timeout: timedelta | None = None
    http_request_timeout: timedelta | None = None
    http_request_headers_timeout: timedelta | None = None
    http_drain_timeout: timedelta | None = None
    http_max_concurrent_streams: Annotated[int | None, Range(1, 2**31 - 1)] = None
    http2_initial_stream_window_size: Window | None = None
    http2_initial_connection_window_size: Window | None = None
    http_headers_with_underscores_action: (
        Literal[
            "HEADERS_WITH_UNDERSCORES_UNSPECIFIED",
            "HEADERS_WITH_UNDERSCORES_ALLOW",
            "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
            "HEADERS_WITH_UNDERSCORES_DROP_HEADER",
        ]
        | None
    ) = None
    http_merge_slashes: bool | None = None
    http_path_with_escaped_slashes_action: (
        Literal[
            "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED",
            "KEEP_UNCHANGED",
            "REJECT_REQUEST",
            "UNESCAPE_AND_REDIRECT",
            "UNESCAPE_AND_FORWARD",
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorAddress(MeshPart):
    address: Annotated[str, "HOST:PORT of the collector"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing(MeshPart):
    """Who collects spans, and how many requests are sampled."""

    zipkin: CollectorAddress | None = None
    datadog: CollectorAddress | None = None
    sampling: Annotated[float | None, Range(0, 100), "percent"] = None
    custom_tags: Mapping[str, CustomTag] | None = None
    max_path_tag_length: UInt32 = 0
    enable_istio_tags: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig(MeshPart):
    """How one proxy behaves: meshConfig.defaultConfig, or a gateway's annotation proxy.istio.io/config."""

    RETIRED: ClassVar = retired.PROXY_CONFIG
    IDLE: ClassVar = idle.PROXY_CONFIG
    MISSED: ClassVar = idle.MISSED_IN_PROXY_CONFIG

    gateway_topology: Topology | None = None
    proxy_headers: ProxyHeaders | None = None
    connection_settings: ConnectionSettings | None = None
    tracing: Tracing | None = None
    envoy_access_log_service: Annotated[CollectorAddress | None, "of enableEnvoyAccessLogService"] = None
    proxy_metadata: Mapping[str, LooseText] = field(default_factory=dict)
    runtime_values: Annotated[Mapping[str, LooseText], "of what mizzen does not set itself"] = field(
        default_factory=dict
    )
    concurrency: Int32 | None = None
    drain_duration: Annotated[timedelta | None, "for connections to what is removed; unset: 20s"] = None
    termination_drain_duration: Annotated[timedelta | None, "for clients to leave; unset: 5s"] = None
    status_port: Int32 | None = None
    discovery_address: Annotated[str, "every installation writes its own: not read"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultProviders(MeshPart):
    """Names of extensionProviders that hold where no Telemetry says otherwise."""

    tracing: Annotated[tuple[str, ...], "the first counts"] = ()
    access_logging: tuple[str, ...] = ()
    metrics: Annotated[tuple[str, ...], "only Istio's own Envoy makes these metrics"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig(MeshPart):
    """tlsDefaults: for servers (of modes that verify or present certificates) that say nothing themselves."""

    min_protocol_version: TlsVersion = "TLS_AUTO"
    ecdh_curves: tuple[str, ...] = ()
    cipher_suites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyPathNormalization(MeshPart):
    normalization: Literal["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] = "DEFAULT"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundTrafficPolicy(MeshPart):
    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY"] = "ALLOW_ANY"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultTrafficPolicy(MeshPart):
    """What fills in where no DestinationRule says anything of that block."""

    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceRequirement(MeshPart):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceSelector(MeshPart):
    """A LabelSelector of Kubernetes: all that it says must hold; an empty one fits every namespace."""

    match_labels: Mapping[str, str] = field(default_factory=dict)
    match_expressions: tuple[NamespaceRequirement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshConfig(MeshPart):
    RETIRED: ClassVar = retired.MESH_CONFIG
    IDLE: ClassVar = idle.MESH_CONFIG
    MISSED: ClassVar = idle.MISSED_IN_MESH_CONFIG

    connect_timeout: timedelta = timedelta(seconds=10)
    access_log_file: Annotated[str, "empty: no access log"] = ""
    access_log_format: Annotated[str, "empty: Istio's line"] = ""
    access_log_encoding: Literal["TEXT", "JSON"] = "TEXT"
    disable_envoy_listener_log: bool = False
    enable_envoy_access_log_service: bool = False
    proxy_http_port: Annotated[int, Range(0, 65535), "applications of sidecars may use it as HTTP proxy"] = 0
    enable_tracing: bool = True
    extension_providers: tuple[ExtensionProvider, ...] = ()
    default_providers: DefaultProviders = field(default_factory=DefaultProviders)
    default_config: ProxyConfig = field(default_factory=ProxyConfig)
    path_normalization: ProxyPathNormalization = field(default_factory=ProxyPathNormalization)
    default_http_retry_policy: HTTPRetry | None = None
    default_traffic_policy: DefaultTrafficPolicy | None = None
    outbound_cluster_stat_name: str = ""
    locality_lb_setting: LocalityLoadBalancerSetting | None = None
    zone_aware_lb_setting: ZoneAwareLbSetting | None = None
    dns_refresh_rate: timedelta = timedelta(seconds=60)
    tcp_keepalive: TcpKeepalive | None = None
    h2_upgrade_policy: Literal["DO_NOT_UPGRADE", "UPGRADE"] | None = None
    default_service_export_to: tuple[str, ...] = ("*",)
    default_virtual_service_export_to: tuple[str, ...] = ("*",)
    default_destination_rule_export_to: tuple[str, ...] = ("*",)
    root_namespace: str = "istio-system"
    trust_domain: str = "cluster.local"
    trust_domain_aliases: tuple[str, ...] = ()
    enable_auto_mtls: bool = True
    mesh_mtls: Annotated[
        TlsConfig | None,
        Key("meshMTLS"),
        "of servers that have the mesh's certificate; ecdhCurves do not count",
    ] = None
    tls_defaults: TlsConfig | None = None
    discovery_selectors: Annotated[
        tuple[NamespaceSelector, ...], "namespaces that count: one of these must fit; empty: all"
    ] = ()
    outbound_traffic_policy: OutboundTrafficPolicy = field(default_factory=OutboundTrafficPolicy)
    ingress_service: str = "istio-ingressgateway"
    ingress_selector: str = "ingressgateway"
    ingress_class: Annotated[str, "of Ingresses that are served, beside mizzen"] = "istio"
    ingress_controller_mode: Annotated[
        Literal["UNSPECIFIED", "OFF", "DEFAULT", "STRICT"], "DEFAULT: Ingresses without a class too"
    ] = "STRICT"


DEFAULT_MESH = MeshConfig()
