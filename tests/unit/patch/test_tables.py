"""A table that goes as one resource, patched host by host."""

import pytest

from mizzen._api import pb
from mizzen.envoy.config import ROUTES
from mizzen.model.patch import Patch
from mizzen.patch import tables
from tests.harness.patched_site import config, envoy_filter, site, table, told

HEADERS = "{response_headers_to_add: [{header: {key: x, value: 'y'}}]}"
ONE = f"- {{applyTo: VIRTUAL_HOST, match: {{routeConfiguration: {{vhost: {{name: 'a.test:80'}}}}}}, patch: {{operation: MERGE, value: {HEADERS}}}}}"
WHOLE = f"- {{applyTo: ROUTE_CONFIGURATION, match: {{routeConfiguration: {{name: http.8080}}}}, patch: {{operation: MERGE, value: {HEADERS}}}}}"
GONE = "- {applyTo: VIRTUAL_HOST, match: {routeConfiguration: {vhost: {name: 'b.test:80'}}}, patch: {operation: REMOVE}}"
BROUGHT = """
- applyTo: ROUTE_CONFIGURATION
  match: {routeConfiguration: {name: http.8080}}
  patch: {operation: MERGE, value: {virtual_hosts: [{name: brought, domains: [brought.test]}]}}
- applyTo: HTTP_ROUTE
  match: {routeConfiguration: {vhost: {name: brought}}}
  patch: {operation: ADD, value: {match: {prefix: /}, direct_response: {status: 204}}}
"""


def other(text: str) -> str:
    return text.replace(
        "hosts: [b.test]\n  gateways: [istio-system/gw]\n  http: [{directResponse: {status: 200}}]",
        "hosts: [b.test]\n  gateways: [istio-system/gw]\n  http: [{directResponse: {status: 201}}]",
    )


def test_the_rest_of_the_table_is_what_it_was() -> None:
    before, after = config(site()), config(site(envoy_filter(ONE)))

    expected = table(before)
    host = next(one for one in expected.virtual_hosts if one.name == "a.test:80")
    host.response_headers_to_add.add(header=pb.HeaderValue(key="x", value="y"))
    assert table(after) == expected
    assert after.bodies[ROUTES]["http.8080"] == expected.SerializeToString(deterministic=True)


def test_hosts_come_and_go_and_what_is_merged_brings_some() -> None:
    made = table(config(site(envoy_filter(WHOLE + "\n" + GONE + BROUGHT))))

    assert [one.name for one in made.virtual_hosts] == ["a.test:80", "brought"]
    assert made.response_headers_to_add
    assert made.virtual_hosts[1].routes[0].direct_response.status == 204


def test_of_a_changed_host_alone_the_patch_is_applied_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    text = site(envoy_filter(ONE + "\n" + WHOLE))
    before = config(text)
    seen: list[bytes] = []
    patch = tables._patched

    def noted(body: bytes, mine: tuple[Patch, ...]) -> tables.HostOutcome | None:
        seen.append(body)
        return patch(body, mine)

    monkeypatch.setattr(tables, "_patched", noted)
    after = config(other(text), before)
    monkeypatch.undo()

    whole = config(other(text))
    assert other(text) != text
    assert len(seen) == 1
    assert dict(after.bodies[ROUTES]) == dict(whole.bodies[ROUTES])


def test_what_envoy_would_refuse_of_a_host_is_told_of_the_patch_that_makes_it_so() -> None:
    text = site(
        envoy_filter(
            ONE
            + "\n- {applyTo: VIRTUAL_HOST, match: {routeConfiguration: {vhost: {name: 'a.test:80'}}}, patch: {operation: MERGE, value: {response_headers_to_add: [{header: {key: ''}}]}}}"
        )
    )

    (found,) = [problem for problem in told(text) if problem.code == "EXT-009"]
    assert found.field == "spec.configPatches[1]"
    assert "http.8080" in found.message
