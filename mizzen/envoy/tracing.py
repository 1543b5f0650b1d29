"""Spans: which requests are sampled, what is told of them, and who collects them."""

from typing import assert_never

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.access_log import grpc_service
from mizzen.envoy.parts import boolean, duration, extension, packed, uint32
from mizzen.model.telemetry import OverHttp, Tag, Tracer

Tracing = pb.HttpConnectionManager.Tracing
_DETECTORS = "envoy.tracers.opentelemetry.resource_detectors"


def tracing(percent: float, tracer: Tracer) -> Tracing:
    """With it a route's operation reaches the backend (x-envoy-decorator-operation).

    `percent` of the requests are sampled for which no client has decided.
    """
    out = Tracing(
        client_sampling=pb.Percent(value=100),
        random_sampling=pb.Percent(value=percent),
        overall_sampling=pb.Percent(value=100),
        custom_tags=[_tag(tag) for tag in tracer.tags],
        provider=provider(tracer),
    )
    if tracer.path_length:
        out.max_path_tag_length.CopyFrom(uint32(tracer.path_length))
    if not tracer.passes_on:
        out.no_context_propagation = True
    return out


def request_id(tracer: Tracer) -> pb.RequestIDExtension | None:
    """Whether the id of a request tells that it is sampled: Envoy's default needs no word."""
    if tracer.by_request_id:
        return None
    config = pb.UuidRequestIdConfig(use_request_id_for_trace_sampling=boolean(False))
    return pb.RequestIDExtension(typed_config=packed(config))


def provider(tracer: Tracer) -> pb.BootstrapTracing.Http:
    match tracer.kind:
        case "zipkin":
            config: Message = _zipkin(tracer)
        case "opentelemetry":
            config = _otlp(tracer)
        case "datadog":
            config = pb.DatadogConfig(
                collector_cluster=tracer.backend,
                service_name=tracer.service,
                collector_hostname=tracer.authority,
            )
        case "skywalking":
            client = pb.ClientConfig(service_name=tracer.service, backend_token=tracer.token)
            service = grpc_service(tracer.backend, tracer.authority)
            config = pb.SkyWalkingConfig(grpc_service=service, client_config=client)
        case other:
            assert_never(other)
    return pb.BootstrapTracing.Http(name=f"envoy.tracers.{tracer.kind}", typed_config=packed(config))


def _zipkin(tracer: Tracer) -> pb.ZipkinConfig:
    out = pb.ZipkinConfig(
        collector_cluster=tracer.backend,
        collector_endpoint=tracer.path or "/api/v2/spans",
        collector_endpoint_version=pb.ZipkinConfig.HTTP_JSON,
        trace_id_128bit=not tracer.short_ids,
        shared_span_context=boolean(False),
        collector_hostname=tracer.authority,
    )
    if tracer.takes_w3c:
        out.trace_context_option = pb.ZipkinConfig.USE_B3_WITH_W3C_PROPAGATION
    return out


def _otlp(tracer: Tracer) -> pb.OpenTelemetryConfig:
    out = pb.OpenTelemetryConfig(service_name=tracer.service)
    if tracer.over_http is not None:
        out.http_service.CopyFrom(_over_http(tracer, tracer.over_http))
    else:
        out.grpc_service.CopyFrom(grpc_service(tracer.backend, tracer.authority))
        for key, value in tracer.metadata:
            out.grpc_service.initial_metadata.add(key=key, value=value)
        if tracer.timeout is not None:
            out.grpc_service.timeout.CopyFrom(duration(tracer.timeout))
    for name in tracer.detectors:
        detector = (
            pb.EnvironmentResourceDetectorConfig()
            if name == "environment"
            else pb.DynatraceResourceDetectorConfig()
        )
        out.resource_detectors.append(extension(f"{_DETECTORS}.{name}", detector))
    return out


def _over_http(tracer: Tracer, way: OverHttp) -> pb.HttpService:
    out = pb.HttpService()
    out.http_uri.uri = f"http://{tracer.authority}{way.path}"
    out.http_uri.cluster = tracer.backend
    out.http_uri.timeout.CopyFrom(duration(way.timeout))
    for key, value in way.headers:
        out.request_headers_to_add.add(
            header=pb.HeaderValue(key=key, value=value),
            append_action=pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
    return out


def _tag(tag: Tag) -> pb.CustomTag:
    out = pb.CustomTag(tag=tag.name)
    match tag.kind:
        case "literal":
            out.literal.value = tag.value
        case "environment":
            out.environment.name, out.environment.default_value = tag.value, tag.default
        case "header":
            out.request_header.name, out.request_header.default_value = tag.value, tag.default
        case "format":
            out.value = tag.value
        case other:
            assert_never(other)
    return out
