"""Who collects spans, and what becomes of trace headers where nobody does."""

from datetime import timedelta

import pytest

from mizzen.model.backend import Protocol
from mizzen.model.telemetry import OverHttp, Tag, TraceHeaders
from mizzen.resolve.listeners.tracing import Spans, spans, trace_headers, trace_percent, tracing

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


def telemetry(spec, name="all"):
    return f"""
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: {name}, namespace: istio-system}}
spec: {{tracing: {spec}}}
"""


PROVIDERS = """extensionProviders: [
    {name: z, zipkin: {service: z.test, port: 9411, path: /spans, enable64bitTraceId: true, maxTagLength: 7,
      traceContextOption: USE_B3_WITH_W3C_PROPAGATION}},
    {name: d, datadog: {service: d.test, port: 8126}},
    {name: s, skywalking: {service: s.test, port: 11800, accessToken: t}},
    {name: h, opentelemetry: {service: h.test, port: 4318, http: {path: v1/traces, timeout: 3s, headers: [{name: x, value: y}]},
      resourceDetectors: {environment: {}}}},
    {name: g, opentelemetry: {service: g.test, port: 4317, grpc: {timeout: 2s, initialMetadata: [{name: x, value: y}]}}},
    {name: bad, opentelemetry: {service: g.test, port: 4317, http: {headers: [{name: 'x y', value: y}]}}},
    {name: f, envoyFileAccessLog: {}}]"""


def made(gateway, mesh, *specs, mode="CLIENT"):
    objects = (telemetry(spec, f"t{index}") for index, spec in enumerate(specs))
    text = OPERATOR.replace("MESH", " ".join(mesh.split())) + "  components: {ingressGateways: [{name: gw}]}"
    found = gateway(text + "".join(objects))
    return found, spans(found.ctx, mode)


@pytest.mark.parametrize(
    ("name", "kind", "host", "protocol"),
    [
        ("z", "zipkin", "z.test", Protocol.UNKNOWN),
        ("d", "datadog", "d.test", Protocol.UNKNOWN),
        ("s", "skywalking", "s.test", Protocol.HTTP2),
        ("h", "opentelemetry", "h.test", Protocol.UNKNOWN),
        ("g", "opentelemetry", "g.test", Protocol.HTTP2),
    ],
)
def test_a_telemetry_names_the_collector(gateway, name, kind, host, protocol):
    # Whatever the mesh says of tracing without it.
    found, got = made(gateway, f"enableTracing: false, {PROVIDERS}", f"[{{providers: [{{name: {name}}}]}}]")
    assert (got.tracer.kind, got.tracer.backend, got.tracer.authority) == (kind, f"tracing/{name}", host)
    assert (got.collector.host, got.collector.protocol) == (host, protocol)
    assert not found.problems


def test_what_a_provider_says_of_itself(gateway):
    _, got = made(gateway, PROVIDERS, "[{providers: [{name: z}]}]")
    tracer = got.tracer
    assert (tracer.path, tracer.short_ids, tracer.takes_w3c, tracer.path_length) == ("/spans", True, True, 7)
    _, got = made(gateway, PROVIDERS, "[{providers: [{name: h}]}]")
    assert got.tracer.over_http == OverHttp(
        path="/v1/traces", timeout=timedelta(seconds=3), headers=(("x", "y"),)
    )
    assert got.tracer.detectors == ("environment",)
    _, got = made(gateway, PROVIDERS, "[{providers: [{name: g}]}]")
    assert (got.tracer.timeout, got.tracer.metadata) == (timedelta(seconds=2), (("x", "y"),))


def test_telemetries_lie_over_one_another(gateway):
    mesh = f"defaultProviders: {{tracing: [d, z]}}, {PROVIDERS}"
    _, got = made(gateway, mesh)
    assert (got.tracer.kind, got.percent) == ("datadog", 1.0)
    _, got = made(gateway, mesh, "[{randomSamplingPercentage: 0}]")
    assert (got.tracer.kind, got.percent) == ("datadog", 0.0)
    _, got = made(gateway, mesh, "[{disableSpanReporting: true}]")
    assert got == Spans()
    both = [
        "[{providers: [{name: z}], randomSamplingPercentage: 5}]",
        "[{useRequestIdForTraceSampling: false}]",
    ]
    found = gateway(
        OPERATOR.replace("MESH", " ".join(mesh.split()))
        + "  components: {ingressGateways: [{name: gw}]}"
        + telemetry(both[0])
        + telemetry(both[1], "own").replace("spec: {", "spec: {selector: {matchLabels: {app: gw}}, ")
    )
    got = spans(found.ctx, "CLIENT")
    assert (got.tracer.kind, got.percent, got.tracer.by_request_id) == ("zipkin", 5.0, False)


def test_a_mode_is_for_one_side_alone(gateway):
    entry = "[{match: {mode: SERVER}, providers: [{name: z}]}]"
    assert made(gateway, PROVIDERS, entry)[1] == Spans()
    assert made(gateway, PROVIDERS, entry, mode="SERVER")[1].tracer.kind == "zipkin"


@pytest.mark.parametrize(("name", "code"), [("nobody", "TEL-005"), ("f", "TEL-005"), ("bad", "TEL-002")])
def test_a_provider_that_collects_nothing_is_told(gateway, name, code):
    found, got = made(gateway, PROVIDERS, f"[{{providers: [{{name: {name}}}]}}]")
    assert got == Spans()
    assert found.codes == [code]


def test_tags_come_from_telemetry_or_from_the_proxys_configuration(gateway):
    tags = (
        "{d: {literal: {value: x}}, c: {environment: {name: HOME, defaultValue: y}}, "
        "b: {header: {name: x-a}}, a: {formatter: {value: '%PROTOCOL%'}}}"
    )
    expected = (
        Tag(name="a", kind="format", value="%PROTOCOL%"),
        Tag(name="b", kind="header", value="x-a"),
        Tag(name="c", kind="environment", value="HOME", default="y"),
        Tag(name="d", kind="literal", value="x"),
    )
    _, got = made(gateway, PROVIDERS, f"[{{providers: [{{name: z}}], customTags: {tags}}}]")
    assert got.tracer.tags == expected
    of_proxy = f"defaultConfig: {{tracing: {{sampling: 1, maxPathTagLength: 9, customTags: {tags}}}}}"
    _, got = made(gateway, of_proxy)
    assert (got.tracer.tags, got.tracer.path_length) == (expected, 9)
    _, got = made(gateway, f"{of_proxy}, {PROVIDERS}", "[{providers: [{name: z}], enableIstioTags: true}]")
    assert [tag.name for tag in got.tracer.tags] == [
        *"abcd",
        "istio.canonical_revision",
        "istio.canonical_service",
        "istio.cluster_id",
        "istio.mesh_id",
        "istio.namespace",
    ]


def test_a_datadog_agent_of_the_proxys_configuration(gateway):
    _, got = made(gateway, "defaultConfig: {tracing: {datadog: {address: 'agent.test:9999'}}}")
    assert (got.tracer.kind, got.collector.host, got.collector.port) == ("datadog", "agent.test", 9999)
