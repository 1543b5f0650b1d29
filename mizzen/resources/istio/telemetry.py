"""Telemetry (telemetry.istio.io): what proxies log, trace and count."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource
from mizzen.resources.istio.security import PolicyTargetReference, WorkloadSelector

WorkloadMode = Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRef(Element):
    name: Annotated[str, "of one of the mesh's extensionProviders"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSelector(Element):
    """Gateways count as clients."""

    mode: WorkloadMode = "CLIENT_AND_SERVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter(Element):
    expression: Annotated[str, "CEL; what it does not hold for is not logged"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLogging(Element):
    match: ModeSelector | None = None
    providers: Annotated[tuple[ProviderRef, ...], "none: those of the level above"] = ()
    disabled: bool | None = None
    filter: LogFilter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedValue(Element):
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedValue(Element):
    name: str = ""
    default_value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormattedValue(Element):
    value: Annotated[str, "text with commands of an access log in it: %REQ(x-a)%"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomTag(Element):
    """A tag of each span. One of the four."""

    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("literal", "environment", "header", "formatter"),)

    literal: FixedValue | None = None
    environment: Annotated[NamedValue | None, "a variable of the proxy's environment"] = None
    header: Annotated[NamedValue | None, "a header of the request"] = None
    formatter: FormattedValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing(Element):
    match: ModeSelector | None = None
    providers: Annotated[tuple[ProviderRef, ...], "the first counts; none: that of the level above"] = ()
    random_sampling_percentage: Annotated[float | None, "0 to 100"] = None
    disable_span_reporting: bool | None = None
    custom_tags: Mapping[str, CustomTag] | None = None
    use_request_id_for_trace_sampling: bool | None = None
    enable_istio_tags: bool | None = None
    disable_context_propagation: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSelector(Element):
    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("metric", "customMetric"),)

    metric: (
        Literal[
            "ALL_METRICS",
            "REQUEST_COUNT",
            "REQUEST_DURATION",
            "REQUEST_SIZE",
            "RESPONSE_SIZE",
            "TCP_OPENED_CONNECTIONS",
            "TCP_CLOSED_CONNECTIONS",
            "TCP_SENT_BYTES",
            "TCP_RECEIVED_BYTES",
            "GRPC_REQUEST_MESSAGES",
            "GRPC_RESPONSE_MESSAGES",
        ]
        | None
    ) = None
    custom_metric: str = ""
    mode: WorkloadMode = "CLIENT_AND_SERVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagOverride(Element):
    operation: Literal["UPSERT", "REMOVE"] = "UPSERT"
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsOverrides(Element):
    match: MetricSelector | None = None
    disabled: bool | None = None
    tag_overrides: Mapping[str, TagOverride] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Element):
    providers: tuple[ProviderRef, ...] = ()
    overrides: tuple[MetricsOverrides, ...] = ()
    reporting_interval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySpec(Element):
    selector: Annotated[WorkloadSelector | None, "none: every proxy of the namespace"] = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    access_logging: tuple[AccessLogging, ...] = ()
    tracing: tuple[Tracing, ...] = ()
    metrics: Annotated[tuple[Metrics, ...], "only Istio's own Envoy makes these metrics"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry(Resource):
    spec: TelemetrySpec = field(default_factory=TelemetrySpec)
