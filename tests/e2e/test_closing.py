"""A guard that is not honoured appears while clients are connected: their next request is refused, and nobody is cut off."""

import http.client
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.gateway import Up, eventually, replace_file

pytestmark = pytest.mark.e2e

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
metadata: {name: vs, namespace: istio-system}
spec: {hosts: ['*'], gateways: [gw], http: [{directResponse: {status: 200, body: {string: open}}}]}
"""
GUARD = """\
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: login, namespace: istio-system}
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    patch:
      operation: INSERT_FIRST
      value:
        name: envoy.filters.http.ext_authz
        typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz, service: none}
"""


def serve(up: Up, file: Path, text: str) -> None:
    before = up.status()["generation"]
    replace_file(file, text)

    def is_served() -> bool:
        now = up.status()
        return now["generation"] > before and all(one["ready"] for one in now["gateways"].values())

    eventually(is_served, 15.0)


def test_an_open_connection_stays_and_its_requests_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    with gateway.up(tmp_path) as up:
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=10)

        def status() -> int:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            return answer.status

        assert status() == 200
        socket = connection.sock
        serve(up, file, SITE + GUARD)
        assert status() == 403
        health = http.client.HTTPConnection("127.0.0.1", 15021, timeout=10)
        health.request("GET", "/healthz/ready")
        assert health.getresponse().status == 200
        health.close()
        # A slip makes it no less closed: what was read last holds.
        serve(up, file, SITE + GUARD.replace("HTTP_FILTER", "HTTP_FILTERS"))
        assert status() == 403
        replace_file(file, SITE)
        eventually(lambda: status() == 200)  # that it is gone counts when the file has stood still
        assert connection.sock is socket
        connection.close()
