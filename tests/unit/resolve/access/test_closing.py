"""What may guard and is not honoured: what is closed by it, and what is left alone."""

import textwrap

import pytest

from mizzen.errors import Problem
from mizzen.model import Model
from mizzen.model.route import Fail, Redirect
from mizzen.pipeline import Settings, build
from mizzen.resources.raw_objects import parse_documents

SITE = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: shop}
spec:
  hosts: [a.test, b.test]
  gateways: [istio-system/gw]
  http: [{name: one, redirect: {uri: /x}}]
---
"""
GUARD = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {{name: guard, namespace: {namespace}}}
spec: {{{selector} configPatches: [{{applyTo: HTTP_FILTER, match: {match}, patch: {{operation: ADD, value: {{name: guard, config: {{}}}}}}}}]}}
"""


def resolved(text: str) -> tuple[Model, tuple[Problem, ...]]:
    objects, broken = parse_documents(textwrap.dedent(text), "test.yaml")
    built = build(tuple(objects), tuple(broken), Settings())
    return built.gateways[0].model, built.problems


def open_domains(model: Model) -> list[str]:
    return [
        domain
        for table in model.route_tables
        for host in table.hosts.values()
        if any(isinstance(route.action, Redirect) for route in host.routes)
        for domain in host.domains
    ]


def guard(match: str = "{}", namespace: str = "istio-system", selector: str = "") -> str:
    return SITE + GUARD.format(match=match, namespace=namespace, selector=selector)


@pytest.mark.parametrize(
    "text",
    [
        guard(),
        guard("{context: GATEWAY, listener: {portNumber: 8080}}"),
        guard("{context: ANY, proxy: {proxyVersion: '^1\\.30.*'}}"),
        guard("{context: ANY, proxy: {proxyVersion: '('}}"),
        guard("{listener: {name: 0.0.0.0_8080}}"),
        guard("{listener: {filterChain: {name: of-istio}}}"),
        guard(selector="workloadSelector: {labels: {istio: ingressgateway}},"),
        # What cannot be read.
        guard().replace("kind: EnvoyFilter", "kind: Envoyfilter"),
        guard().replace("networking.istio.io/v1alpha3", "extensions.istio.io/v1alpha1"),
        guard().replace("configPatches", "configpatches"),
        SITE
        + "apiVersion: networking.istio.io/v1\nkind: EnvoyFilter\nmetadata: {name: a, namespace: istio-system}\n",
        SITE + "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n  name: a\n"
        "  namespace: istio-system\nspec: {{\n",
    ],
)
def test_what_is_for_the_gateway_closes_it(text: str) -> None:
    model, problems = resolved(text)

    assert open_domains(model) == []
    assert {problem.code for problem in problems} & {"EXT-001", "EXT-003"}
    actions = [
        route.action for table in model.route_tables for host in table.hosts.values() for route in host.routes
    ]
    assert {action.status for action in actions if isinstance(action, Fail)} == {403}


@pytest.mark.parametrize(
    "text",
    [
        guard("{context: SIDECAR_INBOUND}"),
        guard("{context: ANY, proxy: {proxyVersion: '^1\\.4.*'}}"),
        guard("{context: ANY, proxy: {metadata: {CLUSTER: other}}}"),
        guard("{listener: {portNumber: 80}}"),  # the port that is bound counts
        guard("{listener: {filterChain: {sni: a.test}}}"),
        guard("{listener: {filterChain: {filter: {name: envoy.filters.network.tcp_proxy}}}}"),
        guard(namespace="shop"),
        guard(selector="workloadSelector: {labels: {app: other}},"),
        guard(selector="targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}],"),
    ],
)
def test_what_is_for_others_closes_nothing(text: str) -> None:
    model, problems = resolved(text)

    assert open_domains(model) == ["a.test", "b.test"]
    assert not {problem.code for problem in problems} & {"EXT-001", "EXT-003"}


def test_listeners_keep_still_when_a_guard_of_requests_appears() -> None:
    assert resolved(guard())[0].listeners == resolved(SITE)[0].listeners


def test_of_hosts_that_share_their_routes_the_one_that_is_meant_is_closed() -> None:
    text = SITE + (
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: g, namespace: istio-system}\n"
        "spec: {configPatches: [{applyTo: VIRTUAL_HOST, match: {routeConfiguration: {vhost: {name: 'b.test:80'}}}, "
        "patch: {operation: MERGE, value: {rate_limit: []}}}]}\n"
    )

    model, _ = resolved(text)

    assert open_domains(model) == ["a.test"]
    names = [host.name for table in model.route_tables for host in table.hosts.values()]
    assert len(names) == len(set(names))
