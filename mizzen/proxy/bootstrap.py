"""The bootstrap of a gateway's Envoy: all that it knows before the control plane tells it the rest. Pure.

The shape is that of Istio's gateways (cluster and listener names included, they are what people grep for),
with Unix sockets where Istio has loopback ports.
"""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from mizzen.authority.proof import HEADER
from mizzen.lazy import dataclass
from mizzen.proxy.stat_tags import stats_config
from mizzen.xds.start import SERVER_ID, START, Start

Json = dict[str, Any]

# Connections to a removed listener or chain get this long. Envoy's 600 s would be minutes in which a QUIC
# listener that had to be replaced loses new connections to its predecessor; Istio's 45 s is still more than
# a browser's patience. Past it, a stream that is still running is cut.
DRAIN_SECONDS = 20
MAX_CONNECTIONS = 2**31 - 1  # as many as the system gives us: Istio's choice

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_UPSTREAM_TLS = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_MUTATION = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
_CODEC = "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"
_CPU = "envoy.extensions.resource_monitors.cpu_utilization.v3.CpuUtilizationConfig"
_MAX_CONNECTIONS = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"

# What Istio's own bootstrap sets, since the behaviour of YAML that people have depends on it.
_ISTIO_RUNTIME = {
    "envoy.reloadable_features.coalesce_lb_rebuilds_on_batch_update": False,
    "envoy.reloadable_features.http_reject_path_with_fragment": False,
    "re2.max_program_size.error_level": 32768,
}
# A header that comes twice is judged as one value, joined by a comma. Else it is enough for an ALLOW if one of the two fits,
# and the backend may take the other.
_WHOLE_HEADERS = {"envoy.reloadable_features.rbac_match_headers_individually": False}
RUNTIME: Mapping[str, bool | int] = _ISTIO_RUNTIME | _WHOLE_HEADERS
# Session tickets over QUIC are made with the keys that we hand out; without this each worker makes its own.
_OF_ROUTERS = {"envoy.reloadable_features.quic_session_ticket_support": True}
# Envoy ends a connection on which many requests are called off soon. Who connects to a sidecar is a proxy, which calls
# off what its clients call off: a few of them would end the requests of all others (the proxy at the edge counts by client).
_OF_SIDECARS = {"overload.premature_reset_total_stream_count": 2**32}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """A control plane that is reached over mutual TLS of the mesh."""

    host: str
    port: int
    identity: str  # its SPIFFE name, which its certificate must have
    proof: str = field(default="", repr=False)  # that it is this proxy which shows its certificate there


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySpec:
    """One proxy's Envoy."""

    kind: str = "router"  # or "sidecar"
    name: str  # of the gateway or workload
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ads_socket: Path  # where the control plane serves its configuration
    sds_socket: Path  # where the proxy's own certificate is served
    admin_socket: Path  # where Envoy shall answer its administrator
    health_socket: Path  # who answers what arrives on `status_port`
    status_port: int = 15021
    prometheus_port: int = 15090
    bind: str = "0.0.0.0"  # of these two ports
    concurrency: int | None = None  # worker threads; None: one for each CPU
    drain_seconds: int = DRAIN_SECONDS  # for connections to a listener or chain that is removed
    max_connections: int = MAX_CONNECTIONS  # of clients, all together
    leaving_seconds: float | None = (
        None  # how long clients get to leave before it ends; None: who runs it says
    )
    runtime: Mapping[str, str] = field(default_factory=dict)  # more of it; what is set here stays
    address: str = "127.0.0.1"  # of this machine, as the control plane knows it
    metadata: Mapping[str, str] = field(default_factory=dict)  # more that its node says of itself
    pilot: Pilot | None = None  # a control plane on another machine, in the place of `ads_socket`
    server_id: str = (
        ""  # by which a balancer finds it (`http3.server_ids`), as somebody wrote it; "": it is derived
    )
    is_contained: bool = False  # its CPU is that of a container, which the kernel counts (cgroups)
    proof: str = field(default="", repr=False)  # that it is this proxy which asks at its two sockets
    start: Start = field(default_factory=Start)

    @property
    def key(self) -> str:
        """What users call it: "istio-ingressgateway.istio-system"."""
        return f"{self.name}.{self.namespace}"

    @property
    def own_listeners(self) -> frozenset[str]:
        """The two listeners of the bootstrap, by name (and in statistics): not for clients."""
        return frozenset(f"{self.bind}_{port}" for port in (self.status_port, self.prometheus_port))

    @property
    def node_id(self) -> str:
        """In Istio's form: type, address, instance, domain."""
        return f"{self.kind}~{self.address}~{self.key}~{self.namespace}.svc.cluster.local"


def bootstrap(spec: ProxySpec) -> bytes:
    """The bootstrap as JSON. The same bytes for the same spec."""
    return json.dumps(_bootstrap(spec), indent=1, sort_keys=True).encode()


def arguments(spec: ProxySpec, config: Path) -> tuple[str, ...]:
    """What to call the Envoy binary with, when `bootstrap(spec)` is stored in `config`."""
    workers = () if spec.concurrency is None else ("--concurrency", str(spec.concurrency))
    return (
        *("-c", str(config)),
        # Base id 0 belongs to the host, not to us; and a hot restart needs two parents.
        "--disable-hot-restart",
        *("--drain-time-s", str(spec.drain_seconds)),
        # Whoever speaks is told at once to go: a shutdown waits a few seconds, not the whole drain time.
        *("--drain-strategy", "immediate"),
        *("--log-level", "warning"),
        # As Istio's agent: else each use of a deprecated field is told of anew with each update, 270 bytes for every
        # route, and the log is all that Envoy and we are busy with.
        *("--component-log-level", "misc:error"),
        *("--file-flush-interval-msec", "1000"),
        *workers,
    )


def _runtime(spec: ProxySpec) -> Json:
    # An empty value takes back what would be set, in Istio; here what is set is needed.
    more = {key: value for key, value in spec.runtime.items() if key and value}
    return {**more, **RUNTIME, **(_OF_SIDECARS if spec.kind == "sidecar" else _OF_ROUTERS)}


def _bootstrap(spec: ProxySpec) -> Json:
    return {
        "node": {
            "id": spec.node_id,
            "cluster": spec.key,
            "metadata": {
                "NAME": spec.name,
                "NAMESPACE": spec.namespace,
                "LABELS": dict(spec.labels),
                **spec.metadata,
                **({SERVER_ID: spec.server_id} if spec.server_id else {}),
                **({START: spec.start.to_json()} if spec.start.number else {}),
            },
        },
        "admin": {"address": {"pipe": {"path": str(spec.admin_socket), "mode": 0o600}}},
        "dynamic_resources": _dynamic_resources(),
        "static_resources": {
            "clusters": [
                _pilot_cluster(spec.pilot)
                if spec.pilot
                else _cluster("xds-grpc", spec.ads_socket, _http2(spec.proof)),
                _cluster("sds-grpc", spec.sds_socket, _http2(spec.proof)),
                _cluster("agent", spec.health_socket),
                _cluster("prometheus_stats", spec.admin_socket),
            ],
            "listeners": [
                _listener(spec.bind, spec.status_port, "agent", "/healthz/ready", "agent"),
                _listener(spec.bind, spec.prometheus_port, "stats", "/stats/prometheus", "prometheus_stats"),
            ],
        },
        "layered_runtime": {
            "layers": [
                {"name": "global config", "static_layer": _runtime(spec)},
                {"name": "admin", "admin_layer": {}},
            ]
        },
        "overload_manager": _overload_manager(spec),
        "stats_config": stats_config(),
    }


def _dynamic_resources() -> Json:
    # Wait for the first configuration for as long as it takes: an Envoy without listeners is not ready.
    source = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    # Envoy's own back-off goes up to 30 s; the control plane is next door and back within a second.
    retry = {"retry_back_off": {"base_interval": "0.1s", "max_interval": "1s"}}
    return {
        "lds_config": source,
        "cds_config": source,
        "ads_config": {
            "api_type": "DELTA_GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc", "retry_policy": retry}}],
        },
    }


def _http2(proof: str = "") -> Json:
    """`proof` goes with every stream of the cluster, and so with nothing that Envoy passes on for others."""
    keepalive = {"interval": "30s", "timeout": "5s"}
    return {
        _HTTP_OPTIONS: {
            "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
            "explicit_http_config": {"http2_protocol_options": {"connection_keepalive": keepalive}},
            **({"http_filters": _showing(proof)} if proof else {}),
        }
    }


def _showing(proof: str) -> list[Json]:
    header = {
        "header": {"key": HEADER, "value": proof},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    mutation = {
        "@type": f"type.googleapis.com/{_MUTATION}",
        "mutations": {"request_mutations": [{"append": header}]},
    }
    return [
        {"name": "envoy.filters.http.header_mutation", "typed_config": mutation},
        {
            "name": "envoy.filters.http.upstream_codec",
            "typed_config": {"@type": f"type.googleapis.com/{_CODEC}"},
        },
    ]


def _cluster(name: str, path: Path, options: Json | None = None) -> Json:
    address = {"pipe": {"path": str(path)}}
    found = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    return found | ({"typed_extension_protocol_options": options} if options else {})


def _pilot_cluster(pilot: Pilot) -> Json:
    """The control plane's own certificate is judged by its SPIFFE name, ours and the roots come from beside us."""
    try:
        ipaddress.ip_address(pilot.host)
        kind = "STATIC"
    except ValueError:
        kind = "STRICT_DNS"
    where = {"socket_address": {"address": pilot.host, "port_value": pilot.port}}
    name = {"san_type": "URI", "matcher": {"exact": pilot.identity}}
    tls = {
        "@type": f"type.googleapis.com/{_UPSTREAM_TLS}",
        "common_tls_context": {
            "alpn_protocols": ["h2"],
            "tls_certificate_sds_secret_configs": [_identity("default")],
            "combined_validation_context": {
                "default_validation_context": {"match_typed_subject_alt_names": [name]},
                "validation_context_sds_secret_config": _identity("ROOTCA"),
            },
        },
    }
    return {
        "name": "xds-grpc",
        "type": kind,
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": "xds-grpc",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": where}}]}],
        },
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
        "typed_extension_protocol_options": _http2(pilot.proof),
    }


def _identity(name: str) -> Json:
    """A secret that is kept beside the proxy."""
    source = {
        "api_type": "DELTA_GRPC",
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [{"envoy_grpc": {"cluster_name": "sds-grpc"}}],
    }
    # For ever: without it there is no control plane.
    return {
        "name": name,
        "sds_config": {
            "api_config_source": source,
            "initial_fetch_timeout": "0s",
            "resource_api_version": "V3",
        },
    }


def _listener(bind: str, port: int, stat_prefix: str, prefix: str, cluster: str) -> Json:
    hcm = {
        "@type": f"type.googleapis.com/{_HCM}",
        "stat_prefix": stat_prefix,
        "codec_type": "AUTO",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "backend",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": prefix}, "route": _only(prefix, cluster)}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"type.googleapis.com/{_ROUTER}"},
            }
        ],
    }
    return {
        "name": f"{bind}_{port}",
        "stat_prefix": f"{bind}_{port}",
        "address": {"socket_address": {"address": bind, "port_value": port}},
        # Probes and metrics get through when the gateway has too much to do.
        "bypass_overload_manager": True,
        "ignore_global_conn_limit": True,
        # A second Envoy on this port shall fail, not answer every other probe.
        "enable_reuse_port": False,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": hcm}]}
        ],
    }


def _only(path: str, cluster: str) -> Json:
    """Ask for `path` whatever follows it in the request.

    Envoy's admin interface resolves "..": without this, /stats/prometheus/../../quitquitquit would be open to
    everybody who reaches the metrics port. The query stays.
    """
    rewrite = {"pattern": {"regex": "^.*$"}, "substitution": path}
    return {"cluster": cluster, "regex_rewrite": rewrite}


def _overload_manager(spec: ProxySpec) -> Json:
    """How many connections there may be, said in the way that Envoy asks for; and, of a Pod, how much CPU it uses, which
    the control plane reads (`plane.loads`)."""
    monitor = {
        "@type": f"type.googleapis.com/{_MAX_CONNECTIONS}",
        "max_active_downstream_connections": spec.max_connections,
    }
    name = "envoy.resource_monitors.global_downstream_max_connections"
    monitors = [{"name": name, "typed_config": monitor}]
    if spec.is_contained:
        cpu = {"@type": f"type.googleapis.com/{_CPU}", "mode": "CONTAINER"}
        monitors.append({"name": "envoy.resource_monitors.cpu_utilization", "typed_config": cpu})
    return {"resource_monitors": monitors}
