"""Listeners, their filters and chains, network filters; and what of a patch is for the HTTP/3 twin."""

import pytest

from mizzen._api import pb
from mizzen.envoy.config import LISTENERS
from tests.harness.patched_site import HCM_TYPE, config, envoy_filter, listener, manager, patched, site, told

INSPECTOR = "typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector}"
LIMIT = "{name: a, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit, stat_prefix: a, max_connections: 1}}"
RBAC = """{name: envoy.filters.network.rbac, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC, stat_prefix: a}}"""


def names(made: pb.FilterChain) -> list[str]:
    return [one.name for one in made.filters]


def test_a_listener_is_merged_added_and_removed() -> None:
    made = patched(
        """
        - applyTo: LISTENER
          match: {context: GATEWAY, listener: {portNumber: 8080}}
          patch: {operation: MERGE, value: {per_connection_buffer_limit_bytes: 1000}}
        - applyTo: LISTENER
          match: {context: GATEWAY, listener: {portNumber: 9000}}
          patch: {operation: REMOVE}
        - applyTo: LISTENER
          match: {context: GATEWAY}
          patch: {operation: INSERT_FIRST, value: {name: added, address: {socket_address: {address: 127.0.0.1, port_value: 7}}}}
        """
    )

    assert listener(made, "0.0.0.0_8080").per_connection_buffer_limit_bytes.value == 1000
    assert listener(made, "0.0.0.0_9000") is None
    assert listener(made, "added").address.socket_address.port_value == 7


def test_sockets_of_udp_are_spared_what_is_of_tcp() -> None:
    made = patched(
        """
        - applyTo: LISTENER
          match: {context: GATEWAY, listener: {portNumber: 8443}}
          patch:
            operation: MERGE
            value:
              socket_options: [{level: 1, name: 9, int_value: 1, state: STATE_LISTENING}, {level: 6, name: 4, int_value: 30}]
              tcp_backlog_size: 5
              per_connection_buffer_limit_bytes: 1000
        """
    )

    tcp, udp = (listener(made, name) for name in ("0.0.0.0_8443", "udp_0.0.0.0_8443"))
    assert [one.level for one in tcp.socket_options] == [1, 6]
    assert tcp.tcp_backlog_size.value == 5
    assert [one.level for one in udp.socket_options if one.name != 8] == [1]
    assert not udp.HasField("tcp_backlog_size")
    assert udp.per_connection_buffer_limit_bytes.value == 1000


def test_listener_filters() -> None:
    inspector = "envoy.filters.listener.tls_inspector"
    made = patched(
        f"""
        - applyTo: LISTENER_FILTER
          match: {{context: GATEWAY, listener: {{portNumber: 8443, listenerFilter: {inspector}}}}}
          patch: {{operation: INSERT_BEFORE, value: {{name: before, {INSPECTOR}}}}}
        - applyTo: LISTENER_FILTER
          match: {{context: GATEWAY, listener: {{portNumber: 8443, listenerFilter: {inspector}}}}}
          patch:
            operation: MERGE
            value:
              typed_config:
                '@type': type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector
                initial_read_buffer_size: 1024
        - applyTo: LISTENER_FILTER
          match: {{context: GATEWAY, listener: {{portNumber: 8443}}}}
          patch: {{operation: ADD, value: {{name: last, {INSPECTOR}}}}}
        - applyTo: LISTENER_FILTER
          match: {{context: GATEWAY, listener: {{portNumber: 8443, listenerFilter: last}}}}
          patch: {{operation: REPLACE, value: {{name: other, {INSPECTOR}}}}}
        """
    )

    tcp, udp = (listener(made, name) for name in ("0.0.0.0_8443", "udp_0.0.0.0_8443"))
    assert [one.name for one in tcp.listener_filters] == ["before", inspector, "other"]
    assert (
        pb.TlsInspector.FromString(tcp.listener_filters[1].typed_config.value).initial_read_buffer_size.value
        == 1024
    )
    assert not udp.listener_filters


def test_chains_are_merged_added_and_removed() -> None:
    made = patched(
        """
        - applyTo: FILTER_CHAIN
          match: {context: GATEWAY, listener: {portNumber: 8443, filterChain: {sni: a.test}}}
          patch: {operation: MERGE, value: {transport_socket_connect_timeout: 3s}}
        - applyTo: FILTER_CHAIN
          match: {context: GATEWAY, listener: {name: 0.0.0.0_8443}}
          patch: {operation: ADD, value: {name: added, filters: [{name: x}]}}
        - applyTo: FILTER_CHAIN
          match: {context: GATEWAY, listener: {portNumber: 9000}}
          patch: {operation: REMOVE}
        """
    )

    tcp = listener(made, "0.0.0.0_8443")
    assert tcp.filter_chains[0].transport_socket_connect_timeout.seconds == 3
    assert tcp.filter_chains[-1].name == "added"
    assert not listener(made, "0.0.0.0_9000").filter_chains


def test_tls_that_is_merged_is_that_of_quic_too() -> None:
    made = patched(
        """
        - applyTo: FILTER_CHAIN
          match: {context: GATEWAY, listener: {portNumber: 8443}}
          patch:
            operation: MERGE
            value:
              transport_socket:
                name: envoy.transport_sockets.tls
                typed_config:
                  '@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
                  require_client_certificate: true
        """
    )

    tcp, udp = (
        listener(made, name).filter_chains[0].transport_socket
        for name in ("0.0.0.0_8443", "udp_0.0.0.0_8443")
    )
    over_tcp = pb.DownstreamTlsContext.FromString(tcp.typed_config.value)
    over_udp = pb.QuicDownstreamTransport.FromString(udp.typed_config.value).downstream_tls_context
    assert over_tcp.require_client_certificate.value
    assert over_tcp.common_tls_context.tls_certificate_sds_secret_configs
    assert over_udp.require_client_certificate.value
    assert over_udp.common_tls_context.alpn_protocols == ["h3"]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("INSERT_FIRST", ["rbac", "tcp_proxy"]),
        ("INSERT_BEFORE", ["rbac", "tcp_proxy"]),
        ("INSERT_AFTER", ["tcp_proxy", "rbac"]),
        ("ADD", ["tcp_proxy", "rbac"]),
        ("REPLACE", ["rbac"]),
        ("REMOVE", []),
    ],
)
def test_network_filters(operation: str, expected: list[str]) -> None:
    value = "" if operation == "REMOVE" else f", value: {RBAC}"
    made = patched(
        f"""
        - applyTo: NETWORK_FILTER
          match: {{context: GATEWAY, listener: {{filterChain: {{filter: {{name: envoy.filters.network.tcp_proxy}}}}, portNumber: 9000}}}}
          patch: {{operation: {operation}{value}}}
        """
    )

    found = names(listener(made, "0.0.0.0_9000").filter_chains[0])
    assert [name.rpartition(".")[2] for name in found] == expected


def test_a_manager_over_quic_speaks_http_3_whatever_is_merged() -> None:
    made = patched(
        """
        - applyTo: NETWORK_FILTER
          match: {listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}}
          patch:
            operation: MERGE
            value:
              typed_config:
                '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                codec_type: HTTP1
        """
    )

    assert manager(made, "0.0.0.0_8443").codec_type == pb.HttpConnectionManager.HTTP1
    assert manager(made, "udp_0.0.0.0_8443").codec_type == pb.HttpConnectionManager.HTTP3


def test_chains_that_refuse_whom_nobody_serves_stay_as_they_are() -> None:
    made = patched(f"- {{applyTo: NETWORK_FILTER, patch: {{operation: INSERT_FIRST, value: {LIMIT}}}}}")
    before = config(site())

    name = "udp_0.0.0.0_8443"
    assert listener(made, name).default_filter_chain == listener(before, name).default_filter_chain
    assert listener(made, name) != listener(before, name)


def test_only_what_a_patch_is_for_changes() -> None:
    made = patched(
        "- {applyTo: LISTENER, match: {listener: {portNumber: 8080}}, patch: {operation: MERGE, value: {stat_prefix: a}}}"
    )
    base = made.unpatched
    assert base is not None

    same = [name for name, body in made.bodies[LISTENERS].items() if body is base.bodies[LISTENERS][name]]
    assert sorted(same) == ["0.0.0.0_8443", "0.0.0.0_9000", "udp_0.0.0.0_8443"]


def test_what_cannot_be_merged_is_told() -> None:
    wrong = envoy_filter(
        """
        - applyTo: NETWORK_FILTER
          match: {listener: {filterChain: {filter: {name: envoy.filters.network.tcp_proxy}}}}
          patch:
            operation: MERGE
            value: {typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua}}
        """
    )

    (found,) = [problem for problem in told(site(wrong)) if problem.code == "EXT-009"]
    assert "cannot be merged" in found.message
    assert found.field == "spec.configPatches[0].patch.value"


def test_without_a_name_a_filter_is_merged_into_those_of_its_type() -> None:
    patch = f"""
    - applyTo: NETWORK_FILTER
      patch: {{operation: MERGE, value: {{typed_config: {{'@type': {HCM_TYPE}, server_name: patched}}}}}}
    """

    assert manager(patched(patch), "0.0.0.0_8080").server_name == "patched"
    assert not [problem for problem in told(site(envoy_filter(patch))) if problem.code.startswith("EXT")]


def test_a_manager_that_takes_the_place_of_ours_speaks_http_3_over_quic() -> None:
    made = patched(
        f"""
        - applyTo: NETWORK_FILTER
          match: {{listener: {{filterChain: {{filter: {{name: envoy.filters.network.http_connection_manager}}}}}}}}
          patch:
            operation: REPLACE
            value:
              name: envoy.filters.network.http_connection_manager
              typed_config: {{'@type': {HCM_TYPE}, stat_prefix: mine}}
        """
    )

    assert manager(made, "0.0.0.0_8443") == pb.HttpConnectionManager(stat_prefix="mine")
    assert manager(made, "udp_0.0.0.0_8443").codec_type == pb.HttpConnectionManager.HTTP3


def test_a_filter_of_another_type_under_the_name_of_a_manager_is_no_manager() -> None:
    patch = """
    - applyTo: NETWORK_FILTER
      match: {listener: {portNumber: 9000}}
      patch:
        operation: INSERT_FIRST
        value:
          name: envoy.filters.network.http_connection_manager
          typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo}
    - applyTo: HTTP_FILTER
      match: {listener: {portNumber: 9000}}
      patch: {operation: INSERT_FIRST, value: {name: x}}
    """

    assert len(listener(patched(patch), "0.0.0.0_9000").filter_chains[0].filters) == 2
