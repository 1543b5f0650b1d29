"""Who collects spans: a provider of the mesh, the collector of the proxy's configuration, or nobody.

Where a Telemetry object or defaultProviders say anything of tracing, they count; enableTracing and the collector of the
proxy's configuration do where they are silent (Istio: Telemetries.Tracing, configureTracingFromTelemetry).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, TypeVar

from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.backend import Protocol
from mizzen.model.telemetry import OverHttp, Tag, TraceHeaders, Tracer
from mizzen.resolve.context import Context, step
from mizzen.resolve.listeners.collectors import Collector, at_address, collector, find, report
from mizzen.resolve.listeners.telemetry import Mode, matches, telemetries
from mizzen.resources.formats import checks
from mizzen.resources.istio.provider import (
    ExtensionProvider,
    HttpHeader,
    OpenTelemetryProvider,
    ZipkinProvider,
)
from mizzen.resources.istio.telemetry import CustomTag, Tracing

CODES = {"TEL-005": "A provider that is to collect spans does not exist, or is of another kind."}
# The cluster of spans in Istio's bootstrap.
ZIPKIN = "zipkin"
_ZIPKIN_PORT, _DATADOG_PORT = 9411, 8126
_SAMPLED = 1.0  # percent: Istio's default
_HTTP_TIMEOUT = timedelta(seconds=10)
T = TypeVar("T")
Kind = Literal["zipkin", "opentelemetry", "datadog", "skywalking"]
_CANONICAL = "service.istio.io/canonical-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Who collects the spans of a proxy, how many requests are sampled, and the tags of each span."""

    tracer: Tracer | None = None
    collector: Collector | None = None
    percent: float = _SAMPLED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What Telemetry objects say, laid over one another."""

    provider: str = ""
    ref: ResourceRef | None = None  # who names the provider; None: the mesh
    at: str = ""
    disabled: bool = False
    percent: float | None = None
    tags: Mapping[str, CustomTag] | None = None
    by_request_id: bool = True
    istio_tags: bool | None = None
    passes_on: bool = True


@step
def spans(ctx: Context, mode: Mode) -> Spans:
    """Without a collector there is no tracer, but where somebody says how much is sampled: only a tracer tells backends
    to sample some of the requests."""
    said = _said(ctx, mode)
    if said is None:
        return _of_proxy(ctx)
    if said.disabled or not said.provider:
        return Spans()
    provider = find(ctx, said.provider)
    if provider is None:
        _report_missing(ctx, said, f"there is no provider {said.provider!r}")
        return Spans()
    made = _of_provider(ctx, provider, said)
    if made is None:
        return Spans()
    tracer, place = made
    settings = ctx.proxy.config.tracing
    is_tagged = (
        said.istio_tags if said.istio_tags is not None else bool(settings and settings.enable_istio_tags)
    )
    tags = said.tags if said.tags is not None else (settings.custom_tags if settings else None)
    whole = replace(
        tracer,
        tags=(*_tags(tags or {}), *(_istio_tags(ctx) if is_tagged else ())),
        path_length=tracer.path_length or (settings.max_path_tag_length if settings else 0),
        by_request_id=said.by_request_id,
        passes_on=said.passes_on,
    )
    percent = _sampling(ctx) if said.percent is None else said.percent
    return Spans(tracer=whole, collector=place, percent=_SAMPLED if percent is None else percent)


def tracing(ctx: Context, mode: Mode = "CLIENT") -> tuple[Tracer | None, tuple[Collector, ...]]:
    """The tracer of every listener of a proxy, and where spans go to; none where nobody collects them."""
    found = spans(ctx, mode)
    return found.tracer, (found.collector,) if found.collector else ()


def trace_headers(ctx: Context) -> TraceHeaders | None:
    """What becomes of B3 headers at a proxy whose spans nobody collects: they are made and passed on all the same, as in
    the meshes that people know. None where a tracer does it, or where the mesh's tracing is off."""
    return TraceHeaders.MAKE if ctx.mesh.enable_tracing and tracing(ctx)[0] is None else None


def trace_percent(ctx: Context, mode: Mode = "CLIENT") -> float:
    """The share of requests that are sampled."""
    return spans(ctx, mode).percent


def _sampling(ctx: Context) -> float | None:
    """What somebody said of that; None: nobody did."""
    settings = ctx.proxy.config.tracing
    own = settings.sampling if settings else None
    return ctx.switches.trace_sampling if own is None else own


# --- what Telemetry objects say ---------------------------------------------------------------------


def _said(ctx: Context, mode: Mode) -> _Wanted | None:
    """None where neither they nor the mesh's default providers say anything."""
    default = next(iter(ctx.mesh.default_providers.tracing), "")
    entries = [(one.ref, entry) for one in telemetries(ctx) for entry in one.spec.tracing]
    if not entries and not default:
        return None
    said = _Wanted(provider=default)
    for ref, entry in entries:
        if matches(entry.match, mode):
            said = _over(said, ref, entry)
    return said


def _over(said: _Wanted, ref: ResourceRef, entry: Tracing) -> _Wanted:
    if entry.providers:
        said = replace(said, provider=entry.providers[0].name, ref=ref, at=f"{entry.at}.providers[0]")
    return replace(
        said,
        disabled=_first(entry.disable_span_reporting, said.disabled),
        percent=_first(entry.random_sampling_percentage, said.percent),
        tags=_first(entry.custom_tags, said.tags),
        by_request_id=_first(entry.use_request_id_for_trace_sampling, said.by_request_id),
        istio_tags=_first(entry.enable_istio_tags, said.istio_tags),
        passes_on=not _first(entry.disable_context_propagation, not said.passes_on),
    )


def _report_missing(ctx: Context, said: _Wanted, wrong: str) -> None:
    ctx.report(
        Problem(
            code="TEL-005",
            resource=said.ref or ctx.proxy.origin,
            field=said.at if said.ref else "spec.meshConfig.defaultProviders.tracing",
            message=f"{wrong}: no spans are made",
            hint="The providers are those of meshConfig.extensionProviders.",
        )
    )


def _first(above: T | None, below: T) -> T:
    return below if above is None else above


# --- collectors -------------------------------------------------------------------------------------


def _service(ctx: Context) -> str:
    """What the proxy calls itself in spans."""
    return f"{ctx.proxy.labels.get('app', ctx.proxy.name)}.{ctx.proxy.namespace}"


def _tracer(ctx: Context, kind: Kind, place: Collector, **more: Any) -> Tracer:
    return Tracer(kind=kind, backend=place.name, service=_service(ctx), authority=place.host, **more)


def _of_proxy(ctx: Context) -> Spans:
    """By the proxy's own configuration."""
    settings, sampling = ctx.proxy.config.tracing, _sampling(ctx)
    percent = _SAMPLED if sampling is None else sampling
    if not ctx.mesh.enable_tracing:
        return Spans(percent=percent)
    place = Collector(name=ZIPKIN, host="", port=_ZIPKIN_PORT, protocol=Protocol.UNKNOWN)
    is_datadog = False
    if settings and settings.datadog and settings.datadog.address:
        place, is_datadog = (
            at_address(settings.datadog.address, "datadog", _DATADOG_PORT, Protocol.UNKNOWN),
            True,
        )
    elif settings and settings.zipkin and settings.zipkin.address:
        place = at_address(settings.zipkin.address, ZIPKIN, _ZIPKIN_PORT, Protocol.UNKNOWN)
    if not place.host and sampling is None:
        return Spans(percent=percent)
    is_tagged = bool(settings and settings.enable_istio_tags)
    tracer = Tracer(
        kind="datadog" if is_datadog else "zipkin",
        backend=place.name,
        service=_service(ctx),
        path_length=settings.max_path_tag_length if settings else 0,
        tags=(
            *_tags((settings.custom_tags if settings else None) or {}),
            *(_istio_tags(ctx) if is_tagged else ()),
        ),
    )
    return Spans(tracer=tracer, collector=place, percent=percent)


def _of_provider(ctx: Context, provider: ExtensionProvider, said: _Wanted) -> tuple[Tracer, Collector] | None:
    if provider.opentelemetry is not None:
        return _otlp(ctx, provider, provider.opentelemetry)
    if provider.zipkin is not None:
        return _zipkin(ctx, provider, provider.zipkin)
    if provider.datadog is not None:
        place = collector(ctx, provider, provider.datadog, _backend(provider), Protocol.UNKNOWN)
        length = provider.datadog.max_tag_length
        return (_tracer(ctx, "datadog", place, path_length=length), place) if place else None
    if provider.skywalking is not None:
        place = collector(ctx, provider, provider.skywalking, _backend(provider), Protocol.HTTP2)
        token = provider.skywalking.access_token
        return (_tracer(ctx, "skywalking", place, token=token), place) if place else None
    _report_missing(ctx, said, f"the provider {provider.name} is of a kind that takes no spans")
    return None


def _backend(provider: ExtensionProvider) -> str:
    return f"tracing/{provider.name}"


def _zipkin(
    ctx: Context, provider: ExtensionProvider, wanted: ZipkinProvider
) -> tuple[Tracer, Collector] | None:
    place = collector(ctx, provider, wanted, _backend(provider), Protocol.UNKNOWN)
    if place is None:
        return None
    if wanted.path and (wrong := checks.header_value(wanted.path)):
        report(ctx, provider, f"{wanted.at}.path", wrong)
        return None
    w3c = wanted.trace_context_option == "USE_B3_WITH_W3C_PROPAGATION"
    tracer = _tracer(
        ctx,
        "zipkin",
        place,
        path=wanted.path,
        short_ids=wanted.enable_64bit_trace_id,
        takes_w3c=w3c,
        path_length=wanted.max_tag_length,
    )
    return tracer, place


def _otlp(
    ctx: Context, provider: ExtensionProvider, wanted: OpenTelemetryProvider
) -> tuple[Tracer, Collector] | None:
    over_http, over_grpc = wanted.http, wanted.grpc
    protocol = Protocol.HTTP2 if over_http is None else Protocol.UNKNOWN
    place = collector(ctx, provider, wanted, _backend(provider), protocol)
    for header in (
        *(over_http.headers if over_http else ()),
        *(over_grpc.initial_metadata if over_grpc else ()),
    ):
        if wrong := checks.token(header.name) or checks.header_value(header.value):
            report(ctx, provider, header.at, wrong)
            return None
    if place is None:
        return None
    detectors = wanted.resource_detectors
    tracer = _tracer(
        ctx,
        "opentelemetry",
        place,
        over_http=over_http
        and OverHttp(
            path=f"/{over_http.path.lstrip('/')}",
            timeout=over_http.timeout or _HTTP_TIMEOUT,
            headers=_pairs(over_http.headers),
        ),
        timeout=over_grpc.timeout if over_grpc else None,
        metadata=_pairs(over_grpc.initial_metadata) if over_grpc else (),
        detectors=tuple(
            name
            for name in ("environment", "dynatrace")
            if detectors and getattr(detectors, name) is not None
        ),
        path_length=wanted.max_tag_length,
    )
    return tracer, place


def _pairs(headers: tuple[HttpHeader, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((header.name, header.value) for header in headers)


# --- tags -------------------------------------------------------------------------------------------


def _tags(wanted: Mapping[str, CustomTag]) -> tuple[Tag, ...]:
    """Sorted by name, as Istio has them."""
    return tuple(tag for name in sorted(wanted) for tag in _tag(name, wanted[name]))


def _tag(name: str, wanted: CustomTag) -> tuple[Tag, ...]:
    if wanted.literal is not None:
        return (Tag(name=name, kind="literal", value=wanted.literal.value),)
    if wanted.environment is not None:
        variable = wanted.environment
        return (Tag(name=name, kind="environment", value=variable.name, default=variable.default_value),)
    if wanted.header is not None:
        header = wanted.header
        return (Tag(name=name, kind="header", value=header.name, default=header.default_value),)
    if wanted.formatter is not None:
        return (Tag(name=name, kind="format", value=wanted.formatter.value),)
    return ()


def _istio_tags(ctx: Context) -> tuple[Tag, ...]:
    """Who makes the span, in Istio's words."""
    labels = ctx.proxy.labels
    texts = {
        "istio.canonical_revision": labels.get(f"{_CANONICAL}revision", labels.get("version", "latest")),
        "istio.canonical_service": labels.get(f"{_CANONICAL}name", labels.get("app", ctx.proxy.name)),
        "istio.cluster_id": ctx.proxy.metadata.get("CLUSTER_ID", "Kubernetes"),
        "istio.mesh_id": ctx.proxy.metadata.get("MESH_ID", ctx.mesh.trust_domain),
        "istio.namespace": ctx.proxy.namespace,
    }
    return tuple(Tag(name=name, kind="literal", value=text) for name, text in texts.items())
