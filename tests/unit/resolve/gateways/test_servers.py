"""Which servers take part, where they listen, and who wins."""

import pytest

from mizzen.resolve.gateways.servers import merged_servers, normalised_hosts


def a_gateway(name, *servers, namespace="default", selector="{istio: ingressgateway}", created=""):
    lines = "".join(f"  - {server}\n" for server in servers)
    stamp = f", creationTimestamp: '{created}'" if created else ""
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\n"
        f"metadata: {{name: {name}, namespace: {namespace}{stamp}}}\n"
        f"spec:\n  selector: {selector}\n  servers:\n{lines}"
    )


def server(number, name, protocol, hosts, tls="", bind=""):
    tls = f", tls: {{{tls}}}" if tls else ""
    bind = f", bind: '{bind}'" if bind else ""
    port = f"{{number: {number}, name: {name}, protocol: {protocol}}}"
    return f"{{port: {port}, hosts: {hosts}{tls}{bind}}}"


def https(name, hosts, number=443, mode="SIMPLE", bind=""):
    return server(number, name, "HTTPS", hosts, f"mode: {mode}, credentialName: cred", bind)


def passthrough(name, hosts, number=443):
    return server(number, name, "TLS", hosts, "mode: PASSTHROUGH")


def merged(found):
    return [(s.key, s.at, s.listener_name, s.route_table) for s in merged_servers(found.ctx)]


def test_a_port_of_the_service_leads_to_its_target_port(gateway):
    found = gateway(a_gateway("gw", server(80, "http", "HTTP", "[a.com]"), https("https", "[a.com]")))
    assert merged(found) == [
        ("default/gw", "spec.servers[0]", "0.0.0.0_8080", "http.8080"),
        ("default/gw", "spec.servers[1]", "0.0.0.0_8443", "https.443.https.gw.default"),
    ]
    assert not found.problems


def test_a_port_that_the_service_does_not_open_is_bound_as_it_is_with_a_warning(gateway):
    found = gateway(a_gateway("gw", server(9000, "http", "HTTP", "[a.com]")))
    assert merged(found)[0][2] == "0.0.0.0_9000"
    assert found.said == [("GW-004", "Gateway/default/gw", "spec.servers[0].port.number")]


def test_a_target_port_named_directly_is_nothing_to_warn_of(gateway):
    found = gateway(a_gateway("gw", server(8080, "http", "HTTP", "[a.com]")))
    assert merged(found)[0][2:] == ("0.0.0.0_8080", "http.8080")
    assert not found.problems


def test_a_privileged_port_is_left_out_with_a_word_on_how_to_open_it(gateway):
    found = gateway(a_gateway("gw", server(81, "http", "HTTP", "[a.com]")))
    assert merged(found) == []
    assert found.codes == ["GW-003"]
    assert "8081" in found.problems[0].hint


def test_the_gateways_own_ports_are_not_given_away(gateway):
    found = gateway(a_gateway("gw", server(15021, "http", "HTTP", "[a.com]")))
    assert merged(found) == []
    assert found.codes == ["GW-007"]


@pytest.mark.parametrize(
    ("selector", "applies"),
    [
        ("{istio: ingressgateway}", True),
        ("{}", True),
        ("{istio: ingressgateway, app: istio-ingressgateway}", True),
        ("{istio: ingressgateway, app: other}", False),
    ],
)
def test_every_label_of_a_selector_must_fit(gateway, selector, applies):
    found = gateway(a_gateway("gw", server(80, "http", "HTTP", "[a.com]"), selector=selector))
    assert bool(merged(found)) is applies


def test_gateways_may_be_scoped_to_the_namespace_of_the_pods(gateway):
    text = a_gateway("gw", server(80, "http", "HTTP", "[a.com]")) + a_gateway(
        "own", server(80, "http", "HTTP", "[b.com]"), namespace="istio-system"
    )
    found = gateway(text, environment={"PILOT_SCOPE_GATEWAY_TO_NAMESPACE": "true"})
    assert [key for key, *_ in merged(found)] == ["istio-system/own"]


def test_http_servers_on_one_port_share_a_listener_and_a_route_table(gateway):
    found = gateway(
        a_gateway("a", server(80, "http", "HTTP", "[a.com]"))
        + a_gateway("b", server(8080, "grpc", "GRPC", "[b.com]"))
    )
    assert [s[2:] for s in merged(found)] == [("0.0.0.0_8080", "http.8080")] * 2
    assert {s.protocol for s in merged_servers(found.ctx)} == {"HTTP"}


def test_an_address_of_its_own_is_a_listener_of_its_own(gateway):
    found = gateway(
        a_gateway(
            "gw",
            server(80, "http", "HTTP", "[a.com]"),
            server(80, "tcp", "TCP", "['*']", bind="127.0.0.1"),
            https("https", "['*']", bind="10.0.0.1"),
        )
    )
    assert [s[2:] for s in merged(found)] == [
        ("0.0.0.0_8080", "http.8080"),
        ("127.0.0.1_8080", ""),
        ("10.0.0.1_8443", "https.443.https.gw.default.10.0.0.1"),
    ]


def test_the_wildcard_address_written_out_is_the_same_address(gateway):
    found = gateway(
        a_gateway(
            "gw",
            server(80, "http", "HTTP", "[a.com]"),
            server(80, "http-2", "HTTP", "[b.com]", bind="0.0.0.0"),
        )
    )
    assert [s[2:] for s in merged(found)] == [("0.0.0.0_8080", "http.8080")] * 2


def test_a_unix_socket_has_no_port(gateway):
    found = gateway(a_gateway("gw", server(0, "http", "HTTP", "[a.com]", bind="unix:///run/gw.sock")))
    [one] = merged_servers(found.ctx)
    assert (one.address, one.bound_port) == ("/run/gw.sock", 0)
    assert not found.problems


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (server(80, "a", "HTTP", "[a.com]"), server(80, "b", "TCP", "['*']")),
        (server(80, "a", "TCP", "['*']"), server(80, "b", "HTTP", "[a.com]")),
        (server(80, "a", "TCP", "['*']"), server(80, "b", "TCP", "['*']")),
        (server(80, "a", "HTTP", "[a.com]"), https("b", "[b.com]", 80)),
        (server(80, "a", "TCP", "['*']"), passthrough("b", "[b.com]", 80)),
        (https("a", "['*']"), server(443, "b", "TCP", "['*']")),
    ],
)
def test_what_cannot_share_a_port_loses_to_the_first(gateway, first, second):
    found = gateway(a_gateway("gw", first, second))
    assert [s[1] for s in merged(found)] == ["spec.servers[0]"]
    assert found.said == [("GW-001", "Gateway/default/gw", "spec.servers[1].port")]


def test_a_tcp_server_may_take_what_no_sni_takes(gateway):
    found = gateway(a_gateway("gw", https("https", "[a.com]"), server(443, "tcp", "TCP", "['*']")))
    assert len(merged(found)) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("[www.a.com]", "[www.a.com, other.a.com]"),
        ("[www.a.com]", "[WWW.A.com]"),
        ("[one/www.a.com]", "[two/www.a.com]"),
        ("[one/*]", "['*']"),
    ],
)
def test_of_two_servers_that_end_tls_one_has_the_sni(gateway, first, second):
    found = gateway(a_gateway("a", https("https", first)) + a_gateway("b", https("https", second)))
    assert [s[0] for s in merged(found)] == ["default/a"]
    assert found.said == [("GW-002", "Gateway/default/b", "spec.servers[0].hosts")]


def test_a_wildcard_and_a_name_within_it_stand_side_by_side(gateway):
    found = gateway(a_gateway("gw", https("a", "['*.a.com']"), https("b", "[www.a.com]")))
    assert len(merged(found)) == 2
    assert not found.problems


def test_the_older_gateway_keeps_a_host_then_the_name_decides_then_the_namespace(gateway):
    text = (
        a_gateway("a", https("https", "[x.com]"), created="2026-01-02T00:00:00Z")
        + a_gateway("b", https("https", "[x.com]"), created="2026-01-01T00:00:00Z", namespace="one")
        + a_gateway("b", https("https", "[x.com]"), created="2026-01-01T00:00:00Z", namespace="two")
    )
    assert [s[0] for s in merged(gateway(text))] == ["one/b"]


def test_two_redirects_of_one_host_conflict_and_two_plain_servers_do_not(gateway):
    redirecting = server(80, "http", "HTTP", "[a.com]", "httpsRedirect: true")
    plain = server(80, "http", "HTTP", "[a.com]")
    assert gateway(a_gateway("a", redirecting) + a_gateway("b", plain)).problems == []
    found = gateway(a_gateway("a", redirecting) + a_gateway("b", redirecting))
    assert [s[0] for s in merged(found)] == ["default/a"]
    assert found.codes == ["GW-002"]


def test_namespaces_tell_redirecting_servers_apart(gateway):
    found = gateway(
        a_gateway("a", server(80, "http", "HTTP", "['one/a.com']", "httpsRedirect: true"))
        + a_gateway("b", server(80, "http", "HTTP", "['two/a.com']", "httpsRedirect: true"))
    )
    assert len(merged(found)) == 2


def test_a_server_that_lost_claims_nothing(gateway):
    found = gateway(
        a_gateway("a", https("https", "[x.com]"))
        + a_gateway("b", https("https", "[x.com, y.com]"))
        + a_gateway("c", https("https", "[y.com]"))
    )
    assert [s[0] for s in merged(found)] == ["default/a", "default/c"]


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (("a.com", "./b.com"), ("a.com", "own/b.com")),
        (("*/a.com", "other/b.com"), ("a.com", "other/b.com")),
        (("*/*", "./b.com"), ("*",)),
        (("./b.com", "*/*"), ("*",)),
        (("./*",), ("own/*",)),
    ],
)
def test_hosts_are_normalised(hosts, expected):
    assert normalised_hosts(hosts, "own") == expected


def test_sni_is_in_lower_case_and_sorted_and_any_when_a_host_is_an_asterisk(gateway):
    found = gateway(a_gateway("gw", https("a", "[Z.com, ns/a.com]"), https("b", "[b.com, '*']")))
    assert [s.server_names for s in merged_servers(found.ctx)] == [("a.com", "z.com"), ()]


OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  components:
    ingressGateways:
    - name: istio-ingressgateway
      k8s: {service: {ports: [PORTS]}}
"""


def test_tcp_goes_where_the_tcp_port_leads_whatever_stands_first(gateway):
    ports = "{port: 443, targetPort: 8444, protocol: UDP}, {port: 443, targetPort: 8443}"
    found = gateway(OPERATOR.replace("PORTS", ports) + a_gateway("gw", https("https", "[a.com]")))
    assert merged(found)[0][2] == "0.0.0.0_8443"


def test_with_a_udp_port_alone_tcp_binds_where_it_leads(gateway):
    ports = "{port: 443, targetPort: 8443, protocol: UDP}"
    found = gateway(OPERATOR.replace("PORTS", ports) + a_gateway("gw", https("https", "[a.com]")))
    assert merged(found)[0][2] == "0.0.0.0_8443"
