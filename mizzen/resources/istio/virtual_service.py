"""VirtualService (networking.istio.io): which request goes where, and what is done with it."""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Duration, Element, Int32, Key, Resource, UInt32
from mizzen.resources.istio import retired


@dataclass(frozen=True, slots=True, kw_only=True)
class StringMatch(Element):
    """At most one of the three; none: it is there."""

    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("exact", "prefix", "regex"),)

    exact: str | None = None
    prefix: str | None = None
    regex: Annotated[str | None, "RE2, must match the whole text"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSelector(Element):
    RETIRED: ClassVar = retired.PORT_SELECTOR

    number: UInt32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination(Element):
    RETIRED: ClassVar = retired.DESTINATION

    host: str
    subset: str = ""
    port: PortSelector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderOperations(Element):
    set: Mapping[str, str] = field(default_factory=dict)
    add: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers(Element):
    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPMatchRequest(Element):
    name: str = ""
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: Mapping[str, StringMatch | None] = field(default_factory=dict)
    port: UInt32 = 0
    source_labels: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    query_params: Mapping[str, StringMatch | None] = field(default_factory=dict)
    ignore_uri_case: bool = False
    without_headers: Mapping[str, StringMatch | None] = field(default_factory=dict)
    source_namespace: str = ""
    stat_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRouteDestination(Element):
    RETIRED: ClassVar = retired.HTTP_HEADERS

    destination: Destination
    weight: Int32 = 0
    headers: Headers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRedirect(Element):
    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("port", "derivePort"),)

    uri: str | None = None
    prefix_rewrite: str | None = None
    authority: str = ""
    port: UInt32 | None = None
    derive_port: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = None
    scheme: str = ""
    redirect_code: UInt32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPBody(Element):
    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("string", "bytes"),)

    string: str | None = None
    bytes_: Annotated[bytes | None, Key("bytes"), "base64"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPDirectResponse(Element):
    status: UInt32
    body: HTTPBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate(Element):
    name: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexRewrite(Element):
    match: str = ""
    rewrite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRewrite(Element):
    uri: str = ""
    authority: str = ""
    uri_regex_rewrite: RegexRewrite | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRetry(Element):
    attempts: Int32 = 0
    per_try_timeout: Duration | None = None
    retry_on: str = ""
    retry_remote_localities: bool | None = None
    retry_ignore_previous_hosts: bool | None = None
    backoff: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent(Element):
    value: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Element):
    percent: Annotated[Int32, "deprecated: percentage"] = 0
    fixed_delay: Duration | None = None
    exponential_delay: timedelta | None = None
    percentage: Percent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(Element):
    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("httpStatus", "grpcStatus"),)
    RETIRED: ClassVar = retired.ABORT

    http_status: Int32 | None = None
    grpc_status: str | None = None
    http2_error: str | None = None
    percentage: Percent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPFaultInjection(Element):
    delay: Delay | None = None
    abort: Abort | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPMirrorPolicy(Element):
    destination: Destination
    percentage: Percent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorsPolicy(Element):
    allow_origin: Annotated[tuple[str, ...], "deprecated: allowOrigins"] = ()
    allow_origins: tuple[StringMatch, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] = "UNSPECIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRoute(Element):
    """One rule of `http`."""

    RETIRED: ClassVar = retired.HTTP_ROUTE

    name: str = ""
    match: tuple[HTTPMatchRequest, ...] = ()
    route: tuple[HTTPRouteDestination, ...] = ()
    redirect: HTTPRedirect | None = None
    direct_response: HTTPDirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: HTTPRewrite | None = None
    timeout: Duration | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    mirror: Destination | None = None
    mirrors: tuple[HTTPMirrorPolicy, ...] = ()
    mirror_percent: Annotated[
        UInt32 | None, Key("mirrorPercent", also=("mirror_percent",)), "deprecated: mirrorPercentage"
    ] = None
    mirror_percentage: Percent | None = None
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDestination(Element):
    destination: Destination
    weight: Int32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSMatchAttributes(Element):
    RETIRED: ClassVar = retired.TLS_MATCH

    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    port: UInt32 = 0
    source_labels: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSRoute(Element):
    """One rule of `tls`."""

    match: tuple[TLSMatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class L4MatchAttributes(Element):
    RETIRED: ClassVar = retired.L4_MATCH

    destination_subnets: tuple[str, ...] = ()
    port: UInt32 = 0
    source_subnet: str = ""
    source_labels: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TCPRoute(Element):
    """One rule of `tcp`."""

    match: tuple[L4MatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualServiceSpec(Element):
    RETIRED: ClassVar = retired.VIRTUAL_SERVICE

    hosts: Annotated[tuple[str, ...], "empty: a delegate"] = ()
    gateways: Annotated[tuple[str, ...], "empty: the mesh only, no gateway"] = ()
    http: tuple[HTTPRoute, ...] = ()
    tls: tuple[TLSRoute, ...] = ()
    tcp: tuple[TCPRoute, ...] = ()
    export_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualService(Resource):
    spec: VirtualServiceSpec = field(default_factory=VirtualServiceSpec)
