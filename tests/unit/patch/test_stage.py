"""The stage as a whole: by difference it gives what it gives at once, and it tells what became of each patch."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mizzen.envoy.config import (
    CLUSTERS,
    EXTENSION_CONFIGS,
    LISTENERS,
    ROUTES,
    SCOPED_ROUTES,
    EnvoyConfig,
)
from mizzen.guard import is_fault
from mizzen.model.patch import Operation, Target
from mizzen.patch.stage import for_nothing
from tests.harness.patched_site import HCM, HCM_TYPE, LUA, built, config, envoy_filter, site, told

RETRY = "- {applyTo: CLUSTER, match: {cluster: {service: one.test}}, patch: {operation: MERGE, value: {alt_stat_name: NAME}}}"
FIRST = f"- {{applyTo: HTTP_FILTER, patch: {{operation: INSERT_FIRST, value: {{name: first, typed_config: {{'@type': {LUA}}}}}}}}}"
ROUTE = (
    "- {applyTo: HTTP_ROUTE, match: {routeConfiguration: {vhost: {name: 'b.test:80'}}}, "
    "patch: {operation: INSERT_FIRST, value: {match: {path: /x}, direct_response: {status: 204}}}}"
)
SITE_WITHOUT_ROUTES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
---
"""
POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: deny, namespace: istio-system}}
spec: {{action: DENY, rules: [{{to: [{{operation: {{paths: [{path}]}}}}]}}]}}
---
"""
BESIDE = FIRST.replace("INSERT_FIRST", "INSERT_AFTER").replace(
    "HTTP_FILTER,",
    "HTTP_FILTER, match: {listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, "
    "subFilter: {name: envoy.filters.http.rbac}}}}},",
)


def bodies(made: EnvoyConfig) -> dict[str, dict[str, bytes]]:
    return {url: dict(named) for url, named in made.bodies.items()}


def test_by_difference_it_gives_what_it_gives_at_once() -> None:
    steps = [
        site(),
        site(envoy_filter(RETRY.replace("NAME", "a"))),
        site(envoy_filter(RETRY.replace("NAME", "b")), envoy_filter(FIRST, "first")),
        site(envoy_filter(ROUTE), POLICY.format(path="/a")),
        site(envoy_filter(ROUTE), POLICY.format(path="/b")).replace("status: 200", "status: 201"),
        site(envoy_filter(BESIDE), POLICY.format(path="/b")),
        site(envoy_filter(BESIDE), POLICY.format(path="/c")),
        site(envoy_filter("- {applyTo: CLUSTER, patch: {operation: ADD, value: {name: x}}}")),
        site(),
    ]
    before: EnvoyConfig | None = None
    for text in steps:
        made, whole = config(text, before), config(text)
        assert bodies(made) == bodies(whole)
        assert made.problems == whole.problems
        before = made
    assert before is not None
    assert before.unpatched is None


def test_a_changed_patch_changes_what_it_is_for_and_no_more() -> None:
    one = config(site(envoy_filter(RETRY.replace("NAME", "a")), envoy_filter(FIRST, "first")))
    two = config(site(envoy_filter(RETRY.replace("NAME", "b")), envoy_filter(FIRST, "first")), one)

    assert all(two.bodies[LISTENERS][name] == body for name, body in one.bodies[LISTENERS].items())
    assert two.bodies[ROUTES] is one.bodies[ROUTES] or dict(two.bodies[ROUTES]) == dict(one.bodies[ROUTES])
    differing = [name for name, body in two.bodies[CLUSTERS].items() if one.bodies[CLUSTERS][name] != body]
    assert differing == ["outbound|80||one.test"]


def test_what_policies_become_changes_listeners_only_where_a_patch_stands_beside_them() -> None:
    def made(patch: str, path: str) -> EnvoyConfig:
        return config(site(envoy_filter(patch), POLICY.format(path=path)))

    assert dict(made(FIRST, "/a").bodies[LISTENERS]) == dict(made(FIRST, "/b").bodies[LISTENERS])
    assert dict(made(BESIDE, "/a").bodies[LISTENERS]) != dict(made(BESIDE, "/b").bodies[LISTENERS])


def test_an_extension_is_a_resource_of_its_own() -> None:
    made = config(
        site(
            envoy_filter(
                f"""
                - applyTo: EXTENSION_CONFIG
                  match: {{context: GATEWAY}}
                  patch: {{operation: ADD, value: {{name: script, typed_config: {{'@type': {LUA}}}}}}}
                - applyTo: HTTP_FILTER
                  match: {{context: GATEWAY}}
                  patch:
                    operation: INSERT_FIRST
                    value: {{name: script, config_discovery: {{config_source: {{ads: {{}}}}, type_urls: [{LUA}]}}}}
                """
            )
        )
    )

    assert "script" in made.bodies[EXTENSION_CONFIGS]
    assert not made.problems


def test_what_envoy_would_refuse_is_told_of_the_patch_that_makes_it_so() -> None:
    text = site(
        envoy_filter(
            """
            - {applyTo: CLUSTER, patch: {operation: MERGE, value: {alt_stat_name: fine}}}
            - {applyTo: CLUSTER, patch: {operation: MERGE, value: {connect_timeout: -1s}}}
            - {applyTo: CLUSTER, patch: {operation: MERGE, value: {metadata: {}}}}
            """
        )
    )

    found = {problem.field for problem in told(text) if problem.code == "EXT-009"}
    assert found == {"spec.configPatches[1]"}


def test_patches_are_in_the_order_of_priority_namespace_age_and_name() -> None:
    def one(name: str, priority: int, created: str = "") -> str:
        patches = FIRST.replace("name: first", f"name: {name}")
        made = envoy_filter(patches, name).replace("priority: 1", f"priority: {priority}")
        stamp = f", creationTimestamp: '{created}'" if created else ""
        return made.replace(
            f"name: {name}, namespace: istio-system", f"name: {name}, namespace: istio-system{stamp}", 1
        )

    text = site(
        one("b", 0, "2024-01-02T00:00:00Z"),
        one("c", -1),
        one("a", 0, "2024-01-02T00:00:00Z"),
        one("z", 0, "2024-01-01T00:00:00Z"),
    )

    model = built(text).gateways[0].model
    assert [patch.origin.name for patch in model.patches] == ["c", "z", "a", "b"]


def test_what_a_patch_adds_is_its_objects() -> None:
    made = config(site(envoy_filter("- {applyTo: CLUSTER, patch: {operation: ADD, value: {name: x}}}")))

    origin = made.origin(CLUSTERS, "x")
    assert origin is not None
    assert (origin.kind, origin.name) == ("EnvoyFilter", "patches")
    assert made.origin(CLUSTERS, "y") is None


def test_a_table_to_which_a_patch_brings_a_host_goes_as_one() -> None:
    added = "- {applyTo: VIRTUAL_HOST, match: {routeConfiguration: {name: http.8080}}, patch: {operation: ADD, value: {name: n, domains: [n.test]}}}"
    before = config(site(), MIZZEN_SCOPED_ROUTES="always")
    after = config(site(envoy_filter(added)), before, MIZZEN_SCOPED_ROUTES="always")
    whole = config(site(envoy_filter(added)), MIZZEN_SCOPED_ROUTES="always")

    assert before.scoped["http.8080"]
    assert "http.8080" in after.bodies[ROUTES]
    assert after.bodies[SCOPED_ROUTES]  # for connections that drain
    assert [problem.code for problem in after.problems] == ["RT-006"]
    assert not whole.scoped["http.8080"]
    assert whole.problems == ()
    assert whole.bodies[ROUTES]["http.8080"] == after.bodies[ROUTES]["http.8080"]


def test_a_patch_that_one_of_two_gateways_has_something_for_is_not_told_of() -> None:
    made = built(site(envoy_filter(ROUTE), envoy_filter(ROUTE.replace("b.test", "z.test"), "nothing")))
    one = made.gateways[0].config({})
    other = built(SITE_WITHOUT_ROUTES + envoy_filter(ROUTE)).gateways[0].config({})

    assert [problem.resource.name for problem in for_nothing([other])] == ["patches"]
    assert [problem.resource.name for problem in for_nothing([other, one])] == ["nothing"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 9)
    | st.sampled_from(["", "a", "1s", "http.8080", "envoy.filters.http.router"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "name",
                        "domains",
                        "routes",
                        "match",
                        "prefix",
                        "typed_config",
                        "@type",
                        "filters",
                        "filter_chains",
                    ),
                    *(
                        "http_filters",
                        "virtual_hosts",
                        "address",
                        "socket_address",
                        "connect_timeout",
                        "transport_socket",
                    ),
                    *("typed_per_filter_config", "route", "cluster", "direct_response", "status", "nonsense"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
TYPED = st.builds(
    lambda kind, inner: {"name": "x", "typed_config": {"@type": kind, **inner}},
    st.sampled_from([HCM_TYPE, LUA, "type.googleapis.com/udpa.type.v1.TypedStruct", "a/nonsense"]),
    st.dictionaries(
        st.sampled_from(["stat_prefix", "value", "type_url", "http_filters", "codec_type"]),
        VALUES,
        max_size=3,
    ),
)
MATCHES = st.sampled_from(
    [
        {},
        {"context": "GATEWAY"},
        {"listener": {"portNumber": 8443}},
        {"listener": {"listenerFilter": "envoy.filters.listener.tls_inspector"}},
        {"listener": {"filterChain": {"filter": {"name": HCM}}}},
        {
            "listener": {
                "filterChain": {"filter": {"name": HCM, "subFilter": {"name": "envoy.filters.http.router"}}}
            }
        },
        {"routeConfiguration": {"name": "http.8080"}},
        {"routeConfiguration": {"vhost": {"name": "a.test:80", "route": {"action": "ROUTE"}}}},
        {"cluster": {"service": "one.test"}},
    ]
)
PATCHES = st.builds(
    lambda target, operation, match, value: {
        "applyTo": target,
        "match": match,
        "patch": {"operation": operation, "value": value},
    },
    st.sampled_from([one.value for one in Target]),
    st.sampled_from([one.value for one in Operation]),
    MATCHES,
    TYPED
    | st.dictionaries(
        st.sampled_from(["name", "domains", "routes", "filters", "transport_socket"]), VALUES, max_size=4
    ),
)


@given(st.lists(PATCHES, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_patch_says_nothing_is_raised(patches: list[object]) -> None:
    written = {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "any", "namespace": "istio-system"},
        "spec": {"configPatches": patches},
    }

    found = told(site(json.dumps(written)))

    assert not [problem for problem in found if is_fault(problem)]
