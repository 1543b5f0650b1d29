"""Which patches are for a proxy, and what is told of those that cannot be honoured."""

import pytest

from mizzen.blame.ledger import Entry, set_aside
from mizzen.errors import ResourceRef
from mizzen.model.patch import Patch, TableMatch
from mizzen.pipeline import Settings, build
from mizzen.resources.raw_objects import RawObject, parse_documents
from tests.harness.patched_site import LUA, built, envoy_filter, site

CLUSTER = "{applyTo: CLUSTER, %s patch: {operation: MERGE, value: {alt_stat_name: a}}}"


def honoured(text: str) -> tuple[Patch, ...]:
    return built(text).gateways[0].model.patches


def of(match: str) -> str:
    return site(envoy_filter("- " + CLUSTER % f"match: {match},"))


@pytest.mark.parametrize(
    ("match", "count"),
    [
        ("{context: GATEWAY}", 1),
        ("{context: ANY}", 1),
        ("{}", 1),
        ("{context: SIDECAR_OUTBOUND}", 0),
        ("{context: WAYPOINT}", 0),
        ("{proxy: {proxyVersion: '^1\\.30.*'}}", 1),
        ("{proxy: {proxyVersion: '^1\\.2[0-9].*'}}", 0),
        (f"{{proxy: {{proxyVersion: '.*{'a*' * 1000}'}}}}", 0),  # Istio: what is too long fits nobody
        ("{proxy: {metadata: {NAMESPACE: istio-system}}}", 1),
        ("{proxy: {metadata: {NAMESPACE: shop}}}", 0),
    ],
)
def test_by_context_version_and_metadata(match: str, count: int) -> None:
    assert len(honoured(of(match))) == count


@pytest.mark.parametrize(
    ("was", "becomes", "count"),
    [
        ("namespace: istio-system}\nspec:\n  priority", "namespace: shop}\nspec:\n  priority", 0),
        ("  priority", "  workloadSelector: {labels: {istio: ingressgateway}}\n  priority", 1),
        ("  priority", "  workloadSelector: {labels: {istio: other}}\n  priority", 0),
        (
            "  priority",
            "  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]\n  priority",
            0,
        ),
    ],
)
def test_by_namespace_labels_and_target(was: str, becomes: str, count: int) -> None:
    text = envoy_filter("- " + CLUSTER % "")
    assert was in text

    assert len(honoured(site(text.replace(was, becomes)))) == count


def test_the_port_of_a_route_table_is_that_of_the_service() -> None:
    (patch,) = honoured(
        site(
            envoy_filter(
                "- {applyTo: ROUTE_CONFIGURATION, match: {routeConfiguration: {portNumber: 80}}, "
                "patch: {operation: MERGE, value: {}}}".replace("value: {}", "value: {name: a}")
            )
        )
    )

    assert patch.table == TableMatch(port=80, bound=(80, 8080))


def test_a_patch_with_a_slip_costs_itself_alone() -> None:
    text = site(
        envoy_filter(
            """
            - {applyTo: CLUSTER, patch: {operation: MERGE, value: {alt_stat_nam: a}}}
            - {applyTo: CLUSTER, patch: {operation: MERGE, value: {alt_stat_name: b}}}
            """
        )
    )
    made = built(text)

    assert [patch.at for patch in made.gateways[0].model.patches] == ["spec.configPatches[1]"]
    told = [
        (problem.code, problem.field) for problem in made.problems if problem.resource.kind == "EnvoyFilter"
    ]
    assert sorted(told) == [
        ("EXT-002", "spec.configPatches[0]"),
        ("EXT-014", "spec.configPatches[0].patch.value.alt_stat_nam"),
    ]


@pytest.mark.parametrize(
    ("fields", "kept", "status"),
    [
        (("spec.configPatches[0]",), ["spec.configPatches[1]"], 503),
        ((), [], 503),
        (("spec.configPatches[1]",), ["spec.configPatches[0]"], 0),
    ],
)
def test_what_envoy_does_not_take_of_an_object_is_left_out_and_closes(
    fields: tuple[str, ...], kept: list[str], status: int
) -> None:
    text = site(
        envoy_filter(
            f"""
            - {{applyTo: HTTP_FILTER, match: {{listener: {{portNumber: 8080}}}}, patch: {{operation: INSERT_FIRST, value: {{name: a, typed_config: {{'@type': {LUA}}}}}}}}}
            - {{applyTo: CLUSTER, patch: {{operation: MERGE, value: {{alt_stat_name: b}}}}}}
            """
        )
    )
    objects, _ = parse_documents(text, "test.yaml")

    def aside(raw: RawObject) -> RawObject:
        if raw.kind != "EnvoyFilter":
            return raw
        ref = ResourceRef(
            kind="EnvoyFilter", group="networking.istio.io", namespace="istio-system", name="patches"
        )
        return set_aside(raw, Entry(ref=ref, content="", reason="no", fields=fields), "default")

    model = build(tuple(map(aside, objects)), (), Settings()).gateways[0].model

    assert [patch.at for patch in model.patches] == kept
    statuses = {
        getattr(route.action, "status", 0)
        for one in model.route_tables
        for host in one.hosts.values()
        for route in host.routes
        if one.name == "http.8080" and host.name == "a.test:80"
    }
    assert (503 in statuses) == bool(status)


def test_of_patches_for_others_their_values_are_nobodys_concern_here() -> None:
    others = """
    - applyTo: HTTP_FILTER
      match: {context: SIDECAR_INBOUND, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: a}}}}}
      patch: {operation: INSERT_BEFORE, value: {name: x, typed_config: {'@type': type.googleapis.com/stats.PluginConfig}}}
    - {applyTo: CLUSTER, match: {context: SIDECAR_INBOUND, listener: {}}, patch: {operation: REMOVE}}
    - {applyTo: ROUTE_CONFIGURATION, match: {context: SIDECAR_INBOUND}, patch: {operation: ADD, value: {name: a}}}
    """
    made = built(site(envoy_filter(others)))

    told = [problem.code for problem in made.problems if problem.resource.kind == "EnvoyFilter"]
    assert sorted(told) == ["EXT-005", "EXT-012"]
