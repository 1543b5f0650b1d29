"""How a gateway meets its clients: MeshConfig and ProxyConfig -> Edge."""

from dataclasses import replace
from datetime import timedelta

from mizzen.errors import Problem, Severity
from mizzen.model.listener import LIMIT_HEADERS, LIMIT_KIB, Edge, HeaderCase, Http2Limits
from mizzen.resolve.context import Context
from mizzen.resolve.listeners.telemetry import Mode
from mizzen.resolve.listeners.tracing import trace_headers, trace_percent, tracing
from mizzen.resolve.overlay import overlay
from mizzen.resources.declaring import values
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.declaring.values import describe
from mizzen.resources.istio.mesh import ConnectionSettings, ProxyHeaders, Topology

CODES = {
    "GW-010": "A variable of the gateway's environment, or a switch, cannot be read; it takes no part.",
}

SERVER_NAME = "istio-envoy"

# What profile EDGE says where nothing else is said (ProxyConfig.connectionSettings).
_EDGE_PROFILE = ConnectionSettings(
    listener_per_connection_buffer_limit_bytes=32 * 1024,
    http_idle_timeout=timedelta(hours=1),
    http_stream_idle_timeout=timedelta(minutes=5),
    http_request_timeout=timedelta(minutes=5),
    http_request_headers_timeout=timedelta(seconds=60),
    http_max_concurrent_streams=100,
    http2_initial_stream_window_size=64 * 1024,
    http2_initial_connection_window_size=1024 * 1024,
    http_headers_with_underscores_action="HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
    http_merge_slashes=True,
    http_path_with_escaped_slashes_action="UNESCAPE_AND_REDIRECT",
)

_CLIENT_CERT = {
    "SANITIZE": "sanitize",
    "FORWARD_ONLY": "forward_only",
    "APPEND_FORWARD": "append_forward",
    "ALWAYS_FORWARD_ONLY": "always_forward_only",
}
_ESCAPED_SLASHES = {
    "REJECT_REQUEST": "reject_request",
    "UNESCAPE_AND_REDIRECT": "unescape_and_redirect",
    "UNESCAPE_AND_FORWARD": "unescape_and_forward",
}
_UNDERSCORES = {
    "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST": "reject_request",
    "HEADERS_WITH_UNDERSCORES_DROP_HEADER": "drop_header",
}

_LOOPBACK = ("127.0.0.0/8", "::1/128")
# Who is internal where ENABLE_HCM_INTERNAL_NETWORKS is on: what Envoy took for it before 1.33.
_PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", *_LOOPBACK)

# What Envoy takes for `max_request_headers_kb`, and a bound of our own for `max_headers_count`.
_MOST_KIB, _MOST_HEADERS = 8_191, 10_000


def edge(ctx: Context, mode: Mode = "CLIENT") -> Edge:
    """What holds for every listener of the proxy that meets traffic as `mode` says. Istio's defaults where nothing is
    said."""
    config, metadata = ctx.proxy.config, ctx.proxy.metadata
    topology = config.gateway_topology or Topology()
    headers = config.proxy_headers or ProxyHeaders()
    settings = _settings(ctx)
    normalize, merge, escaped = _paths(ctx, settings)
    server = headers.server
    buffer_limit = settings.listener_per_connection_buffer_limit_bytes
    internal, believes_internal = _internal_clients(ctx, topology)
    return Edge(
        trusted_hops=topology.num_trusted_proxies or 0,
        client_cert_header=client_certificates(topology.forward_client_cert_details, "sanitize_set"),
        server_header=None if server and server.disabled else (server.value if server else "") or SERVER_NAME,
        request_id=not (headers.request_id and headers.request_id.disabled),
        suppress_envoy_headers=bool(headers.envoy_debug_headers and headers.envoy_debug_headers.disabled),
        forwarded_port=bool(headers.x_forwarded_port and headers.x_forwarded_port.enabled),
        accept_http_10=ctx.switches.http10 or metadata.get("HTTP10") == "1",
        header_case=HeaderCase.PRESERVE if headers.preserve_http1_header_case else HeaderCase.LOWER,
        normalize_path=normalize,
        merge_slashes=merge,
        escaped_slashes=escaped,
        header_limits=ctx.switches.header_limits,
        most_header_kib=_limit(
            ctx, "MIZZEN_MAX_REQUEST_HEADERS_KB", ctx.switches.most_header_kib, LIMIT_KIB, _MOST_KIB
        ),
        most_headers=_limit(
            ctx, "MIZZEN_MAX_REQUEST_HEADERS_COUNT", ctx.switches.most_headers, LIMIT_HEADERS, _MOST_HEADERS
        ),
        underscores=_UNDERSCORES.get(settings.http_headers_with_underscores_action or "", "allow"),
        idle_timeout=settings.http_idle_timeout
        if settings.http_idle_timeout is not None
        else idle_timeout(ctx),
        max_connection_duration=settings.http_max_connection_duration,
        max_stream_duration=settings.http_max_stream_duration,
        stream_idle_timeout=settings.http_stream_idle_timeout or timedelta(0),
        request_timeout=settings.http_request_timeout,
        request_headers_timeout=settings.http_request_headers_timeout,
        drain_timeout=settings.http_drain_timeout,
        http2=Http2Limits(
            max_concurrent_streams=settings.http_max_concurrent_streams,
            stream_window=settings.http2_initial_stream_window_size,
            connection_window=settings.http2_initial_connection_window_size,
        ),
        buffer_limit=buffer_limit if buffer_limit is not None and buffer_limit >= 0 else None,
        tracer=tracing(ctx, mode)[0],
        trace_percent=trace_percent(ctx, mode),
        trace_headers=trace_headers(ctx),
        internal_networks=internal,
        believes_internal=believes_internal,
    )


def _settings(ctx: Context) -> ConnectionSettings:
    """connectionSettings; "unspecified" is nothing, and profile EDGE is for gateways alone (Istio: applyEdgeProfileDefaults)."""
    settings = ctx.proxy.config.connection_settings or ConnectionSettings()
    if settings.http_headers_with_underscores_action == "HEADERS_WITH_UNDERSCORES_UNSPECIFIED":
        settings = replace(settings, http_headers_with_underscores_action=None)
    if settings.http_path_with_escaped_slashes_action == "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED":
        settings = replace(settings, http_path_with_escaped_slashes_action=None)
    edge_profile = settings.profile == "EDGE" and ctx.proxy.kind == "router"
    return overlay(_EDGE_PROFILE, settings) if edge_profile else settings


def _internal_clients(ctx: Context, topology: Topology) -> tuple[tuple[str, ...], bool]:
    """The networks of internal clients, and whether their x-envoy-* headers are believed.

    Where nobody says it: the clients of a gateway's own machine, if whoever connects is the client itself. On
    Kubernetes and behind a forwarder, the address of a stranger may be a private one (that of a node), so nobody is.
    The sidecar of a process on a machine judges by what gateways say of their clients (x-forwarded-for).
    """
    if ctx.switches.internal_networks is not None:
        return (_PRIVATE_NETWORKS if ctx.switches.internal_networks else ()), True
    proxy = ctx.proxy
    if proxy.kind == "sidecar":
        return (() if proxy.intercepted else _LOOPBACK), True
    in_front = (
        proxy.external_ports != () or topology.num_trusted_proxies or topology.proxy_protocol is not None
    )
    return (() if in_front else _LOOPBACK), False


def _limit(ctx: Context, name: str, text: str, usual: int, most: int) -> int:
    """A limit of request headers, from a switch."""
    if not text:
        return usual
    if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 0 < int(text) <= most:
        return int(text)
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="GW-010",
            resource=ctx.proxy.origin,
            field="spec.values.pilot.env",
            message=f"{name} is no number between 1 and {most}: {describe(text)}; {usual} holds",
            hint=f'Write it as "{usual}".',
        )
    )
    return usual


def client_certificates(said: str | None, default: str) -> str:
    """What becomes of x-forwarded-client-cert."""
    return _CLIENT_CERT.get(said or "", "sanitize_set" if said == "SANITIZE_SET" else default)


def _paths(ctx: Context, settings: ConnectionSettings) -> tuple[bool, bool, str]:
    """normalize, merge slashes, escaped slashes: the mesh's pathNormalization under connectionSettings."""
    normalization = ctx.mesh.path_normalization.normalization
    decode = normalization == "DECODE_AND_MERGE_SLASHES"
    merge = decode or normalization == "MERGE_SLASHES"
    escaped = "unescape_and_forward" if decode else "keep_unchanged"
    if settings.http_merge_slashes is not None:
        merge = settings.http_merge_slashes
    if settings.http_path_with_escaped_slashes_action is not None:
        escaped = _ESCAPED_SLASHES.get(settings.http_path_with_escaped_slashes_action, "keep_unchanged")
    return normalization != "NONE", merge, escaped


def idle_timeout(ctx: Context) -> timedelta | None:
    """ISTIO_META_IDLE_TIMEOUT of the gateway, a duration as Go writes it."""
    text = ctx.proxy.metadata.get("IDLE_TIMEOUT", "")
    if not text:
        return None
    read = values.span(negative=False)(text, "", Findings(ctx.proxy.origin))
    if isinstance(read, timedelta):
        return read
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="GW-010",
            resource=ctx.proxy.origin,
            field="spec.components.ingressGateways",
            message=f"ISTIO_META_IDLE_TIMEOUT of {ctx.proxy.called} is no duration: {text!r}",
            hint='Write it as "300s".',
        )
    )
    return None
