"""What is written down of requests and connections, and who is told of them."""

from datetime import timedelta
from enum import Enum
from typing import Literal

from mizzen.lazy import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLog:
    """A file that gets a line for each request or connection."""

    path: str
    text_format: str = ""  # "" with json_format "" means Istio's default line
    json_format: str = ""  # an object, as JSON
    omit_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcLog:
    """A collector that speaks Envoy's own protocol (access log service, ALS)."""

    kind: Literal["http", "tcp"]
    backend: str  # name of a Backend
    authority: str
    name: str
    states: tuple[str, ...] = ()  # of the filter state
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    response_trailers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpLog:
    """A collector that speaks OTLP over gRPC (OpenTelemetry)."""

    backend: str  # name of a Backend
    authority: str
    name: str
    text_format: str = ""  # of the body; "": Istio's default line
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLog:
    """Where requests are logged, and which."""

    to: FileLog | GrpcLog | OtlpLog
    only: str = ""  # those for which this expression in CEL holds; "": all


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What a span says besides."""

    name: str
    kind: Literal["literal", "environment", "header", "format"]
    value: str  # the text, the name of the variable or header, or the format
    default: str = ""  # where there is no such variable or header


@dataclass(frozen=True, slots=True, kw_only=True)
class OverHttp:
    """How spans go to an OTLP collector over HTTP."""

    path: str
    timeout: timedelta
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracer:
    """Who collects spans."""

    # Which headers tell backends: B3, traceparent, Datadog's, SkyWalking's.
    kind: Literal["zipkin", "opentelemetry", "datadog", "skywalking"]
    backend: str  # name of a Backend
    service: str  # what the proxy calls itself in spans
    authority: str = ""  # the host that the collector is asked by; "": its backend's name
    path: str = ""  # of Zipkin's spans; "": /api/v2/spans
    short_ids: bool = False  # 64 bits in place of 128
    takes_w3c: bool = False  # traceparent counts where there is no B3
    over_http: OverHttp | None = None  # of OTLP; None: over gRPC
    timeout: timedelta | None = None  # of a message over gRPC
    metadata: tuple[tuple[str, str], ...] = ()  # headers of messages over gRPC
    detectors: tuple[str, ...] = ()  # of the resource: "environment", "dynatrace"
    token: str = ""  # what SkyWalking demands of who reports
    path_length: int = 0  # letters of a path that a span tells; 0: Envoy's 256
    tags: tuple[Tag, ...] = ()
    by_request_id: bool = True  # a request's id says whether it is sampled, and is told
    passes_on: bool = True  # backends are told of the trace


class TraceHeaders(Enum):
    """What becomes of B3 headers where nobody collects spans."""

    MAKE = "make"  # of requests that have none; others pass
    CONTINUE = "continue"  # the same, and each request is a child of what it came with
