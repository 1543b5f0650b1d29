"""What requests are passed on to: groups of endpoints, and how they are treated."""

from dataclasses import field, replace
from datetime import timedelta
from enum import Enum

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.tls import ClientTls

BLACK_HOLE = "BlackHoleCluster"  # Istio's name of a backend that is always there, and fails
_NEGOTIATED = "~negotiated"  # no name of a backend ends so: they end with a host


class Discovery(Enum):
    """How a backend's endpoints are found."""

    ENDPOINTS = "endpoints"  # we tell them, and tell every change
    FIXED = "fixed"  # those of the backend itself, which never change
    DNS = "dns"  # every address of each name
    DNS_ONE = "dns_one"  # the first address, resolved anew for new connections
    DNS_WILDCARD = "dns_wildcard"  # the name that the request asks for
    CONNECTION = "connection"  # where the connection was going anyway
    NONE = "none"  # nowhere: every request fails


class Protocol(Enum):
    """What is spoken to a backend."""

    UNKNOWN = "unknown"  # HTTP/1.1, nobody said
    HTTP1 = "http1"
    HTTP2 = "http2"
    AS_CLIENT = "as_client"  # what the client spoke
    NEGOTIATED = "negotiated"  # HTTP/2 on connections where the backend chose it (ALPN), else HTTP/1.1


class Http3(Enum):
    """Whether requests go over QUIC."""

    NONE = "none"
    PREFERRED = "preferred"  # where that fails, over TCP
    ONLY = "only"


class Health(Enum):
    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    address: str  # IP address, DNS name (DNS discovery only) or the path of a Unix socket
    port: int  # 0 for a Unix socket
    health: Health = Health.UNKNOWN
    weight: int = 1
    mesh: bool = False  # it speaks the mesh's mutual TLS
    also: tuple[str, ...] = ()  # more IP addresses of it, of another family


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointGroup:
    """Endpoints of one locality and priority (0 is asked first)."""

    region: str = ""
    zone: str = ""
    subzone: str = ""
    priority: int = 0
    weight: int | None = None
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancing:
    policy: str = "least_request"  # "round_robin", "random", "ring_hash", "maglev", "given" (CONNECTION)
    ring_size: int | None = None
    table_size: int | None = None
    warmup: timedelta | None = None
    warmup_min_percent: float | None = None
    warmup_aggression: float | None = None
    weigh_localities: bool = False
    panic_percent: float = 0.0  # below this share of healthy endpoints, all are used


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Circuit breakers; None: no limit."""

    connections: int | None = None
    pending_requests: int | None = None
    requests: int | None = None
    retries: int | None = None
    retry_budget_percent: float | None = None  # with it, the next two count
    retry_budget_min: int = 3
    retry_budget_interval: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Connections to a backend; None leaves Envoy's default."""

    connect_timeout: timedelta = timedelta(seconds=10)
    idle_timeout: timedelta | None = None
    max_connection_duration: timedelta | None = None
    max_requests_per_connection: int | None = None
    max_concurrent_streams: int | None = None
    http2_ping_interval: timedelta | None = None
    http2_ping_timeout: timedelta | None = None
    keepalive: bool = False
    keepalive_probes: int | None = None
    keepalive_time: timedelta | None = None
    keepalive_interval: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outliers:
    """When an endpoint that answers badly is left out for a while. None leaves Envoy's default."""

    consecutive_5xx: int | None = None  # 0 turns it off
    consecutive_gateway_errors: int | None = None
    split_local_errors: bool = False
    consecutive_local_failures: int | None = None
    interval: timedelta | None = None
    base_ejection: timedelta | None = None
    max_ejection_percent: int | None = None
    error_statuses: tuple[int, ...] = ()  # only these count as errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a backend belongs to: shown to users, no effect on traffic."""

    host: str
    name: str
    namespace: str
    external: bool = False
    subset: str = ""
    policy: str = ""  # "/apis/networking.istio.io/v1/namespaces/NS/destination-rule/NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A group of endpoints that serve alike. `name` is Istio's: "outbound|8000||httpbin.httpbin.svc..."."""

    name: str
    discovery: Discovery
    service: Service | None
    groups: tuple[EndpointGroup, ...] = ()
    protocol: Protocol = Protocol.UNKNOWN
    stat_name: str = ""  # "": the name and a semicolon, as Istio does
    balancing: Balancing = field(default_factory=Balancing)
    limits: Limits = field(default_factory=Limits)
    pool: Pool = field(default_factory=Pool)
    outliers: Outliers | None = None
    tls: ClientTls | None = None
    http3: Http3 = Http3.NONE
    http3_known: tuple[tuple[str, int], ...] = ()  # (name that is asked for, port) where it is tried at once
    mesh_tls: ClientTls | None = None  # towards endpoints of the mesh, where `tls` says nothing
    source: str = ""  # the address to connect from; "": any
    proxy_protocol: str = ""  # "", "V1", "V2": the PROXY line that is sent first
    dns_refresh: timedelta = timedelta(seconds=60)
    dns_families: str = "v4"  # "v4", "v6", "all"
    origin: ResourceRef  # the Service or ServiceEntry
    policy_origin: ResourceRef | None = None  # the DestinationRule

    def over_http3(self, http3: Http3, known: tuple[tuple[str, int], ...]) -> "Backend":
        """The same over QUIC; what is spoken otherwise is agreed upon (ALPN)."""
        tls = replace(self.tls, alpn=()) if self.tls is not None else None
        return replace(self, tls=tls, http3=http3, http3_known=known if http3 is Http3.PREFERRED else ())

    @property
    def endpoints_name(self) -> str:
        """What the list of its endpoints is called, where we tell them.

        A backend whose protocol is negotiated has another name there: Envoy hands a list to the old and the new form of
        a changed cluster alike, a moment apart. The form that speaks TLS to everybody must not learn of an endpoint
        for whose sake it is given up.
        """
        return self.name + (_NEGOTIATED if self.protocol is Protocol.NEGOTIATED else "")


def name_of_endpoints(name: str) -> str:
    """The name of the backend whose list of endpoints is called `name`."""
    return name.removesuffix(_NEGOTIATED)
