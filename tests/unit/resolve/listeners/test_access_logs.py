"""Where a gateway logs."""

import json

import pytest

from mizzen.model.telemetry import AccessLog, FileLog
from mizzen.resolve.listeners.access_logs import access_logging, access_logs

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {MESH}
  components: {ingressGateways: [{name: gw}]}
"""


@pytest.fixture
def configured(gateway):
    def make(mesh, *objects):
        return gateway("\n---\n".join((OPERATOR.replace("MESH", mesh), *objects)))

    return make


def test_without_a_word_there_is_no_log(gateway):
    assert access_logs(gateway("").ctx) == ()


def test_a_log_file_means_a_log(configured):
    assert access_logs(configured("accessLogFile: /dev/stdout").ctx) == (
        AccessLog(to=FileLog(path="/dev/stdout")),
    )
    [log] = access_logs(configured("accessLogFile: /log, accessLogFormat: '%PROTOCOL%'").ctx)
    assert log.to.text_format == "%PROTOCOL%"


def fields(log):
    return json.loads(log.to.json_format)


def test_a_json_log_has_istios_fields_or_the_users(configured):
    in_json = "accessLogFile: /log, accessLogEncoding: JSON"
    [log] = access_logs(configured(in_json).ctx)
    assert fields(log)["response_code"] == "%RESPONSE_CODE%"
    [log] = access_logs(
        configured(in_json + """, accessLogFormat: '{"p": "%PROTOCOL%", "more": {"n": [1, true]}}'""").ctx
    )
    assert fields(log) == {"p": "%PROTOCOL%", "more": {"n": [1, True]}}
    for wrong in ("[1", '{"a": {"b": ["%NOBODY%"]}}', '{"a": NaN}'):
        found = configured(in_json + f", accessLogFormat: '{wrong}'")
        [log] = access_logs(found.ctx)
        assert found.codes == ["GW-009"]
        assert len(fields(log)) > 10


def telemetry(spec, name="all", namespace="istio-system"):
    return f"""
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""


FILES = "extensionProviders: [{name: a, envoyFileAccessLog: {path: /a}}, {name: B, envoyFileAccessLog: {path: /b}}]"


def logged(found, mode="CLIENT"):
    """File -> the expression that decides."""
    return {log.to.path: log.only for log in access_logs(found.ctx, mode)}


@pytest.mark.parametrize(
    ("mesh", "specs", "expected"),
    [
        # The built-in provider writes to Envoy's standard output.
        ("", ["{accessLogging: [{providers: [{name: envoy}]}]}"], {"/dev/stdout": ""}),
        # Names go without case; the mesh's file counts no more.
        ("accessLogFile: /log, " + FILES, ["{accessLogging: [{providers: [{name: b}]}]}"], {"/b": ""}),
        ("accessLogFile: /log, " + FILES, ["{tracing: [{disableSpanReporting: true}]}"], {"/log": ""}),
        ("accessLogFile: /log", ["{accessLogging: [{disabled: true}]}"], {}),
        ("accessLogFile: /log", ["{accessLogging: [{providers: [{name: envoy}], disabled: true}]}"], {}),
        (FILES + ", defaultProviders: {accessLogging: [a, b]}", [], {"/a": "", "/b": ""}),
        # A filter without a provider is for those in force.
        (
            FILES + ", defaultProviders: {accessLogging: [a]}",
            ["{accessLogging: [{filter: {expression: 'response.code > 1'}}]}"],
            {"/a": "response.code > 1"},
        ),
        # Of several entries for one provider the last counts.
        (
            FILES,
            [
                "{accessLogging: [{providers: [{name: a}], filter: {expression: 'true'}}, "
                "{providers: [{name: a}], filter: {expression: 'false'}}]}"
            ],
            {"/a": "false"},
        ),
        # The workload's own object names providers anew; what it says nothing of stays.
        (
            FILES,
            [
                "{accessLogging: [{providers: [{name: a}], filter: {expression: 'true'}}]}",
                "{selector: {matchLabels: {app: gw}}, accessLogging: [{providers: [{name: b}]}]}",
            ],
            {"/b": ""},
        ),
        (
            FILES,
            [
                "{accessLogging: [{providers: [{name: a}], filter: {expression: 'true'}}]}",
                "{selector: {matchLabels: {app: gw}}, accessLogging: [{disabled: false}]}",
            ],
            {"/a": "true"},
        ),
        (
            FILES,
            [
                "{accessLogging: [{providers: [{name: a}]}]}",
                "{selector: {matchLabels: {app: gw}}, accessLogging: [{disabled: true}]}",
            ],
            {},
        ),
        (
            FILES,
            [
                "{accessLogging: [{providers: [{name: a}]}]}",
                "{selector: {matchLabels: {app: other}}, accessLogging: [{disabled: true}]}",
            ],
            {"/a": ""},
        ),
        # Gateways are clients.
        (FILES, ["{accessLogging: [{match: {mode: SERVER}, providers: [{name: a}]}]}"], {}),
        (FILES, ["{accessLogging: [{match: {mode: CLIENT}, providers: [{name: a}]}]}"], {"/a": ""}),
    ],
)
def test_telemetries_say_which_providers_are_told(configured, mesh, specs, expected):
    found = configured(mesh, *(telemetry(spec, f"t{index}") for index, spec in enumerate(specs)))
    assert logged(found) == expected
    assert not found.problems


def test_a_sidecars_inbound_connections_are_a_servers(configured):
    found = configured(FILES, telemetry("{accessLogging: [{match: {mode: SERVER}, providers: [{name: a}]}]}"))
    assert (logged(found), logged(found, "SERVER")) == ({}, {"/a": ""})


def test_other_namespaces_and_other_objects_of_a_rank_have_no_say(configured):
    spec = "{accessLogging: [{providers: [{name: envoy}]}]}"
    found = configured("", telemetry(spec, "other", "elsewhere"))
    assert logged(found) == {}
    found = configured("", telemetry("{accessLogging: [{disabled: true}]}", "a"), telemetry(spec, "b"))
    assert logged(found) == {}
    assert found.said == [("TEL-001", "Telemetry/istio-system/b", "spec")]


@pytest.mark.parametrize(
    ("mesh", "name", "field"),
    [
        ("", "nobody", "spec.accessLogging[0].providers"),
        (
            "extensionProviders: [{name: z, zipkin: {service: z.test, port: 1}}]",
            "z",
            "spec.accessLogging[0].providers",
        ),
        ("", "prometheus", "spec.accessLogging[0].providers"),
    ],
)
def test_a_provider_that_logs_nothing_is_told(configured, mesh, name, field):
    found = configured(mesh, telemetry(f"{{accessLogging: [{{providers: [{{name: {name}}}]}}]}}"))
    assert logged(found) == {}
    assert found.said == [("TEL-004", "Telemetry/istio-system/all", field)]


def test_formats_of_files(configured):
    mesh = (
        "accessLogFormat: 'mesh', extensionProviders: [{name: t, envoyFileAccessLog: {logFormat: {text: 'x'}, "
        "omitEmptyValues: true}}, {name: l, envoyFileAccessLog: {logFormat: {labels: {a: '%PROTOCOL%'}}}}, "
        "{name: e, envoyFileAccessLog: {path: /e, logFormat: {labels: {}}}}, {name: n, envoyFileAccessLog: {path: /n}}, "
        "{name: w, envoyFileAccessLog: {logFormat: {text: '%NOBODY%'}}}], "
        "defaultProviders: {accessLogging: [t, l, e, n, w, envoy]}"
    )
    found = configured(mesh)
    text, labels, empty, none, wrong, own = (log.to for log in access_logs(found.ctx))
    assert text == FileLog(path="/dev/stdout", text_format="x", omit_empty=True)
    assert json.loads(labels.json_format) == {"a": "%PROTOCOL%"}
    assert len(json.loads(empty.json_format)) > 10
    assert none == FileLog(path="/n")
    assert wrong == FileLog(path="/dev/stdout")
    assert own == FileLog(path="/dev/stdout", text_format="mesh")
    assert found.codes == ["GW-009"]


def test_collectors_of_logs(configured):
    mesh = (
        "extensionProviders: [{name: h, envoyHttpAls: {service: als.test, port: 9000, logName: mine, "
        "additionalRequestHeadersToLog: [x-a], filterStateObjectsToLog: [s]}}, "
        "{name: t, envoyTcpAls: {service: als.test, port: 9000}}, "
        "{name: o, envoyOtelAls: {service: ns/otel.test, port: 4317, logFormat: {text: 'x', labels: {a: '%PROTOCOL%'}}}}, "
        "{name: p, envoyOtelAls: {service: otel.test}}, {name: s, envoyOtelAls: {port: 1}}, "
        "{name: w, envoyHttpAls: {service: als.test, port: 1, additionalRequestHeadersToLog: ['x y']}}], "
        "defaultProviders: {accessLogging: [h, t, o, p, s, w]}"
    )
    found = configured(mesh)
    made = access_logging(found.ctx, "CLIENT")
    http, tcp, otlp = (log.to for log in made.logs)
    assert (http.kind, http.name, http.authority, http.request_headers, http.states) == (
        "http",
        "mine",
        "als.test",
        ("x-a",),
        ("s",),
    )
    assert (tcp.kind, tcp.name) == ("tcp", "tcp_envoy_accesslog")
    assert (otlp.text_format, otlp.attributes, otlp.backend) == ("x", (("a", "%PROTOCOL%"),), "access-logs/o")
    assert [(one.name, one.host, one.port) for one in made.collectors] == [
        ("access-logs/h", "als.test", 9000),
        ("access-logs/t", "als.test", 9000),
        ("access-logs/o", "otel.test", 4317),
    ]
    assert found.codes == ["TEL-002"] * 3


def test_the_log_service_of_the_proxys_configuration(configured):
    service = "defaultConfig: {envoyAccessLogService: {address: 'als.test:9000'}}"
    assert access_logs(configured(service).ctx) == ()
    found = configured(f"enableEnvoyAccessLogService: true, accessLogFile: /log, {service}")
    made = access_logging(found.ctx, "CLIENT")
    assert [type(log.to).__name__ for log in made.logs] == ["FileLog", "GrpcLog"]
    assert [(one.name, one.host, one.port) for one in made.collectors] == [
        ("envoy_accesslog_service", "als.test", 9000)
    ]
