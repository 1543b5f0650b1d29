"""Which servers get an HTTP/3 mirror, what is announced, and what users are told where there is none."""

import pytest

from mizzen.errors import Severity
from mizzen.model.announcement import IMMEDIATE
from mizzen.resolve.context import ByService
from mizzen.resolve.gateways.server_tls import server_tls
from mizzen.resolve.gateways.servers import merged_servers
from mizzen.resolve.listeners.mirrors import mirrored

SERVER = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: team}
spec:
  selector: {}
  servers:
  - port: {number: 443, name: https, protocol: PROTOCOL}
    hosts: [www.a.com, '*.b.com']
    tls: {TLS}
"""
OPERATOR = """
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {MESH}
  components:
    ingressGateways:
    - name: istio-ingressgateway
      k8s: {service: {ports: [{port: 443, targetPort: 8443}UDP]}}
"""
SIMPLE = "mode: SIMPLE, credentialName: cred"


@pytest.fixture
def judged(gateway, pair):
    def make(tls=SIMPLE, protocol="HTTPS", more="", **options):
        secret = pair("www.a.com", "*.b.com").secret("cred", ca__crt=pair("ca").certificate)
        text = SERVER.replace("TLS", tls).replace("PROTOCOL", protocol) + secret + more
        found = gateway(text, **options)
        servers = merged_servers(found.ctx)
        ends = {s.route_table: server_tls(found.ctx, s) for s in servers if s.kind == "https"}
        return mirrored(found.ctx, servers, ends), found

    return make


def operator(udp="", mesh=""):
    return OPERATOR.replace("UDP", udp and f", {udp}").replace("MESH", mesh)


UDP = "{port: 443, targetPort: 8443, protocol: UDP}"
NAME = "https.443.https.gw.team"


@pytest.mark.parametrize("mode", ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"])
def test_an_https_server_that_ends_tls_is_mirrored(judged, mode):
    made, found = judged(f"mode: {mode}, credentialName: cred")
    [mirror] = made.mirrors
    assert (mirror.server, mirror.tcp_listener, mirror.quic_listener) == (
        NAME,
        "0.0.0.0_8443",
        "udp_0.0.0.0_8443",
    )
    assert mirror.expected
    assert mirror.reason == ""
    assert made.route_tables == {NAME}
    assert not found.problems


def test_the_announcement_says_what_must_be_proven(judged):
    made, _ = judged()
    [announcement] = made.announcements
    assert announcement.name == f"alt-svc/{NAME}"
    assert announcement.port == 8443
    assert announcement.rollout.stages == IMMEDIATE
    assert announcement.listener == "udp_0.0.0.0_8443"
    assert announcement.server_names == ("*.b.com", "www.a.com")
    assert announcement.certificates == ("kubernetes://cred",)


@pytest.mark.parametrize(
    ("external", "port"), [((), 8443), (((9443, 8443), (80, 8080)), 9443), (ByService.SERVICE, 443)]
)
def test_the_port_that_is_announced_is_the_one_that_clients_dial(judged, external, port):
    made, _ = judged(external_ports=external)
    assert made.announcements[0].port == port


@pytest.mark.parametrize(
    ("protocol", "tls"),
    [
        ("HTTPS", "mode: PASSTHROUGH"),
        ("TLS", "mode: PASSTHROUGH"),
        ("TLS", SIMPLE),
        ("HTTP", "httpsRedirect: true"),
    ],
)
def test_other_servers_have_neither_mirror_nor_announcement(judged, protocol, tls):
    made, found = judged(tls, protocol)
    assert (made.mirrors, made.announcements, made.route_tables) == ((), (), frozenset())
    assert not found.problems


def test_with_http3_off_nothing_is_missing_and_the_announcement_is_empty(judged):
    made, found = judged(environment={"PILOT_ENABLE_QUIC_LISTENERS": "false"})
    [mirror] = made.mirrors
    assert not mirror.expected
    assert "PILOT_ENABLE_QUIC_LISTENERS" in mirror.reason
    assert made.announcements[0].port is None
    assert not found.problems


def test_a_service_without_the_udp_port_is_told_how_to_open_it(judged):
    made, found = judged(more=operator())
    assert made.mirrors[0].expected
    assert made.mirrors[0].quic_listener == ""
    assert made.announcements[0].port is None
    [problem] = found.problems
    assert (problem.code, problem.severity) == ("H3-001", Severity.WARNING)
    assert (str(problem.resource), problem.field) == ("Gateway/team/gw", "spec.servers[0].port")
    assert "{name: http3, port: 443, protocol: UDP, targetPort: 8443}" in problem.hint


def test_udp_that_leads_elsewhere_is_no_mirror(judged):
    made, found = judged(more=operator("{port: 443, targetPort: 8444, protocol: UDP}"))
    assert made.route_tables == frozenset()
    assert found.codes == ["H3-002"]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("maxProtocolVersion: TLSV1_2", "spec.servers[0].tls.maxProtocolVersion"),
        ("ecdhCurves: [P-256]", "spec.servers[0].tls.ecdhCurves"),
    ],
)
def test_a_policy_that_quic_would_not_keep_is_no_mirror(judged, policy, field):
    made, found = judged(f"{SIMPLE}, {policy}")
    assert made.route_tables == frozenset()
    assert [(p.code, p.field) for p in found.problems] == [("H3-003", field)]


def test_a_policy_that_quic_keeps_anyway_is_no_obstacle(judged):
    made, found = judged(
        f"{SIMPLE}, maxProtocolVersion: TLSV1_3, ecdhCurves: [X25519MLKEM768, X25519, P-256, P-384]"
    )
    assert made.route_tables == {NAME}
    assert not found.problems


def test_a_cipher_list_is_no_obstacle_and_is_told_once(judged):
    made, found = judged(f"{SIMPLE}, cipherSuites: [AES128-SHA]")
    assert made.route_tables == {NAME}
    assert [(p.code, p.severity) for p in found.problems] == [("H3-005", Severity.INFO)]


def test_behind_the_proxy_protocol_there_is_no_mirror(judged):
    mesh = "defaultConfig: {gatewayTopology: {proxyProtocol: {}}}"
    made, found = judged(more=operator(UDP, mesh))
    assert made.route_tables == frozenset()
    assert found.codes == ["H3-004"]


def test_two_kinds_of_certificates_are_mirrored_with_a_warning(judged, pair):
    rsa = pair("www.a.com", algorithm="rsa2048").secret("rsa")
    made, found = judged("mode: SIMPLE, credentialNames: [cred, rsa]", more=rsa)
    assert made.route_tables == {NAME}
    assert found.codes == ["H3-006"]


def test_a_server_whose_tls_cannot_be_set_up_has_no_announcement_either(judged):
    made, found = judged("mode: SIMPLE, credentialName: cred, ecdhCurves: [secp999]")
    assert made.announcements == ()
    assert made.mirrors[0].reason
    assert found.codes == ["TLS-003"]


def choosing(spec, name="choice"):
    ref = "targetRefs: [{name: gw}]"
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: {name}, namespace: team}}
spec: {{{spec.replace("TO", ref)}}}
"""


BY = "HTTP3Policy/team/choice"


@pytest.mark.parametrize(
    ("spec", "reason", "choice"),
    [
        ('mode: "on", TO', "", f"switched on by {BY}"),
        ('mode: "off", TO', f"HTTP/3 is switched off by {BY}", ""),
        ('mode: "only", TO', "", f"without TCP by {BY}"),
        ('mode: "off", hosts: [www.a.com], TO', "", f"www.a.com switched off by {BY}"),
        ("earlyData: true, TO", "", "takes early data"),
    ],
)
def test_what_was_chosen_and_by_whom(judged, spec, reason, choice):
    result, _ = judged(more=choosing(spec))
    [mirror] = result.mirrors
    assert (mirror.reason, mirror.choice) == (reason, choice)
    assert bool(mirror.quic_listener) is (not reason)
    assert mirror.expected is (not reason)
    assert bool(mirror.tcp_listener) is ("only" not in spec)


def test_a_mirror_is_switched_on_where_the_mesh_has_none(judged):
    off = {"PILOT_ENABLE_QUIC_LISTENERS": "false"}
    assert not judged(environment=off)[0].mirrors[0].quic_listener
    on, _ = judged(more=choosing('mode: "on", TO'), environment=off)
    assert on.route_tables == {NAME}


def test_hosts_without_http3_are_told_to_the_listener_and_the_announcement(judged):
    result, _ = judged(more=choosing('mode: "off", hosts: [www.a.com, x.b.com], TO'))
    [announcement] = result.announcements
    assert result.hosts_off == {NAME: ("www.a.com", "x.b.com")}
    assert announcement.hosts_off == ("www.a.com", "x.b.com")


def test_a_host_that_is_off_at_a_server_without_tcp_is_an_error(judged):
    some = choosing('mode: "off", hosts: [www.a.com], TO', "some")
    result, found = judged(more=choosing('mode: "only", TO') + some)
    [problem] = [one for one in found.problems if one.code == "H3-010"]
    assert result.mirrors[0].quic_listener
    assert problem.field == "spec.servers[0].hosts"
    assert all(word in problem.message for word in ("www.a.com", BY, "HTTP3Policy/team/some"))


def test_a_server_that_is_nothing_but_http3_and_cannot_be_is_an_error(judged):
    result, found = judged(more=choosing('mode: "only", TO') + operator(), environment={})
    [problem] = [one for one in found.problems if one.code == "H3-010"]
    assert not result.mirrors[0].quic_listener
    assert (problem.severity, BY in problem.message) == (Severity.ERROR, True)
    assert "UDP" in problem.message
