"""Who may be to blame: from whom Envoy's words name to everybody."""

from dataclasses import replace

from mizzen._api import pb
from mizzen.blame.authors import Authors
from mizzen.blame.pieces import parsed
from mizzen.blame.suspects import Accusation, Suspects, places, suspects
from mizzen.envoy.config import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    LISTENERS,
    ROUTES,
    SECRETS,
    EnvoyConfig,
)
from mizzen.envoy.filters import access_policies
from mizzen.errors import ResourceRef
from mizzen.model import Model
from mizzen.pipeline import Settings, build
from mizzen.resources.decode import identify
from mizzen.resources.raw_objects import parse_documents
from tests.golden import filled, material
from tests.unit.test_guard import OPERATOR, POLICIES, app

TABLE = "http.8080"
EXTRA = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: plain, namespace: istio-system}
spec:
  selector: {app: one}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ROUTES, namespace: istio-system}
spec:
  hosts: [ROUTES.test]
  gateways: [plain]
  http:
  - match: [{uri: {prefix: /a}}]
    route: [{destination: {host: bad.backend}}]
  - directResponse: {status: 200}
"""
HASH = """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bad-rule, namespace: istio-system}
spec:
  host: bad.backend
  trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}
"""


def text(*routes: str) -> str:
    opens = OPERATOR.replace("{name: https,", "{name: http2, port: 80, targetPort: 8080}, {name: https,")
    found = opens + app("bad", "one") + POLICIES.replace("GATEWAY", "one")
    gateway, _, virtual_service = EXTRA.partition(
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService"
    )
    found += gateway
    for name in routes:
        found += f"---\napiVersion: networking.istio.io/v1\nkind: VirtualService{virtual_service}".replace(
            "ROUTES", name
        )
    return found


def made(source: str) -> tuple[Model, EnvoyConfig, tuple[ResourceRef, ...]]:
    objects, problems = parse_documents(filled(source.encode(), material), "all.yaml")
    assert not problems
    gateway = next(one for one in build(objects, (), Settings()).gateways if one.proxy.name == "one")
    config = gateway.config(gateway.announced_when_proven())
    return gateway.model, config, tuple(identify(raw, "default") for raw in objects)


def names(row: tuple[ResourceRef, ...]) -> list[str]:
    return [f"{ref.kind}/{ref.name}" for ref in row]


def accused(name: str, url: str = ROUTES, reason: str = "", before: str = "") -> Suspects:
    model, config, everybody = made(text("one", "two"))
    accusation = Accusation(
        model=model,
        refused={(url, name): reason},
        messages={(url, name): parsed(url, config.bodies[url][name])},
        confirmed=made(before)[0] if before else None,
        everybody=everybody,
    )
    return suspects(accusation, everybody)


def test_the_part_that_envoy_names_comes_first() -> None:
    _, config, _ = made(text("one", "two"))
    table = parsed(ROUTES, config.bodies[ROUTES][TABLE])
    assert isinstance(table, pb.RouteConfiguration)
    number = next(at for at, host in enumerate(table.virtual_hosts) if "two.test" in host.domains)

    found = accused(TABLE, reason=f"virtual_hosts[{number}].routes[1].redirect: no")

    assert names(found.rows[0]) == ["VirtualService/two"]
    assert set(names(found.rows[1])) == {"Gateway/plain", "VirtualService/one", "VirtualService/two"}
    assert set(names(found.rows[2])) >= {"Gateway/plain", "VirtualService/one", "DestinationRule/bad-rule"}


def test_then_who_wrote_what_was_not_confirmed_before() -> None:
    found = accused(TABLE, before=text("one"))

    assert names(found.rows[0]) == ["VirtualService/two"]
    ref = found.rows[0][0]
    assert found.at[ref] == ("spec.http[0]", "spec.http[1]")


def test_who_says_something_of_what_others_declare_stands_behind_them() -> None:
    found = accused(access_policies.NAME, EXTENSION_CONFIGS)

    assert names(found.rows[0])[:1] == ["RequestAuthentication/one-tokens"]
    assert {ref.kind for ref in found.rows[0][-2:]} == {"AuthorizationPolicy"}


def test_policies_are_no_suspects_of_listeners() -> None:
    assert names(accused("0.0.0.0_8080", LISTENERS).rows[0]) == ["Gateway/plain"]


def test_who_cannot_be_set_aside_is_no_suspect() -> None:
    model, _, everybody = made(text("one"))
    accusation = Accusation(model=model, refused={(ROUTES, TABLE): "no"}, everybody=everybody)
    one = next(ref for ref in everybody if ref.name == "one" and ref.kind == "VirtualService")

    assert [names(row) for row in suspects(accusation, [one]).rows] == [["VirtualService/one"]]


def test_places_are_found_by_number_and_by_name() -> None:
    _, config, _ = made(text("one", "two"))
    table = parsed(ROUTES, config.bodies[ROUTES][TABLE])
    listener = parsed(LISTENERS, config.bodies[LISTENERS]["0.0.0.0_8443"])
    assert isinstance(table, pb.RouteConfiguration)
    assert isinstance(listener, pb.Listener)
    host, chain = table.virtual_hosts[0], listener.filter_chains[0].name

    assert places(table, "virtual_hosts[0].routes[1].x: y") == (host.name, "1")
    assert places(table, "virtual_hosts[0].domains: y") == (host.name,)
    assert places(table, f'Duplicate entry of domain "{host.domains[0]}" in') == (host.name,)
    assert places(table, "virtual_hosts[99].routes[0]") == ()
    assert places(table, "missing ): ((") == ()
    assert places(listener, f"filter chain '{chain}' has the same rules") == (chain,)
    assert places(None, "virtual_hosts[0]") == ()


def test_every_resource_has_authors() -> None:
    model, config, _ = made(text("one") + HASH)
    authors = Authors(model)

    for url in (LISTENERS, ROUTES, CLUSTERS, ENDPOINTS, SECRETS, EXTENSION_CONFIGS):
        for name in config.bodies[url]:
            if name != "BlackHoleCluster":
                assert authors.parts(url, name), (url, name)
    assert authors.parts(ROUTES, "nothing") == ()
    rule = ResourceRef(
        kind="DestinationRule", group="networking.istio.io", namespace="istio-system", name="bad-rule"
    )
    assert any(part.author == rule for part in authors.parts(ROUTES, TABLE)), "its hash stands in the route"
    assert [part for part in authors.parts(CLUSTERS, "outbound|80||bad.backend") if part.author == rule]


def test_what_is_written_in_another_line_is_the_same() -> None:
    model, _, everybody = made(text("one", "two"))
    moved, _, _ = made("# first\n\n" + text("one", "two"))
    accusation = Accusation(
        model=moved, refused={(ROUTES, TABLE): "no"}, confirmed=model, everybody=everybody
    )

    assert [len(row) for row in suspects(accusation, everybody).rows] == [len(everybody)]
    assert replace(accusation, confirmed=None) != accusation
