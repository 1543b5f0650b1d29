"""Route tables, their hosts and routes; whole and host by host."""

import pytest

from mizzen.envoy.config import SCOPED_ROUTES
from mizzen.envoy.scoped_route import scope_name
from tests.harness.patched_site import config, envoy_filter, patched, site, table

MERGED = "{response_headers_to_add: [{header: {key: x, value: 'y'}}]}"


def routes(made: object, host: str) -> list[str]:
    return [route.name for one in table(made).virtual_hosts if one.name == host for route in one.routes]  # type: ignore[arg-type]


def route_patch(operation: str, match: str = "", name: str = "new") -> str:
    value = (
        ""
        if operation == "REMOVE"
        else f", value: {{name: {name}, match: {{prefix: /n}}, direct_response: {{status: 204}}}}"
    )
    return f"""
    - applyTo: HTTP_ROUTE
      match: {{context: GATEWAY, routeConfiguration: {{vhost: {{name: 'a.test:80'{match}}}}}}}
      patch: {{operation: {operation}{value}}}
    """


def test_a_table_is_merged_by_the_port_of_the_service() -> None:
    made = patched(
        f"- {{applyTo: ROUTE_CONFIGURATION, match: {{routeConfiguration: {{portNumber: 80}}}}, patch: {{operation: MERGE, value: {MERGED}}}}}"
    )

    assert table(made).response_headers_to_add
    assert not table(made, "https.443.https.gw.istio-system").response_headers_to_add


def test_hosts_are_merged_replaced_removed_and_added() -> None:
    made = patched(
        f"""
        - applyTo: VIRTUAL_HOST
          match: {{routeConfiguration: {{name: http.8080, vhost: {{domainName: a.test}}}}}}
          patch: {{operation: MERGE, value: {MERGED}}}
        - applyTo: VIRTUAL_HOST
          match: {{routeConfiguration: {{name: http.8080, vhost: {{name: 'b.test:80'}}}}}}
          patch: {{operation: REPLACE, value: {{name: other, domains: [b.test]}}}}
        - applyTo: VIRTUAL_HOST
          match: {{routeConfiguration: {{name: http.8080}}}}
          patch: {{operation: INSERT_BEFORE, value: {{name: added, domains: [c.test]}}}}
        - applyTo: VIRTUAL_HOST
          match: {{routeConfiguration: {{name: https.443.https.gw.istio-system, vhost: {{name: 'a.test:443'}}}}}}
          patch: {{operation: REMOVE}}
        """
    )

    hosts = {one.name: one for one in table(made).virtual_hosts}
    assert hosts["a.test:80"].response_headers_to_add
    assert "b.test:80" not in hosts
    assert list(hosts)[-1] == "added"
    assert "a.test:443" not in {
        one.name for one in table(made, "https.443.https.gw.istio-system").virtual_hosts
    }


@pytest.mark.parametrize(
    ("operation", "match", "expected"),
    [
        ("ADD", "", ["moved", "rest", "new"]),
        ("INSERT_AFTER", "", ["moved", "rest", "new"]),
        ("INSERT_AFTER", ", route: {name: moved}", ["moved", "new", "rest"]),
        ("INSERT_BEFORE", "", ["new", "moved", "rest"]),
        ("INSERT_BEFORE", ", route: {action: ROUTE}", ["moved", "new", "rest"]),
        ("INSERT_FIRST", ", route: {name: rest}", ["new", "moved", "rest"]),
        ("INSERT_FIRST", ", route: {name: not-there}", ["moved", "rest"]),
        ("REMOVE", ", route: {action: REDIRECT}", ["rest"]),
        ("REMOVE", "", []),
    ],
)
def test_routes(operation: str, match: str, expected: list[str]) -> None:
    assert routes(patched(route_patch(operation, match)), "a.test:80") == expected


def test_what_answers_404_to_the_rest_stays_last() -> None:
    tokens = """\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: istio-system}
spec: {jwtRules: [{issuer: me, jwks: '{"keys": []}'}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: part, namespace: shop}
spec: {hosts: [part.test], gateways: [istio-system/gw], http: [{match: [{uri: {prefix: /p}}], directResponse: {status: 200}}]}
---
"""
    made = patched(route_patch("ADD").replace("a.test:80", "part.test:80"), tokens)

    assert routes(made, "part.test:80")[-2:] == ["new", "no-route"]


def test_hosts_that_are_closed_for_a_guard_are_not_opened_by_another_patch() -> None:
    closing = envoy_filter(
        "- {applyTo: VIRTUAL_HOST, match: {routeConfiguration: {vhost: {name: 'a.test:80'}}}, "
        "patch: {operation: MERGE, value: {rate_limit: []}}}",
        name="closing",
    )
    made = patched(route_patch("INSERT_FIRST"), closing)

    assert routes(made, "a.test:80") == ["closed"]


def test_host_by_host_each_scope_is_patched_like_the_host_in_its_table() -> None:
    patches = envoy_filter(
        f"""
        - applyTo: ROUTE_CONFIGURATION
          match: {{routeConfiguration: {{name: http.8080}}}}
          patch: {{operation: MERGE, value: {MERGED}}}
        - applyTo: HTTP_ROUTE
          match: {{routeConfiguration: {{vhost: {{name: 'a.test:80'}}}}}}
          patch: {{operation: INSERT_FIRST, value: {{name: new, match: {{prefix: /n}}, direct_response: {{status: 204}}}}}}
        """
    )
    made = config(site(patches), MIZZEN_SCOPED_ROUTES="always")

    named = next(one for one in made.model.route_tables if one.name == "http.8080")
    scopes = {
        domain: made.message(SCOPED_ROUTES, scope_name(named, domain)) for domain in ("a.test", "b.test")
    }
    inner = {domain: one.route_configuration for domain, one in scopes.items()}  # type: ignore[union-attr]
    assert all(one.response_headers_to_add for one in inner.values())
    assert [route.name for route in inner["a.test"].virtual_hosts[0].routes] == ["new", "moved", "rest"]
    assert "new" not in [route.name for route in inner["b.test"].virtual_hosts[0].routes]
