"""extensionProviders of a mesh: what stands beside the proxies, and they may be told to use."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Key, UInt32, Unknown
from mizzen.resources.istio.external_authorizer import (
    EnvoyExternalAuthorizationGrpcProvider,
    EnvoyExternalAuthorizationHttpProvider,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshPart(Element):
    """Istio knows more fields here than take part in a gateway: those are told, not refused."""

    UNKNOWN_FIELDS: ClassVar[Unknown] = Unknown.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector(MeshPart):
    """Where it is."""

    service: Annotated[str, "host of its Service or ServiceEntry; NAMESPACE/HOST where several have it"] = ""
    port: UInt32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipkinProvider(Collector):
    max_tag_length: Annotated[UInt32, "of paths; 0: 256 letters"] = 0
    enable_64bit_trace_id: Annotated[bool, Key("enable64bitTraceId", also=("enable_64bit_trace_id",))] = False
    path: Annotated[str, "unset: /api/v2/spans"] = ""
    trace_context_option: Literal["USE_B3", "USE_B3_WITH_W3C_PROPAGATION"] = "USE_B3"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogProvider(Collector):
    max_tag_length: UInt32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SkywalkingProvider(Collector):
    access_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHeader(MeshPart):
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpOverHttp(MeshPart):
    path: str = ""
    timeout: Annotated[timedelta | None, "unset: 10s"] = None
    headers: tuple[HttpHeader, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpOverGrpc(MeshPart):
    timeout: timedelta | None = None
    initial_metadata: tuple[HttpHeader, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Present(MeshPart):
    """Something that has no fields: it is there, or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDetectors(MeshPart):
    environment: Annotated[Present | None, "attributes from OTEL_RESOURCE_ATTRIBUTES"] = None
    dynatrace: Present | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTelemetryProvider(Collector):
    max_tag_length: UInt32 = 0
    http: Annotated[OtlpOverHttp | None, "spans go over HTTP; unset: over gRPC"] = None
    grpc: OtlpOverGrpc | None = None
    resource_detectors: Annotated[
        ResourceDetectors | None, Key("resourceDetectors", also=("resource_detectors",))
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFormat(MeshPart):
    """A line of text, or a JSON object."""

    text: str = ""
    labels: Annotated[Mapping[str, Any] | None, "{}: Istio's fields"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLogProvider(MeshPart):
    path: Annotated[str, "unset: /dev/stdout"] = ""
    log_format: Annotated[LogFormat | None, "unset: Istio's line"] = None
    omit_empty_values: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcLogProvider(Collector):
    """Envoy's own service of access logs (ALS)."""

    log_name: str = ""
    filter_state_objects_to_log: tuple[str, ...] = ()
    additional_request_headers_to_log: tuple[str, ...] = ()
    additional_response_headers_to_log: tuple[str, ...] = ()
    additional_response_trailers_to_log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpLogProvider(Collector):
    log_name: str = ""
    log_format: Annotated[LogFormat | None, "text: the body of a record; labels: its attributes"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionProvider(MeshPart):
    """One of the kinds, under a name."""

    name: str = ""
    zipkin: ZipkinProvider | None = None
    datadog: DatadogProvider | None = None
    skywalking: SkywalkingProvider | None = None
    opentelemetry: OpenTelemetryProvider | None = None
    envoy_file_access_log: FileLogProvider | None = None
    envoy_http_als: GrpcLogProvider | None = None
    envoy_tcp_als: GrpcLogProvider | None = None
    envoy_otel_als: OtlpLogProvider | None = None
    envoy_ext_authz_http: EnvoyExternalAuthorizationHttpProvider | None = None
    envoy_ext_authz_grpc: EnvoyExternalAuthorizationGrpcProvider | None = None
    prometheus: Annotated[Present | None, "its metrics are made by Istio's own Envoy alone"] = None


BUILT_IN = (
    ExtensionProvider(name="prometheus", prometheus=Present()),
    ExtensionProvider(name="envoy", envoy_file_access_log=FileLogProvider(path="/dev/stdout")),
)


def provider(providers: tuple[ExtensionProvider, ...], name: str) -> ExtensionProvider | None:
    """The provider of a name, whatever its case; Istio brings some that a mesh may redefine."""
    wanted = name.lower()
    return next((one for one in (*providers, *BUILT_IN) if one.name.lower() == wanted), None)
