"""TLS to a backend without a CA named: verified against the machine's trust store, whatever else the rule says."""

import asyncio
import http.server
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_cases_on_envoy import running

from mizzen.pipeline import Settings, to_snapshot
from tests.golden import built, material

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio]

YAML = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-system}
spec:
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [edge]
  http:
    - rewrite: {authority: backend.test}
      route: [{destination: {host: backend.test}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: backend, namespace: istio-system}
spec:
  hosts: [backend.test]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 9443}]
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: backend, namespace: istio-system}
spec:
  host: backend.test
  trafficPolicy: {tls: {mode: SIMPLE, REST}}
"""


class Greeting(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[None]:
    """Shows a certificate for backend.test of an authority that no machine trusts."""
    certificate, key = tmp_path / "crt", tmp_path / "key"
    certificate.write_bytes(material("backend.test", "crt"))
    key.write_bytes(material("backend.test", "key"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 9443), Greeting) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def status() -> int:
    try:
        with urllib.request.urlopen("http://127.0.0.1:8080/", timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


@pytest.mark.parametrize(
    "rest", ["", "sni: backend.test", "subjectAltNames: [backend.test]", "caCertificates: system"]
)
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.usefixtures("backend")
async def test_a_backend_is_verified_against_the_machines_roots(
    tmp_path: Path, rest: str, trusted: bool
) -> None:
    roots = tmp_path / "roots"
    roots.write_bytes(material("ca", "crt"))
    settings = Settings(environment={"SSL_CERT_FILE": str(roots)} if trusted else {})
    (gateway,) = built({"in.yaml": YAML.replace("REST", rest).encode()}, settings).gateways
    async with running() as envoy:
        assert await envoy.offer(to_snapshot(gateway.config({}), None)) == ""
        expected = 200 if trusted else 503
        while (answered := await asyncio.to_thread(status)) == 503 and trusted:
            await asyncio.sleep(
                0.05
            )  # until its listener and the roots are in use; the test has a time limit

    assert answered == expected
