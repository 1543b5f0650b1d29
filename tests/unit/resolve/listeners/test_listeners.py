"""Listeners and chains, from YAML through the whole of resolving."""

import pytest

from mizzen.model.listener import HttpService, TcpService, Transport
from mizzen.model.tls import ClientAuth
from mizzen.resolve import resolve

SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: back, namespace: team}
spec:
  ports:
  - {name: http, port: 80}
  - {name: tcp, port: 4000}
  - {name: tls, port: 443}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: back-1, namespace: team, labels: {kubernetes.io/service-name: back}}
addressType: IPv4
ports: [{name: http, port: 80}, {name: tcp, port: 4000}, {name: tls, port: 443}]
endpoints: [{addresses: [10.0.0.1]}]
"""


def a_gateway(name, *servers):
    lines = "".join(f"  - {server}\n" for server in servers)
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\n"
        f"metadata: {{name: {name}, namespace: team}}\nspec:\n  selector: {{}}\n  servers:\n{lines}"
    )


def https(name, hosts, mode="SIMPLE", label=""):
    label = f", name: {label}" if label else ""
    return (
        f"{{port: {{number: 443, name: {name}, protocol: HTTPS}}, hosts: {hosts}, "
        f"tls: {{mode: {mode}, credentialName: cred}}{label}}}"
    )


PASS = "{port: {number: 443, name: pass, protocol: TLS}, hosts: ['*.pass.com'], tls: {mode: PASSTHROUGH}}"
HTTP = "{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}"
TCP = "{port: {number: 7000, name: tcp, protocol: TCP}, hosts: ['*']}"


def passing(name, *sni_lists):
    matches = "".join(
        f"  - {{match: [{{sniHosts: {sni}}}], route: [{{destination: {{host: back, port: {{number: 443}}}}}}]}}\n"
        for sni in sni_lists
    )
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: {name}, namespace: team}}\n"
        f"spec:\n  hosts: ['*.pass.com']\n  gateways: [gw]\n  tls:\n{matches}"
    )


@pytest.fixture
def resolved(gateway, pair):
    def make(text, **options):
        secret = pair("a.com", "b.com", "*.pass.com").secret("cred", ca__crt=pair("ca").certificate)
        found = gateway(text + SERVICE + secret, **options)
        return resolve(found.ctx), found

    return make


def by_name(model):
    return {listener.name: listener for listener in model.listeners}


def test_an_https_server_is_one_chain_over_tcp_and_its_twin_over_quic(resolved):
    model, _ = resolved(a_gateway("gw", https("https", "[B.com, a.com]", "MUTUAL")))
    assert list(by_name(model)) == ["0.0.0.0_8443", "udp_0.0.0.0_8443"]
    tcp, quic = model.listeners
    assert (tcp.transport, quic.transport) == (Transport.TCP, Transport.QUIC)
    assert (quic.address, quic.port) == ("0.0.0.0", 8443)
    [over_tcp], [over_quic] = tcp.chains, quic.chains
    assert over_tcp.name == over_quic.name == "https.443.https.gw.team"
    assert over_tcp.server_names == over_quic.server_names == ("a.com", "b.com")
    assert over_quic.tls.alpn == ("h3",)
    assert over_quic.tls.client_auth is ClientAuth.REQUIRED
    assert over_quic.tls.verification == over_tcp.tls.verification
    assert over_tcp.serve.stat_prefix == "outbound_0.0.0.0_8443;"
    assert over_quic.serve.stat_prefix == "outbound_udp_0.0.0.0_8443;"
    assert over_tcp.serve.announcement == over_quic.serve.announcement == "alt-svc/https.443.https.gw.team"


def test_a_servers_own_name_names_its_statistics(resolved):
    model, _ = resolved(a_gateway("gw", https("https", "[a.com]", label="shop")))
    assert {chain.serve.stat_prefix for one in model.listeners for chain in one.chains} == {"shop"}


def test_http_servers_of_one_port_are_one_chain(resolved):
    model, _ = resolved(a_gateway("a", HTTP) + a_gateway("b", HTTP))
    [listener] = model.listeners
    [chain] = listener.chains
    assert (chain.name, chain.tls, chain.server_names) == ("http.8080", None, ())
    assert isinstance(chain.serve, HttpService) and chain.serve.announcement is None


def test_each_passthrough_entry_is_a_chain_named_after_its_virtual_service(resolved):
    model, found = resolved(
        a_gateway("gw", PASS) + passing("one", "[x.pass.com, a.pass.com]", "[b.pass.com]")
    )
    [listener] = model.listeners
    assert [(c.name, c.server_names) for c in listener.chains] == [
        ("passthrough.443.pass.gw.team/team.one/x.pass.com", ("a.pass.com", "x.pass.com")),
        ("passthrough.443.pass.gw.team/team.one/b.pass.com", ("b.pass.com",)),
    ]
    assert all(isinstance(c.serve, TcpService) for c in listener.chains)
    assert not found.problems


def test_of_two_entries_with_one_sni_the_later_goes_as_a_whole(resolved):
    model, found = resolved(
        a_gateway("gw", PASS)
        + passing("a-early", "[x.pass.com]")
        + passing("b-late", "[x.pass.com, y.pass.com]", "[z.pass.com]")
    )
    [listener] = model.listeners
    assert [c.server_names for c in listener.chains] == [("x.pass.com",), ("z.pass.com",)]
    assert found.said == [("GW-013", "VirtualService/team/b-late", "spec.tls[0].match[0].sniHosts")]


def test_a_server_that_ends_tls_keeps_its_sni_from_those_that_pass_it_on(resolved):
    model, found = resolved(
        a_gateway("gw", PASS, https("https", "[x.pass.com]")) + passing("one", "[x.pass.com]")
    )
    [tcp, _] = model.listeners
    assert [c.name for c in tcp.chains] == ["https.443.https.gw.team"]
    assert found.codes == ["GW-013"]


def test_a_server_that_leads_nowhere_does_not_listen(resolved):
    model, found = resolved(a_gateway("gw", TCP, PASS))
    assert model.listeners == ()
    assert found.codes.count("GW-012") == 2


def test_a_server_without_its_tls_is_left_out_and_its_neighbour_stays(resolved):
    model, found = resolved(
        a_gateway("gw", https("https", "[a.com]"))
        + a_gateway(
            "mesh",
            "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [b.com], tls: {mode: SIMPLE, credentialName: cred, ecdhCurves: [secp999]}}",
        )
    )
    assert [c.name for one in model.listeners for c in one.chains] == ["https.443.https.gw.team"] * 2
    assert "https.443.https.mesh.team" not in {table.name for table in model.route_tables}
    assert "TLS-003" in found.codes


def test_only_what_is_asked_for_is_sent_of_secrets(resolved, pair):
    model, _ = resolved(
        a_gateway("gw", https("https", "[a.com]", "MUTUAL"))
        + pair("other").secret("other")
        + pair("cred").secret("cred", namespace="team")
    )
    assert [one.name for one in model.certificates] == ["kubernetes://cred"]
    assert [one.name for one in model.trusted_cas] == ["kubernetes://cred-cacert"]


def test_with_http3_off_the_tcp_listener_is_the_same(resolved):
    text = a_gateway("gw", https("https", "[a.com]"))
    on, _ = resolved(text)
    off, _ = resolved(text, environment={"PILOT_ENABLE_QUIC_LISTENERS": "false"})
    assert by_name(off) == {"0.0.0.0_8443": by_name(on)["0.0.0.0_8443"]}


def test_a_gateway_that_nobody_serves_is_told(resolved):
    text = a_gateway("gw", HTTP).replace("{}", "{app: nobody}", 1)
    _, found = resolved(text)
    assert ("GW-005", "Gateway/team/gw", "spec.selector") in found.said


def test_a_unix_socket_is_a_listener_of_its_own_kind(resolved):
    model, _ = resolved(
        a_gateway(
            "gw",
            "{port: {number: 0, name: http, protocol: HTTP}, hosts: [a.com], bind: 'unix:///run/gw.sock'}",
        )
    )
    [listener] = model.listeners
    assert (listener.transport, listener.address, listener.port) == (Transport.UNIX, "/run/gw.sock", 0)
