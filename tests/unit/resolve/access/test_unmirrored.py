"""A guard of TCP connections that QUIC cannot have takes the HTTP/3 twin away."""

import pytest

from tests.harness.patched_site import built, envoy_filter, site

PROXY_PROTOCOL = "{name: a, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol}}"
RBAC = "{name: a, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC, stat_prefix: a}}"
LIMIT = (
    "{name: a, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit, "
    "stat_prefix: a, max_connections: 1}}"
)
TCP = "envoy.filters.network.tcp_proxy"
INSPECTOR = "{name: a, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector}}"


def patch(match: str, value: str, target: str = "LISTENER_FILTER", operation: str = "INSERT_FIRST") -> str:
    return envoy_filter(
        f"- {{applyTo: {target}, match: {match}, patch: {{operation: {operation}, value: {value}}}}}"
    )


@pytest.mark.parametrize(
    ("text", "there"),
    [
        (patch("{listener: {portNumber: 8443}}", PROXY_PROTOCOL), False),
        (patch("{listener: {name: 0.0.0.0_8443}}", PROXY_PROTOCOL), False),
        (patch("{}", PROXY_PROTOCOL), False),
        (patch("{listener: {portNumber: 8080}}", PROXY_PROTOCOL), True),
        (patch("{listener: {portNumber: 8443}}", INSPECTOR), True),  # it keeps nothing out
        (patch("{listener: {name: udp_0.0.0.0_8443}}", PROXY_PROTOCOL), True),
        (
            patch(
                "{listener: {portNumber: 8443}}",
                f"{{listener_filters: [{PROXY_PROTOCOL}]}}",
                "LISTENER",
                "MERGE",
            ),
            False,
        ),
        (patch("{listener: {portNumber: 8443}}", "{tcp_backlog_size: 5}", "LISTENER", "MERGE"), True),
        (patch("{}", RBAC, "NETWORK_FILTER"), False),
        (patch("{listener: {filterChain: {sni: a.test}}}", RBAC, "NETWORK_FILTER"), False),
        (patch("{listener: {filterChain: {sni: b.test}}}", RBAC, "NETWORK_FILTER"), True),
        (patch("{listener: {name: udp_0.0.0.0_8443}}", RBAC, "NETWORK_FILTER"), False),
        (patch(f"{{listener: {{filterChain: {{filter: {{name: {TCP}}}}}}}}}", RBAC, "NETWORK_FILTER"), True),
        (patch("{}", LIMIT, "NETWORK_FILTER"), True),  # it judges when a connection is there
        (
            patch(
                "{}",
                "{filter_chain_match: {server_names: [b.test]}, filters: [{name: x}]}",
                "FILTER_CHAIN",
                "ADD",
            ),
            False,
        ),
        (patch("{listener: {portNumber: 8080}}", "{filters: [{name: x}]}", "FILTER_CHAIN", "ADD"), True),
        (patch("{}", "{transport_socket: {name: tap}}", "FILTER_CHAIN", "MERGE"), False),
        (
            patch(
                "{}",
                "{transport_socket: {name: tls, typed_config: {'@type': type.googleapis.com/"
                "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext}}}",
                "FILTER_CHAIN",
                "MERGE",
            ),
            True,
        ),
    ],
)
def test_where_it_cannot_be_guarded_alike_there_is_no_twin(text: str, there: bool) -> None:
    made = built(site(text))
    model = made.gateways[0].model

    assert ("udp_0.0.0.0_8443" in {one.name for one in model.listeners}) is there
    assert bool(model.mirrors[0].quic_listener) is there
    assert (model.announcements[0].port is not None) is there
    assert ("EXT-015" in {problem.code for problem in made.problems}) is not there


def test_a_twin_with_a_route_table_of_its_own_goes_alike() -> None:
    choice = (
        "apiVersion: mizzen.dev/v1alpha1\nkind: HTTP3Policy\nmetadata: {name: c, namespace: istio-system}\n"
        'spec: {mode: "off", hosts: [c.test], targetRefs: [{name: gw}]}\n---\n'
    )
    text = choice + site(patch("{}", PROXY_PROTOCOL))
    text = text.replace("hosts: [a.test], tls", "hosts: [a.test, c.test], tls", 1)
    model = built(text).gateways[0].model

    assert [one.name for one in model.route_tables if one.name.endswith("/h3")]
    assert (model.mirrors[0].quic_listener, model.announcements[0].port) == ("", None)


def test_other_servers_of_the_port_keep_theirs() -> None:
    second = "{port: {number: 443, name: other, protocol: HTTPS}, hosts: [b.test], tls: {mode: SIMPLE, credentialName: cred}}"
    text = site(patch("{listener: {filterChain: {sni: a.test}}}", RBAC, "NETWORK_FILTER"))
    text = text.replace("  - {port: {number: 9000", f"  - {second}\n  - {{port: {{number: 9000", 1)
    model = built(text).gateways[0].model

    (quic,) = [one for one in model.listeners if one.name == "udp_0.0.0.0_8443"]
    assert [chain.server_names for chain in quic.chains] == [("b.test",)]
    assert "a.test" in quic.refused
    assert {one.server: bool(one.quic_listener) for one in model.mirrors} == {
        "https.443.https.gw.istio-system": False,
        "https.443.other.gw.istio-system": True,
    }
    assert sorted(one.port is None for one in model.announcements) == [False, True]
