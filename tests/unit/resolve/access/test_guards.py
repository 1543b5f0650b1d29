"""Which patches may keep requests out."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mizzen.resolve.access.guards import Verdict, judge
from mizzen.resources.istio.envoy_filter import ConfigPatch, Patch

HTTP = "type.googleapis.com/envoy.extensions.filters.http"
NETWORK = "type.googleapis.com/envoy.extensions.filters.network"
MANAGER = f'"@type": {NETWORK}.http_connection_manager.v3.HttpConnectionManager'
TYPED_STRUCT = '"@type": type.googleapis.com/xds.type.v3.TypedStruct'


def verdict(apply_to: Any, operation: Any, value: Mapping[str, Any]) -> Verdict:
    patch = ConfigPatch(apply_to=apply_to, patch=Patch(operation=operation, value=value))
    return judge(patch).verdict


@pytest.mark.parametrize(
    ("what", "value"),
    [
        (
            "HTTP_FILTER INSERT_BEFORE",
            f'{{name: a, typed_config: {{"@type": {HTTP}.compressor.v3.Compressor}}}}',
        ),
        (
            "HTTP_FILTER INSERT_FIRST",
            f'{{name: a, typedConfig: {{"@type": {HTTP}.grpc_stats.v3.FilterConfig}}}}',
        ),
        (
            "HTTP_FILTER ADD",
            f"{{name: a, typed_config: {{{TYPED_STRUCT}, type_url: {HTTP}.cors.v3.Cors, value: {{}}}}}}",
        ),
        (
            "HTTP_FILTER ADD",
            f'{{name: a, typed_config: {{"@type": {HTTP}.header_mutation.v3.HeaderMutation, '
            "mutations: {response_mutations: [{remove: x}]}}}",
        ),
        (
            "HTTP_FILTER INSERT_BEFORE",
            f"{{name: istio.stats, typed_config: {{{TYPED_STRUCT}, typeUrl: {HTTP}.wasm.v3.Wasm, value: {{config: "
            "{vm_config: {runtime: envoy.wasm.runtime.null, code: {local: {inline_string: envoy.wasm.stats}}}}}}}",
        ),
        ("HTTP_FILTER REMOVE", "{}"),
        ("NETWORK_FILTER MERGE", f"{{typed_config: {{{MANAGER}, maxRequestHeadersKb: 96, server_name: x}}}}"),
        ("NETWORK_FILTER MERGE", f"{{typed_config: {{{MANAGER}, upgrade_configs: [{{upgrade_type: a}}]}}}}"),
        ("LISTENER MERGE", "{per_connection_buffer_limit_bytes: 1, socket_options: [{}]}"),
        ("LISTENER ADD", "{address: {}}"),
        ("CLUSTER ADD", "{name: authorizer}"),
        ("CLUSTER MERGE", "{connect_timeout: 1s, upstream_connection_options: {tcp_keepalive: {}}}"),
        ("HTTP_ROUTE MERGE", "{route: {timeout: 1s, retryPolicy: {}}}"),
        ("HTTP_ROUTE ADD", "{match: {prefix: /}, direct_response: {status: 200}}"),
        (
            "HTTP_ROUTE MERGE",
            f'{{typed_per_filter_config: {{a: {{"@type": {HTTP}.ext_authz.v3.ExtAuthzPerRoute, disabled: true}}}}}}',
        ),
        ("EXTENSION_CONFIG ADD", "{name: a}"),
        ("BOOTSTRAP MERGE", "{stats_flush_interval: 1s}"),
    ],
)
def test_limits_logs_and_answers_keep_nothing_out(what: str, value: str) -> None:
    assert verdict(*what.split(), yaml.safe_load(value)) is Verdict.HARMLESS


@pytest.mark.parametrize(
    ("what", "value"),
    [
        *(
            (
                f"HTTP_FILTER {operation}",
                f'{{name: envoy.filters.http.cors, typed_config: {{"@type": {HTTP}.{one}}}}}',
            )
            for operation in ("INSERT_BEFORE", "MERGE", "REPLACE", "ADD")
            for one in (
                "ext_authz.v3.ExtAuthz",
                "jwt_authn.v3.JwtAuthentication",
                "rbac.v3.RBAC",
                "oauth2.v3.OAuth2",
                "basic_auth.v3.BasicAuth",
                "api_key_auth.v3.ApiKeyAuth",
                "ext_proc.v3.ExternalProcessor",
                "local_ratelimit.v3.LocalRateLimit",
                "lua.v3.Lua",
                "wasm.v3.Wasm",
                "nobody.knows.this.v9.Filter",
            )
        ),
        ("HTTP_FILTER INSERT_BEFORE", "{name: envoy.filters.http.router}"),
        ("HTTP_FILTER INSERT_BEFORE", "{}"),
        ("HTTP_FILTER INSERT_BEFORE", "{name: a, typed_config: {disabled: true}}"),
        (
            "HTTP_FILTER ADD",
            f'{{name: a, typed_config: {{"@type": {HTTP}.header_mutation.v3.HeaderMutation, '
            "mutations: {request_mutations: [{remove: x-user}]}}}",
        ),
        ("NETWORK_FILTER INSERT_FIRST", f'{{name: a, typed_config: {{"@type": {NETWORK}.rbac.v3.RBAC}}}}'),
        ("NETWORK_FILTER MERGE", f"{{typed_config: {{{MANAGER}, a_field_of_tomorrow: 1}}}}"),
        (
            "NETWORK_FILTER MERGE",
            f'{{typed_config: {{{MANAGER}, http_filters: [{{typed_config: {{"@type": {HTTP}.rbac.v3.RBAC}}}}]}}}}',
        ),
        ("LISTENER MERGE", "{address: {socket_address: {address: 127.0.0.1}}}"),
        ("LISTENER REMOVE", "{}"),
        ("FILTER_CHAIN MERGE", "{transport_socket: {}}"),
        ("FILTER_CHAIN MERGE", "{filter_chain_match: {source_prefix_ranges: []}}"),
        ("LISTENER_FILTER ADD", "{name: a, typed_config: {}}"),
        ("VIRTUAL_HOST MERGE", "{rate_limits: []}"),
        ("VIRTUAL_HOST ADD", "{domains: [a.test]}"),
        ("VIRTUAL_HOST REMOVE", "{}"),
        ("HTTP_ROUTE INSERT_FIRST", "{match: {prefix: /admin}, direct_response: {status: 403}}"),
        ("HTTP_ROUTE MERGE", "{direct_response: {status: 403}}"),
        ("HTTP_ROUTE MERGE", "{requestHeadersToRemove: [x-user]}"),
        ("HTTP_ROUTE MERGE", "{route: {cluster: other}}"),
        ("CLUSTER MERGE", "{transport_socket: {}}"),
        ("CLUSTER REMOVE", "{}"),
        (
            "CLUSTER MERGE",
            "{typed_extension_protocol_options: {a: {http_filters: [{name: a, typed_config: {}}]}}}",
        ),
        ("BOOTSTRAP MERGE", "{overload_manager: {}}"),
        ("INVALID MERGE", "{}"),
        ("HTTP_FILTER INVALID", "{}"),
    ],
)
def test_what_judges_and_what_nobody_knows_may_keep_requests_out(what: str, value: str) -> None:
    assert verdict(*what.split(), yaml.safe_load(value)) is Verdict.GUARDS


def test_what_other_rules_see_guards_only_where_there_are_rules() -> None:
    value = yaml.safe_load(f"{{typed_config: {{{MANAGER}, xff_num_trusted_hops: 1, serverName: x}}}}")

    assert verdict("NETWORK_FILTER", "MERGE", value) is Verdict.SIGHT


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.sampled_from(["LISTENER", "HTTP_FILTER", "HTTP_ROUTE", "CLUSTER"]),
    st.dictionaries(st.text(min_size=1, max_size=5), anything, min_size=1, max_size=3),
)
def test_fields_that_no_table_has_guard_whatever_they_hold(apply_to: str, value: Mapping[str, Any]) -> None:
    assert (
        verdict(apply_to, "MERGE", {f"no_such_{key}": part for key, part in value.items()}) is Verdict.GUARDS
    )
