"""Spans: which requests are sampled, and who collects them."""

from typing import assert_never

from mizzen._api import pb
from mizzen.envoy.parts import boolean, packed
from mizzen.model.listener import Tracer

Tracing = pb.HttpConnectionManager.Tracing


def tracing(percent: float, tracer: Tracer) -> Tracing:
    """With it a route's operation reaches the backend (x-envoy-decorator-operation).

    `percent` of the requests are sampled for which no client has decided.
    """
    return Tracing(
        client_sampling=pb.Percent(value=100),
        random_sampling=pb.Percent(value=percent),
        overall_sampling=pb.Percent(value=100),
        provider=provider(tracer),
    )


def provider(tracer: Tracer) -> pb.BootstrapTracing.Http:
    match tracer.kind:
        case "zipkin":
            zipkin = pb.ZipkinConfig(
                collector_cluster=tracer.backend,
                collector_endpoint="/api/v2/spans",
                collector_endpoint_version=pb.ZipkinConfig.HTTP_JSON,
                trace_id_128bit=True,
                shared_span_context=boolean(False),
            )
            return pb.BootstrapTracing.Http(name="envoy.tracers.zipkin", typed_config=packed(zipkin))
        case "opentelemetry":
            service = pb.GrpcService(envoy_grpc=pb.GrpcService.EnvoyGrpc(cluster_name=tracer.backend))
            telemetry = pb.OpenTelemetryConfig(grpc_service=service, service_name=tracer.service)
            return pb.BootstrapTracing.Http(
                name="envoy.tracers.opentelemetry", typed_config=packed(telemetry)
            )
        case other:
            assert_never(other)
