"""Where a gateway listens, what it does with a connection, and its HTTP/3 mirrors."""

from dataclasses import field
from datetime import timedelta
from enum import Enum

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.authorization import Access
from mizzen.model.plugin import Plugin
from mizzen.model.quic import ConnectionIds, QuicTransport
from mizzen.model.route import HashOn, Weighted
from mizzen.model.telemetry import AccessLog, TraceHeaders, Tracer
from mizzen.model.tls import ServerTls
from mizzen.model.token import TokenRule


class Transport(Enum):
    """What a listener is bound to."""

    TCP = "tcp"
    QUIC = "quic"  # UDP, and HTTP/3 on it
    UNIX = "unix"


class HeaderCase(Enum):
    """How HTTP/1 header names are written."""

    LOWER = "lower"
    PRESERVE = "preserve"


class HeaderLimits(Enum):
    """Who judges whether the headers of a request are too large or too many."""

    FILTER = "filter"  # ours: 431 on every protocol, for a share of each request's CPU
    CODEC = "codec"  # Envoy's codecs: 431 over HTTP/1.1, else a reset, for nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Http2Limits:
    """Unset (None) leaves Envoy's default."""

    max_concurrent_streams: int | None = None
    stream_window: int | None = None  # bytes
    connection_window: int | None = None  # bytes


# How large the headers of a request may be: Envoy's defaults for `max_request_headers_kb` and `max_headers_count`.
LIMIT_KIB = 60
LIMIT_HEADERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """How a proxy meets who connects to it: the same on TCP and QUIC. From MeshConfig and ProxyConfig."""

    # True: the client is who connects, as at the edge of the mesh. False: what earlier proxies said counts.
    remote_address: bool = True
    internal_networks: tuple[str, ...] = ()  # clients of these ranges are told to backends as internal
    # Whether their x-envoy-* headers (retries, timeouts ...) count, as Envoy has it, or are taken away from everybody.
    believes_internal: bool = True
    cert_details: tuple[str, ...] = ("subject", "cert", "dns", "uri")  # of the peer, where they are written
    trusted_hops: int = 0  # proxies in front of us whose x-forwarded-for is believed
    # What becomes of x-forwarded-client-cert: "sanitize_set", "sanitize", "append_forward",
    # "forward_only", "always_forward_only".
    client_cert_header: str = "sanitize_set"
    server_header: str | None = "istio-envoy"  # None: what the backend said passes
    request_id: bool = True
    suppress_envoy_headers: bool = False
    forwarded_port: bool = False  # append x-forwarded-port
    accept_http_10: bool = False
    header_case: HeaderCase = HeaderCase.LOWER
    header_limits: HeaderLimits = HeaderLimits.FILTER
    most_header_kib: int = LIMIT_KIB
    most_headers: int = LIMIT_HEADERS
    normalize_path: bool = True
    merge_slashes: bool = False
    # "keep_unchanged", "unescape_and_forward", "unescape_and_redirect", "reject_request"
    escaped_slashes: str = "keep_unchanged"
    underscores: str = "allow"  # "allow", "reject_request", "drop_header"
    idle_timeout: timedelta | None = None
    max_connection_duration: timedelta | None = None
    max_stream_duration: timedelta | None = None
    stream_idle_timeout: timedelta = timedelta(0)  # zero: none, Istio's default
    request_timeout: timedelta | None = None
    request_headers_timeout: timedelta | None = None
    drain_timeout: timedelta | None = None
    http2: Http2Limits = field(default_factory=Http2Limits)
    buffer_limit: int | None = None  # bytes per connection
    tracer: Tracer | None = None  # None: no spans are made
    trace_percent: float = 1.0  # of the requests that nobody decided for
    trace_headers: TraceHeaders | None = None  # None: with a tracer, or where tracing is off


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService:
    """A connection that carries HTTP."""

    route_table: str  # name of a RouteTable
    stat_prefix: str
    grpc_web: bool = False
    # Name of the Announcement whose headers go on every answer; None on servers that have none.
    announcement: str | None = None
    judged: bool = False  # its requests meet the AccessPolicies of the proxy
    early_data: bool = False  # safe requests may come as TLS early data (QUIC only)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicies:
    """What judges each request: tokens first, then refusals, then permissions."""

    tokens: tuple[TokenRule, ...] = ()
    access: tuple[Access, ...] = ()
    plugins: tuple[Plugin, ...] = ()  # in their phases, in the order in which requests meet them
    judges_hosts: bool = False  # whether a host is one, where nobody has judged that before
    origin: ResourceRef  # what the proxy was declared by


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpService:
    """A connection whose bytes are passed on."""

    to: tuple[Weighted, ...]  # one or more
    stat_prefix: str
    idle_timeout: timedelta | None = None
    max_connection_duration: timedelta | None = None
    hash_on: HashOn | None = None
    tunnel_host: str = ""  # "host:port": through CONNECT (or POST) to there
    tunnel_by_post: bool = False
    access: tuple[Access, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What happens to the connections that match. `name` is a stable identity: renaming drains clients."""

    name: str
    server_names: tuple[str, ...]  # SNI, exact or "*.x"; () matches everything
    transport_protocol: str = ""  # "tls", "raw_buffer"; "": either
    destination_port: int | None = None  # the port that a redirected connection was for
    application_protocols: tuple[str, ...] = ()
    tls: ServerTls | None
    serve: HttpService | TcpService
    origin: ResourceRef
    at: str  # field path of the Gateway server


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address that is open, and its chains in order."""

    name: str  # Istio's: "0.0.0.0_8443", "udp_0.0.0.0_8443"
    transport: Transport
    address: str  # IP address, or the path when UNIX
    port: int  # 0 when UNIX
    also: tuple[str, ...] = ()  # more IP addresses, at the same port
    chains: tuple[Chain, ...]
    refused: tuple[
        str, ...
    ] = ()  # SNI that gets no handshake, though a wildcard of a chain covers it (QUIC only)
    edge: Edge
    proxy_protocol: bool = False  # clients are behind something that speaks PROXY (TCP only)
    access_logs: tuple[AccessLog, ...] = ()
    log_unmatched: bool = True  # connections that no chain takes are logged too
    inbound: bool = False  # towards an application of this host
    redirected: bool = False  # the kernel sends connections here that were for another address
    hands_over: bool = False  # to the listener of the address that they were for
    bound: bool = True  # False: only gets what another listener hands over
    quic: QuicTransport = field(default_factory=QuicTransport)  # means nothing but over QUIC
    connection_ids: ConnectionIds | None = None  # None: at random (QUIC)
    sheds: bool = False  # refuses new connections, and keeps those that there are (QUIC)
    origin: ResourceRef

    @property
    def gives_tickets(self) -> bool:
        """May clients come back with session tickets whose keys are ours?"""
        return self.transport is Transport.QUIC and any(
            chain.tls is not None and not chain.tls.judges_clients for chain in self.chains
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """Whether one HTTPS server has an HTTP/3 mirror, and why not."""

    server: str  # "https.443.https.httpbin-gateway.istio-system"
    hosts: tuple[str, ...] = ()  # SNI that clients ask for, "*.example.com" among them; () takes any
    number: int = 0  # the port as the Gateway names it
    dialled: int = 0  # the port that clients dial
    tcp_listener: str
    quic_listener: str  # "" without a mirror; where there is a reason too, it only lingers
    expected: bool  # the switch is on and the server is of a kind that is mirrored
    reason: str  # why there is none; "" with a mirror
    choice: str = ""  # what was chosen of it, and by whom, where that is not how the mesh has it
    origin: ResourceRef
    at: str
