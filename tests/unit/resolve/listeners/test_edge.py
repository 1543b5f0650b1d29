"""How a gateway meets its clients."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mizzen.model.listener import Edge, HeaderCase, Http2Limits
from mizzen.model.telemetry import TraceHeaders
from mizzen.resolve.context import ByService
from mizzen.resolve.listeners.edge import edge

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {MESH}
  components: {ingressGateways: [{name: gw, k8s: {env: [ENV]}}]}
"""


OWN_MACHINE = ("127.0.0.0/8", "::1/128")


@pytest.fixture
def configured(gateway):
    def make(mesh, env="", **environment):
        return gateway(OPERATOR.replace("MESH", mesh).replace("ENV", env), environment=environment)

    return make


def test_without_a_word_the_edge_is_istios_default(gateway):
    assert edge(gateway("").ctx) == Edge(
        trace_headers=TraceHeaders.MAKE, internal_networks=OWN_MACHINE, believes_internal=False
    )


def test_topology_and_headers_come_from_the_proxys_configuration(configured):
    found = configured(
        "defaultConfig: {gatewayTopology: {numTrustedProxies: 2, forwardClientCertDetails: APPEND_FORWARD}, "
        "proxyHeaders: {server: {value: edge}, requestId: {disabled: true}, xForwardedPort: {enabled: true}, "
        "envoyDebugHeaders: {disabled: true}, preserveHttp1HeaderCase: true}}"
    )
    assert edge(found.ctx) == Edge(
        trusted_hops=2,
        client_cert_header="append_forward",
        server_header="edge",
        request_id=False,
        forwarded_port=True,
        suppress_envoy_headers=True,
        header_case=HeaderCase.PRESERVE,
        trace_headers=TraceHeaders.MAKE,
        believes_internal=False,
    )


def test_a_disabled_server_header_lets_the_backends_pass(configured):
    found = configured("defaultConfig: {proxyHeaders: {server: {disabled: true, value: edge}}}")
    assert edge(found.ctx).server_header is None


def test_http_1_0_is_taken_by_switch_or_by_variable(configured):
    variable = "{name: ISTIO_META_HTTP10, value: '1'}"
    assert not edge(configured("").ctx).accept_http_10
    assert edge(configured("", PILOT_HTTP10="true").ctx).accept_http_10
    assert edge(configured("", variable).ctx).accept_http_10


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("DEFAULT", (True, False, "keep_unchanged")),
        ("BASE", (True, False, "keep_unchanged")),
        ("NONE", (False, False, "keep_unchanged")),
        ("MERGE_SLASHES", (True, True, "keep_unchanged")),
        ("DECODE_AND_MERGE_SLASHES", (True, True, "unescape_and_forward")),
    ],
)
def test_paths_are_normalised_as_the_mesh_says(configured, normalization, expected):
    made = edge(configured(f"pathNormalization: {{normalization: {normalization}}}").ctx)
    assert (made.normalize_path, made.merge_slashes, made.escaped_slashes) == expected


def test_profile_edge_fills_in_what_is_not_said(configured):
    made = edge(
        configured(
            "defaultConfig: {connectionSettings: {profile: EDGE, httpRequestTimeout: 9s, "
            "httpMaxConcurrentStreams: 7, httpPathWithEscapedSlashesAction: "
            "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED}}"
        ).ctx
    )
    assert made.request_timeout == timedelta(seconds=9)
    assert made.stream_idle_timeout == timedelta(minutes=5)
    assert made.request_headers_timeout == timedelta(seconds=60)
    assert made.idle_timeout == timedelta(hours=1)
    assert made.http2 == Http2Limits(
        max_concurrent_streams=7, stream_window=64 * 1024, connection_window=1024 * 1024
    )
    assert (made.buffer_limit, made.underscores) == (32 * 1024, "reject_request")
    assert (made.merge_slashes, made.escaped_slashes) == (True, "unescape_and_redirect")


def test_connection_settings_outrank_the_meshs_paths(configured):
    made = edge(
        configured(
            "pathNormalization: {normalization: MERGE_SLASHES}, defaultConfig: {connectionSettings: "
            "{httpMergeSlashes: false, httpPathWithEscapedSlashesAction: REJECT_REQUEST, "
            "listenerPerConnectionBufferLimitBytes: -1}}"
        ).ctx
    )
    assert (made.merge_slashes, made.escaped_slashes) == (False, "reject_request")
    assert made.buffer_limit is None


def test_an_idle_timeout_comes_as_a_variable(configured):
    assert edge(configured("", "{name: ISTIO_META_IDLE_TIMEOUT, value: 30s}").ctx).idle_timeout == timedelta(
        seconds=30
    )
    found = configured("", "{name: ISTIO_META_IDLE_TIMEOUT, value: soon}")
    assert edge(found.ctx).idle_timeout is None
    assert found.codes == ["GW-010"]


def test_only_clients_of_the_own_machine_are_internal_and_nobody_where_somebody_forwards(configured, gateway):
    assert edge(configured("").ctx).internal_networks == OWN_MACHINE
    assert not edge(configured("").ctx).believes_internal
    for mesh in ("numTrustedProxies: 1", "proxyProtocol: {}"):
        found = configured(f"defaultConfig: {{gatewayTopology: {{{mesh}}}}}")
        assert edge(found.ctx).internal_networks == ()
    for ports in (((443, 8443),), ByService.SERVICE):
        proxy = replace(gateway("").ctx.proxy, external_ports=ports)
        assert edge(replace(gateway("").ctx, proxy=proxy)).internal_networks == ()


def test_the_switch_makes_private_networks_internal_or_nobody(configured):
    asked = edge(configured("", ENABLE_HCM_INTERNAL_NETWORKS="true").ctx)
    assert {"10.0.0.0/8", *OWN_MACHINE} < set(asked.internal_networks)
    assert asked.believes_internal
    assert edge(configured("", ENABLE_HCM_INTERNAL_NETWORKS="false").ctx).internal_networks == ()


def test_limits_of_headers_are_switches_and_what_is_no_number_is_told_of(configured):
    found = configured("", MIZZEN_MAX_REQUEST_HEADERS_KB="96", MIZZEN_MAX_REQUEST_HEADERS_COUNT="200")
    assert (edge(found.ctx).most_header_kib, edge(found.ctx).most_headers) == (96, 200)
    for text in ("0", "-1", "60k", "99999", "٣", "1" * 5_000):
        found = configured("", MIZZEN_MAX_REQUEST_HEADERS_KB=text)
        assert edge(found.ctx).most_header_kib == 60
        assert {(one.code, one.field) for one in found.problems} == {("GW-010", "spec.values.pilot.env")}
