"""Who collects spans, and what becomes of trace headers where nobody does."""

import pytest

from mizzen.model.listener import TraceHeaders
from mizzen.resolve.listeners.tracing import trace_headers, trace_percent, tracing

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {MESH}
"""
ZIPKIN = "defaultConfig: {tracing: {zipkin: {address: 'zipkin.test:9412'}}}"
PROVIDER = (
    "defaultProviders: {tracing: [otel]}, "
    "extensionProviders: [{name: otel, opentelemetry: {service: otel.test, port: 4317}}]"
)


@pytest.mark.parametrize(
    ("mesh", "environment", "kind", "headers", "percent"),
    [
        ("", {}, "", TraceHeaders.MAKE, 1.0),
        ("enableTracing: false", {}, "", None, 1.0),
        ("enableTracing: false, " + ZIPKIN, {}, "", None, 1.0),
        (ZIPKIN, {}, "zipkin", None, 1.0),
        (PROVIDER, {}, "opentelemetry", None, 1.0),
        # Somebody wants requests sampled, whoever collects them.
        ("defaultConfig: {tracing: {sampling: 50}}", {}, "zipkin", None, 50.0),
        ("", {"PILOT_TRACE_SAMPLING": "0"}, "zipkin", None, 0.0),
        ("defaultConfig: {tracing: {sampling: 50}}", {"PILOT_TRACE_SAMPLING": "3"}, "zipkin", None, 50.0),
    ],
)
def test_a_tracer_is_there_where_somebody_asks_for_one(gateway, mesh, environment, kind, headers, percent):
    ctx = gateway(OPERATOR.replace("MESH", mesh), environment=environment).ctx
    tracer, backends = tracing(ctx)
    assert (tracer.kind if tracer else "") == kind
    assert [backend.name for backend in backends] == ([tracer.backend] if tracer else [])
    assert trace_headers(ctx) is headers
    assert trace_percent(ctx) == percent
