"""Which request goes where: hosts, matches, and what is done with a request."""

from dataclasses import field
from datetime import timedelta
from enum import Enum

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap

# --- matching ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exact:
    value: str


@dataclass(frozen=True, slots=True)
class Prefix:
    value: str


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 pattern that must match the whole text."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Present:
    """It is there, whatever its value."""


TextMatch = Exact | Prefix | Regex


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMatch:
    name: str  # ":method", ":authority" and ":scheme" too
    how: TextMatch | Present
    invert: bool = False  # with a TextMatch, a missing header then counts as not matching it


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryMatch:
    name: str
    how: TextMatch | Present


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMatch:
    """A claim of the verified token ("@request.auth.claims.a.b" is path ("a", "b"))."""

    path: tuple[str, ...]
    how: TextMatch | Present
    invert: bool = False


_EVERYTHING = (Prefix("/"), Regex(".*"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMatch:
    """All of it must hold."""

    path: TextMatch = field(default_factory=lambda: Prefix("/"))
    # None: nobody said (Envoy's default, which is to tell "A" from "a").
    case_sensitive: bool | None = None
    headers: tuple[HeaderMatch, ...] = ()
    query: tuple[QueryMatch, ...] = ()
    claims: tuple[ClaimMatch, ...] = ()
    names_port: bool = False  # Host has a port in it

    @property
    def is_catch_all(self) -> bool:
        """It matches every request, so nothing after it in its host can."""
        return self.is_widest and not self.names_port

    @property
    def is_widest(self) -> bool:
        """It matches every request, but for what a port in Host makes of it."""
        if self.headers or self.query or self.claims:
            return False
        return self.path in _EVERYTHING


# By which a proxy tells the next one what a trace calls the request, and which no application sees.
OPERATION_HEADER = "x-envoy-decorator-operation"

# --- headers ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderValue:
    name: str
    value: str  # may hold %VARIABLES%
    overwrite: bool  # else it is added beside what is there


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderChanges:
    """Applied in order: values first, then removals."""

    request: tuple[HeaderValue, ...] = ()
    request_remove: tuple[str, ...] = ()
    response: tuple[HeaderValue, ...] = ()
    response_remove: tuple[str, ...] = ()


NO_CHANGES = HeaderChanges()
CLOSED = "closed"  # the name of routes that refuse, because what may guard them is not honoured

# --- actions ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Fraction:
    """`numerator` out of `of` (100 or 1,000,000)."""

    numerator: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """A share of the traffic. The backend need not exist: its share of requests then fails (503)."""

    backend: str  # name of a Backend: "outbound|8000||httpbin.httpbin.svc.cluster.local"
    weight: int = 1
    headers: HeaderChanges = NO_CHANGES
    host_rewrite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Requests that are also sent to `backend`, whose answers nobody sees."""

    backend: str
    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class HashOn:
    """What keeps a client on one endpoint. Exactly one of header, cookie, query and source_ip is set."""

    header: str = ""
    query: str = ""
    source_ip: bool = False
    cookie: str = ""
    cookie_path: str = ""
    cookie_ttl: timedelta | None = None  # None: only read, never set
    cookie_attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    attempts: int  # after the first
    on: str  # Envoy's and Istio's words, comma-separated
    statuses: tuple[int, ...] = ()
    per_try_timeout: timedelta | None = None
    avoid_tried_endpoints: bool = True
    other_localities: bool = False
    backoff: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    prefix: str | None = None  # in place of what the path match matched
    regex: str = ""
    substitution: str = ""
    host: str = ""
    forward_original_host: bool = False  # x-forwarded-host


class Grpc(Enum):
    """How a backend's port says that it speaks gRPC."""

    NATIVE = "grpc"  # over HTTP/2: ports for GRPC, and for HTTP2, which may carry it
    WEB = "grpc-web"  # clients may speak gRPC-Web


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Pass the request on."""

    to: tuple[Weighted, ...]  # one or more
    timeout: timedelta | None  # None: none (never Envoy's 15 s)
    retry: Retry | None = None
    copies: tuple[Copy, ...] = ()
    hash_on: tuple[HashOn, ...] = ()
    rewrite: Rewrite = field(default_factory=Rewrite)
    grpc: Grpc | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    status: int  # 301, 302, 303, 307, 308
    host: str = ""
    path: str | None = None  # the whole path; "" is a path too
    prefix: str | None = None  # in place of the matched prefix; not together with `path`
    scheme: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Answer without asking anybody."""

    status: int
    body: bytes | None = None
    body_is_text: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """What an unusable rule becomes. It still matches: traffic never falls to a wider rule."""

    status: int
    because: str


Action = Forward | Redirect | Respond | Fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    delay: timedelta | None = None
    delay_share: Fraction | None = None
    abort_status: int | None = None
    abort_grpc: int | None = None  # gRPC status number
    abort_share: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    origins: tuple[TextMatch, ...] = ()
    methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: timedelta | None = None
    credentials: bool | None = None
    forward_unmatched_preflights: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One match and what is done with it."""

    name: str
    match: RouteMatch
    action: Action
    headers: HeaderChanges = NO_CHANGES
    fault: Fault | None = None
    cors: Cors | None = None
    stat_prefix: str = ""
    operation: str = ""  # what a trace calls it
    origin: ResourceRef  # the VirtualService
    at: str  # field path of the rule


# --- hosts ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Requests for some domains; their routes in the order they are tried."""

    name: str  # "example.com:443"
    domains: tuple[str, ...]  # lower case; "*" is everything, "*.x" a suffix
    routes: tuple[Route, ...]
    # What plain requests get before any other route but the first so many: where a server wants https.
    to_https: tuple[Route, ...] = ()
    answered_plain: int = 0
    count_attempts: bool = True  # x-envoy-attempt-count
    http3: bool = (
        True  # False: its answers tell clients to forget of HTTP/3, though those of its server announce it
    )


OVER_HTTP3 = "/h3"


def over_http3(table: str) -> str:
    """The name of the route table that a mirror has in the place of `table`, where they differ."""
    return f"{table}{OVER_HTTP3}"


class Scoped(Enum):
    """Which tables may be told host by host."""

    NEVER = "never"
    AUTO = "auto"  # those with many hosts
    ALWAYS = "always"  # all that can be


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    name: str  # Istio's RDS name: "https.443.https.httpbin-gateway.istio-system", "http.8080"
    hosts: PersistentMap[str, Host]  # by name
    # Domains of other servers: 421 (RFC 9110 section 15.5.20), where no host has a more exact one. In none of `hosts`.
    misdirected: tuple[str, ...] = ()
    # Name of the Announcement on the server's answers, which says nothing about the domains of others.
    announcement: str | None = None
    port_in_domains: bool = False  # the port in a Host header counts, and domains name it
    # Tokens may make Envoy choose the route once more, when the filters of the request have been chosen.
    chosen_again: bool = False
    origin: ResourceRef  # the Gateway that asked for it first
