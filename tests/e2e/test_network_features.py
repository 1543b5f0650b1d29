"""HTTP/3 to a backend, connections of the mesh by their SNI, IPv6: a gateway that is its own backend."""

import socket
import ssl
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import Authority, eventually, secret

pytestmark = pytest.mark.e2e

SWITCHES = {"ISTIO_DUAL_STACK": "true", "PILOT_HTTP10": "true"}
BACKENDS = ("first", "only", "tcp", "tcponly", "stranger")


def site(authority: Authority, other: Path, ca: Path) -> str:
    parts = [
        secret("web", authority.server("inner.test")),
        """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [inner.test], tls: {mode: SIMPLE, credentialName: web}}
  - {port: {number: 9443, name: tcp-only, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: web}}
  - {port: {number: 15443, name: sni, protocol: TLS}, hosts: ['*.mesh'], tls: {mode: AUTO_PASSTHROUGH}}
""",
        """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: inner, namespace: istio-system}
spec:
  hosts: [inner.test]
  gateways: [shop]
  http: [{headers: {response: {set: {x-spoken: '%PROTOCOL%'}}}, directResponse: {status: 200}}]
""",
        """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: mesh, namespace: istio-system}
spec:
  hosts: [inner.mesh]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 443, name: tls, protocol: TLS, targetPort: 9443}]
  endpoints: [{address: 127.0.0.1}]
""",
    ]
    parts.append("""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: names, namespace: istio-system}
spec:
  hosts: ['*.localhost']
  location: MESH_EXTERNAL
  resolution: DYNAMIC_DNS
  ports: [{number: 8080, name: http, protocol: HTTP}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: names, namespace: istio-system}
spec:
  hosts: ['*']
  gateways: [shop]
  http:
  - {match: [{headers: {x-passed: {}}}], directResponse: {status: 204}}
  - match: [{uri: {prefix: /fixed}}]
    rewrite: {authority: 'b.localhost:8080'}
    headers: {request: {set: {x-passed: 'yes'}}}
    route: [{destination: {host: '*.localhost'}}]
  - {headers: {request: {set: {x-passed: 'yes'}}}, retries: {attempts: 0}, route: [{destination: {host: '*.localhost'}}]}
""")
    for name in BACKENDS:
        port = 9443 if name.startswith("tcp") else 8443
        http3 = "only" if name.endswith("only") else "true"
        trusted = other if name == "stranger" else ca
        parts.append(f"""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: istio-system}}
spec:
  hosts: [{name}.backend]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{{number: 443, name: http, protocol: HTTP, targetPort: {port}}}]
  endpoints: [{{address: 127.0.0.1}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}, namespace: istio-system, annotations: {{mizzen.dev/http3: '{http3}'}}}}
spec: {{host: {name}.backend, trafficPolicy: {{tls: {{mode: SIMPLE, sni: inner.test, caCertificates: {trusted}}}}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: istio-system}}
spec:
  hosts: [{name}.test]
  gateways: [shop]
  http: [{{rewrite: {{authority: inner.test}}, retries: {{attempts: 0}}, route: [{{destination: {{host: {name}.backend}}}}]}}]
""")
    return "---\n".join(parts)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    made = Authority()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "yaml").mkdir()
        (folder / "ca.pem").write_text(made.pem)
        (folder / "other.pem").write_text(Authority().pem)
        (folder / "yaml" / "site.yaml").write_text(site(made, folder / "other.pem", folder / "ca.pem"))
        with gateway.up(folder / "yaml", environment=SWITCHES):
            yield made


def spoken(name: str) -> tuple[int, str]:
    answer = curl("h1", f"http://{name}.test/", connect_port=8080)
    return answer.status, answer.header("x-spoken")


def test_http3_is_spoken_to_a_backend_and_tcp_where_it_is_not_there(authority: Authority) -> None:
    eventually(lambda: spoken("first") == (200, "HTTP/3"))
    assert spoken("only") == (200, "HTTP/3")
    eventually(lambda: spoken("tcp") == (200, "HTTP/2"))
    assert spoken("tcponly")[0] == 503
    assert spoken("stranger")[0] == 503  # a certificate of nobody that the rule trusts


def greeted(authority: Authority, *alpn: str) -> str:
    """The name that the certificate of who answers is for, behind port 15443."""
    context = ssl.create_default_context(cadata=authority.pem)
    context.check_hostname = False
    context.set_alpn_protocols(list(alpn))
    with (
        socket.create_connection(("127.0.0.1", 15443), 5) as bare,
        context.wrap_socket(bare, server_hostname="outbound_.443_._.inner.mesh") as connection,
    ):
        certificate = connection.getpeercert() or {}
        return str(certificate.get("subjectAltName"))


def test_connections_of_the_mesh_pass_by_their_sni(authority: Authority) -> None:
    assert "inner.test" in eventually(lambda: greeted(authority, "istio", "http/1.1"))
    with pytest.raises(OSError):  # the same name, and no client of the mesh
        greeted(authority, "http/1.1")


def test_every_port_is_open_at_ipv6_too(authority: Authority) -> None:
    for protocol in ("h1", "h2", "h3"):
        for address in ("127.0.0.1", "::1"):
            asked = partial(curl, protocol, "https://inner.test:8443/", address=address, ca_pem=authority.pem)
            assert eventually(lambda asked=asked: asked().status) == 200, (protocol, address)
    assert curl("h1", "http://first.test/", connect_port=8080, address="::1").status == 200


def test_a_name_that_is_asked_for_leads_nowhere_else(authority: Authority) -> None:
    def asked(host: str, path: str = "/") -> int:
        return curl("h1", f"http://any.test:8080{path}", headers={"Host": host}).status

    assert eventually(lambda: asked("a.localhost:8080")) == 204
    assert asked("A.LOCALHOST:8080") == 204
    for host in (
        "a.localhost:9901",
        "a.localhost",
        "127.0.0.1:8080",
        "other.test:8080",
        "x@a.localhost:8080",
    ):
        assert asked(host) in (400, 503), host
    # Of a name that is written, nothing of what was asked for is left.
    assert asked("127.0.0.1:15021", "/fixed") == 204


def test_http_1_0_is_answered_where_it_is_switched_on(authority: Authority) -> None:
    def asked(request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", 8080), 5) as connection:
            connection.sendall(request)
            return connection.recv(65536).partition(b"\r\n")[0]

    eventually(lambda: b" 200 " in asked(b"GET / HTTP/1.0\r\nhost: first.test\r\n\r\n"))
    # Without a host there is nobody to route it to; it is answered all the same.
    assert b" 4" in asked(b"GET / HTTP/1.0\r\n\r\n")
