"""HTTP filters stand where Istio would have them, whatever else our chains hold."""

import pytest

from mizzen._api import pb
from tests.harness.patched_site import LUA, filters, manager, patched

OURS = [
    "envoy.filters.http.grpc_web",
    "envoy.filters.http.grpc_stats",
    "envoy.filters.http.fault",
    "envoy.filters.http.cors",
    "envoy.filters.http.router",
]
POLICIES = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/secret]}}]}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: istio-system}
spec: {jwtRules: [{issuer: me, jwks: '{"keys": []}'}]}
---
"""


def lua(operation: str, anchor: str = "", name: str = "new") -> str:
    sub = f", subFilter: {{name: {anchor}}}" if anchor else ""
    return f"""
    - applyTo: HTTP_FILTER
      match: {{context: GATEWAY, listener: {{filterChain: {{filter: {{name: envoy.filters.network.http_connection_manager{sub}}}}}}}}}
      patch: {{operation: {operation}, value: {{name: {name}, typed_config: {{'@type': {LUA}}}}}}}
    """


@pytest.mark.parametrize(
    ("operation", "anchor", "at"),
    [
        ("INSERT_FIRST", "", 0),
        ("INSERT_BEFORE", "", 0),
        ("INSERT_BEFORE", "envoy.filters.http.router", 4),
        ("INSERT_BEFORE", "envoy.filters.http.cors", 3),
        ("INSERT_AFTER", "envoy.filters.http.cors", 4),
        # The router ends the chain: Envoy refuses what stands behind it.
        ("ADD", "", 4),
        ("INSERT_AFTER", "", 4),
        ("INSERT_AFTER", "envoy.filters.http.router", 4),
        # What Istio's own Envoy has and this one has not.
        ("INSERT_BEFORE", "istio.metadata_exchange", 0),
        ("INSERT_AFTER", "istio.alpn", 2),
        ("INSERT_BEFORE", "istio.stats", 4),
    ],
)
def test_a_filter_stands_where_istio_would_have_it(operation: str, anchor: str, at: int) -> None:
    assert filters(patched(lua(operation, anchor))) == [*OURS[:at], "new", *OURS[at:]]


def test_our_own_filters_stay_first_and_websockets_meet_the_same() -> None:
    made = manager(patched(lua("INSERT_FIRST")), "udp_0.0.0.0_8443")

    for listed in (made.http_filters, made.upgrade_configs[0].filters):
        names = [one.name for one in listed]
        assert names.index("new") == names.index("mizzen.access_policies") - 1
        assert names.index("new") > names.index("mizzen.request_header_limits")


@pytest.mark.parametrize(
    ("operation", "anchor", "expected"),
    [
        ("INSERT_BEFORE", "envoy.filters.http.jwt_authn", ["new", "jwt_authn", "rbac"]),
        ("INSERT_AFTER", "envoy.filters.http.jwt_authn", ["jwt_authn", "new", "rbac"]),
        ("INSERT_AFTER", "envoy.filters.http.rbac", ["jwt_authn", "rbac", "new"]),
        ("REPLACE", "envoy.filters.http.rbac", ["jwt_authn", "new"]),
    ],
)
def test_beside_tokens_and_access_they_stand_in_the_chain_themselves(
    operation: str, anchor: str, expected: list[str]
) -> None:
    made = manager(patched(lua(operation, anchor), POLICIES))

    names = [one.name.removeprefix("envoy.filters.http.") for one in made.http_filters]
    at = names.index("grpc_web")
    assert [name for name in names[:at] if not name.startswith("mizzen.")] == expected
    assert "mizzen.access_policies" not in names


def test_without_tokens_there_is_no_filter_of_tokens_as_in_istio() -> None:
    assert filters(patched(lua("INSERT_BEFORE", "envoy.filters.http.jwt_authn"))) == OURS


def test_a_filter_is_removed_replaced_and_merged() -> None:
    made = patched(
        """
        - applyTo: HTTP_FILTER
          match: &cors {listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.cors}}}}}
          patch: {operation: REMOVE}
        - applyTo: HTTP_FILTER
          match: {listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.fault}}}}}
          patch:
            operation: MERGE
            value:
              typed_config:
                '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
                abort: {http_status: 418, percentage: {numerator: 100}}
        """
    )

    listed = {one.name: one for one in manager(made).http_filters}
    assert "envoy.filters.http.cors" not in listed
    fault = listed["envoy.filters.http.fault"]
    assert not fault.disabled  # who says what it does means it to do that
    assert pb.HTTPFault.FromString(fault.typed_config.value).abort.http_status == 418


def test_filters_of_one_object_see_those_before() -> None:
    made = patched(lua("INSERT_FIRST", name="one") + lua("INSERT_AFTER", "one", name="two"))

    assert filters(made) == ["one", "two", *OURS]


def test_beside_an_external_authorizer() -> None:
    authorizer = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  meshConfig: {extensionProviders: [{name: ask, envoyExtAuthzGrpc: {service: one.test, port: 80}}]}
  components: {ingressGateways: [{name: istio-ingressgateway, enabled: true}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: istio-system}
spec: {action: CUSTOM, provider: {name: ask}, rules: [{}]}
---
"""
    names = [
        one.name
        for one in manager(
            patched(lua("INSERT_AFTER", "envoy.filters.http.ext_authz"), authorizer)
        ).http_filters
    ]

    at = names.index("envoy.filters.http.ext_authz")
    assert names[at + 1] == "new"
    assert "mizzen.access_policies" not in names
