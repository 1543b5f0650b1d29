"""TLS to a backend whose CA nobody named: its chain and its name are verified by what the machine trusts."""

import contextlib
import http.server
import ssl
import tempfile
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.e2e.test_network import EDGE, Site
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import Authority, Up

pytestmark = pytest.mark.e2e

ROUTES = {
    "right.test": "{mode: SIMPLE}",
    "other-name.test": "{mode: SIMPLE}",
    "other-authority.test": "{mode: SIMPLE}",
    "unverified.test": "{mode: SIMPLE, insecureSkipVerify: true}",
    "right-sni.test": "{mode: SIMPLE, sni: right.test}",
    "other-sni.test": "{mode: SIMPLE, sni: elsewhere.test}",
    "right-names.test": "{mode: SIMPLE, subjectAltNames: [right.test]}",
    "other-names.test": "{mode: SIMPLE, subjectAltNames: [elsewhere.test]}",
}


class Hello(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Handshakes that the gateway breaks off are what is tested."""


@contextlib.contextmanager
def backend(authority: Authority) -> Iterator[int]:
    """An HTTPS server for right.test; its port."""
    pair = authority.server("right.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pair.certificate + pair.key)
        file.flush()
        context.load_cert_chain(file.name)
    server = Quiet(("127.0.0.1", 0), Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def site(ports: dict[str, int]) -> str:
    gateways = (
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: istio-system}\n"
        "spec: {selector: {istio: ingressgateway}, servers: "
        "[{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
    )
    return "---\n".join([gateways, *(way(host, ROUTES[host], port) for host, port in ports.items())])


def way(host: str, tls: str, port: int) -> str:
    """A host whose requests go to a backend over TLS, mostly under the backend's name."""
    name = host.removesuffix(".test")
    authority = {"other-authority": "elsewhere.test", "other-name": host}.get(name, "right.test")
    return (
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec: {{hosts: [{host}], location: MESH_EXTERNAL, "
        f"resolution: STATIC, ports: [{{number: 443, name: https, protocol: HTTPS, targetPort: {port}}}], "
        "endpoints: [{address: 127.0.0.1}]}\n---\n"
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec: {{host: {host}, trafficPolicy: {{tls: {tls}}}}}\n---\n"
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec: {{hosts: [{host}], gateways: [istio-system/gw], "
        f"http: [{{rewrite: {{authority: {authority}}}, retries: {{attempts: 0}}, "
        f"route: [{{destination: {{host: {host}, port: {{number: 443}}}}}}]}}]}}\n"
    )


def status(host: str) -> int:
    return curl("h1", f"http://{host}/", connect_port=8080).status


@pytest.fixture
def trusted(tmp_path: Path) -> tuple[Authority, Path]:
    authority = Authority()
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(authority.pem)
    return authority, bundle


def test_chain_and_name_are_verified(trusted: tuple[Authority, Path], tmp_path: Path) -> None:
    authority, bundle = trusted
    folder = tmp_path / "yaml"
    folder.mkdir()
    with backend(authority) as right, backend(Authority()) as stranger:
        ports = dict.fromkeys(ROUTES, right)
        (folder / "site.yaml").write_text(site(ports))
        with gateway.up(folder, environment={"SSL_CERT_FILE": str(bundle)}) as up:
            found = {host: status(host) for host in ROUTES}
            assert found == {
                "right.test": 200,
                "other-name.test": 503,
                "other-authority.test": 503,
                "unverified.test": 200,
                "right-sni.test": 200,
                "other-sni.test": 503,
                "right-names.test": 200,
                "other-names.test": 503,
            }
            change(up, folder, site(dict.fromkeys(("right.test", "unverified.test"), stranger)))
            # Of an authority that nobody trusts. That the other routes are gone counts when the file has stood still.
            gateway.eventually(lambda: status("right.test") == 503)
            assert status("unverified.test") == 200


def test_without_authorities_requests_fail_and_it_is_said(
    trusted: tuple[Authority, Path], tmp_path: Path
) -> None:
    authority, bundle = trusted
    folder = tmp_path / "yaml"
    folder.mkdir()
    bundle.unlink()
    with backend(authority) as port:
        (folder / "site.yaml").write_text(site({"right.test": port}))
        with gateway.up(folder, environment={"SSL_CERT_FILE": str(bundle)}) as up:
            assert status("right.test") == 503
            gateway.eventually(lambda: "TLS-010" in up.read())


def change(up: Up, folder: Path, text: str) -> None:
    before = up.status()["generation"]
    gateway.replace_file(folder / "site.yaml", text)

    def is_served() -> bool:
        now = up.status()
        return now["generation"] > before and all(one["ready"] for one in now["gateways"].values())

    gateway.eventually(is_served, 15.0)


def test_a_proxy_with_an_agent_trusts_what_its_own_machine_does(
    trusted: tuple[Authority, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, bundle = trusted
    folder = tmp_path / "yaml"
    folder.mkdir()
    with backend(authority) as port, tempfile.TemporaryDirectory(prefix="mz-") as root:
        (folder / "site.yaml").write_text(site({"right.test": port, "other-name.test": port}))
        network = Site(folder=folder, root=Path(root))
        try:
            monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
            network.pilot()
            monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
            network.proxy("router", EDGE, network.token(EDGE[1], EDGE[2]))
            network.wait_ready(EDGE[0])
            assert status("right.test") == 200
            assert status("other-name.test") == 503
        finally:
            network.stop()
