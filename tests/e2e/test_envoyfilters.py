"""EnvoyFilters while clients are connected: what Envoy does not take of one costs that alone, and what is told apart drains nobody."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import Up, eventually, replace_file
from tests.harness.patched_site import HCM_TYPE, LUA, envoy_filter

pytestmark = pytest.mark.e2e

SITE = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*']}
  - {port: {number: 8081, name: other, protocol: HTTP}, hosts: ['*']}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: istio-system}
spec: {hosts: ['*'], gateways: [gw], http: [{directResponse: {status: 200, body: {string: open}}}]}
---
"""
SERVER = f"""
- applyTo: NETWORK_FILTER
  match: {{listener: {{filterChain: {{filter: {{name: envoy.filters.network.http_connection_manager}}}}}}}}
  patch:
    operation: MERGE
    value: {{typed_config: {{'@type': {HCM_TYPE}, server_header_transformation: OVERWRITE, server_name: NAME}}}}
"""
SCRIPT = f"""
- applyTo: HTTP_FILTER
  match: {{listener: {{portNumber: 8080}}}}
  patch:
    operation: INSERT_FIRST
    value:
      name: script
      typed_config: {{'@type': {LUA}, default_source_code: {{inline_string: 'SCRIPT'}}}}
"""
APART = f"""
- applyTo: EXTENSION_CONFIG
  patch:
    operation: ADD
    value: {{name: apart, typed_config: {{'@type': {LUA}, default_source_code: {{inline_string: 'SCRIPT'}}}}}}
- applyTo: HTTP_FILTER
  patch:
    operation: INSERT_FIRST
    value: {{name: apart, config_discovery: {{config_source: {{ads: {{}}}}, type_urls: [{LUA}]}}}}
"""


def adds(value: str) -> str:
    return f'function envoy_on_response(r) r:headers():add("x-script", "{value}") end'


def asked(port: int) -> Any:
    return curl("h1", f"http://a.test:{port}/")


def aside(up: Up) -> list[dict[str, str]]:
    return [one for one in up.status()["problems"] if one["code"] == "XDS-002"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Up]]:
    folder = tmp_path_factory.mktemp("yaml")
    (folder / "site.yaml").write_text(SITE)
    with gateway.up(folder) as up:
        yield folder, up


def test_a_script_that_does_not_compile_closes_its_own_door_and_its_neighbours_are_applied(
    site: tuple[Path, Up],
) -> None:
    folder, up = site
    file = folder / "filter.yaml"
    file.write_text(envoy_filter(SCRIPT.replace("SCRIPT", "function (") + SERVER.replace("NAME", "patched")))

    [problem] = eventually(lambda: aside(up))
    assert problem["resource"] == "EnvoyFilter/istio-system/patches"
    assert problem["field"] == "spec.configPatches[0]"
    assert "script load error" in problem["message"]
    assert eventually(lambda: asked(8080).status == 503)
    assert eventually(lambda: asked(8081).header("server") == "patched")
    assert asked(8081).status == 200

    replace_file(
        file, envoy_filter(SCRIPT.replace("SCRIPT", adds("mended")) + SERVER.replace("NAME", "patched"))
    )
    eventually(lambda: asked(8080).header("x-script") == "mended")
    assert asked(8080).status == 200
    eventually(lambda: not aside(up))

    # What it said before stays in force.
    replace_file(file, envoy_filter(SCRIPT.replace("SCRIPT", "end") + SERVER.replace("NAME", "worse")))
    eventually(lambda: aside(up))
    assert asked(8080).header("x-script") == "mended"
    assert asked(8081).header("server") == "patched"
    file.unlink()
    eventually(lambda: not asked(8080).header("x-script"), 15.0)


def test_a_filter_that_is_told_apart_changes_and_drains_nobody(site: tuple[Path, Up]) -> None:
    folder, _ = site
    file = folder / "apart.yaml"
    file.write_text(envoy_filter(APART.replace("SCRIPT", adds("one")), "apart"))
    eventually(lambda: asked(8080).header("x-script") == "one")
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=10)

    def script() -> str | None:
        connection.request("GET", "/", headers={"host": "a.test"})
        answer = connection.getresponse()
        answer.read()
        return answer.headers.get("x-script")

    assert script() == "one"
    socket = connection.sock
    replace_file(file, envoy_filter(APART.replace("SCRIPT", adds("two")), "apart"))
    eventually(lambda: script() == "two")
    assert connection.sock is socket
    connection.close()
