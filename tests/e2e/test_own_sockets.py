"""What somebody can reach of mizzen itself who may write routes and gateways, and no more."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import grpc
import grpc.aio
import pytest

from mizzen._api import pb
from mizzen.envoy.config import LISTENERS, SECRETS
from tests.e2e.test_supervisor import PORT, asked, started, until
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import Authority, Up, eventually

pytestmark = pytest.mark.e2e

EVIL = "evil.test"
NODE = "router~127.0.0.1~istio-ingressgateway.istio-system~istio-system.svc.cluster.local"
ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
SDS = "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets"


def entry(path: Path, protocol: str) -> str:
    """A ServiceEntry that leads to a socket."""
    return (
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
        f"metadata: {{name: {protocol.lower()}, namespace: tenant}}\n"
        f"spec: {{hosts: [{protocol.lower()}.internal], resolution: STATIC, "
        f"ports: [{{number: 8000, name: {protocol.lower()}, protocol: {protocol}}}], "
        f"endpoints: [{{address: 'unix://{path}'}}]}}\n"
    )


EVIL_ROUTE = f"""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: plain, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ['*/{EVIL}']}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: evil, namespace: tenant}}
spec:
  hosts: [{EVIL}]
  gateways: [istio-system/plain]
  http:
  - match: [{{uri: {{prefix: /status}}}}]
    route: [{{destination: {{host: http.internal}}}}]
  - route: [{{destination: {{host: grpc.internal}}}}]
"""


@pytest.fixture
def apps(tmp_path: Path) -> Path:
    """A folder that the operator names, and a tenant may write to."""
    path = tmp_path / "apps"
    path.mkdir(mode=0o755)
    return path


@pytest.fixture
def shop(folder: Path, authority: Authority) -> Path:
    """An HTTPS host, whose key is to be had."""
    (folder / "shop.yaml").write_text(
        "---\n".join(
            [gateway.secret("shop-tls", authority.server()), gateway.gateway(), gateway.route(), EVIL_ROUTE]
        )
    )
    return folder


async def stolen(method: str, wanted: str, names: list[str], **metadata: str) -> Any:
    """What the control plane answers to a client of the gateway's public port."""
    options = [("grpc.default_authority", EVIL)]
    async with grpc.aio.insecure_channel("127.0.0.1:8080", options=options) as channel:
        call: Any = channel.stream_stream(
            method,
            request_serializer=pb.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=pb.DeltaDiscoveryResponse.FromString,
        )(metadata=tuple((name.replace("_", "-"), value) for name, value in metadata.items()))
        request = pb.DeltaDiscoveryRequest(
            node=pb.Node(id=NODE), type_url=wanted, resource_names_subscribe=names
        )
        await call.write(request)
        return await asyncio.wait_for(call.read(), 5)


def test_nobody_is_told_configuration_or_keys_through_envoy(shop: Path, apps: Path) -> None:
    with gateway.up(shop, "--unix-sockets-in", str(apps)) as one:
        # The tenant's links lead from the folder that is open to him to the sockets of the instance.
        for name in ("ads.sock", "control.sock"):
            (apps / name).symlink_to(one.instance.run_dir / name)
        found = entry(apps / "ads.sock", "GRPC") + "---\n" + entry(apps / "control.sock", "HTTP")
        (shop / "evil.yaml").write_text(found)
        answer = eventually(
            lambda: (got := curl("h1", f"http://{EVIL}:8080/status")).status not in (503, 404) and got
        )
        assert (answer.status, "gateways" in answer.text) == (403, False)
        proof = one.instance.gateway("istio-ingressgateway.istio-system") / "bootstrap.json"
        assert "mizzen-proof-" in proof.read_text()  # what the client does not have
        for method, wanted, names, metadata in (
            (ADS, LISTENERS, [], {}),
            (ADS, SECRETS, ["kubernetes://shop-tls", "default"], {}),
            (ADS, SECRETS, ["kubernetes://shop-tls"], {"x_mizzen_proof": f"mizzen-proof-{'0' * 64}"}),
            (SDS, SECRETS, ["default"], {}),
        ):
            with pytest.raises(grpc.aio.AioRpcError, match="not the proxy that it says") as refused:
                asyncio.run(stolen(method, wanted, names, **metadata))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        shown = [
            one.mizzen("proxy-config", "all", "-o", "json").stdout,
            one.mizzen("proxy-status", "-o", "json").stdout,
            one.logs(),
        ]
        assert "x-mizzen-proof" in shown[0]
        assert "mizzen-proof-" not in "".join(shown)
        assert one.status()["proxies"]


def test_sockets_and_files_that_were_not_named_are_neither_reached_nor_removed(
    shop: Path, apps: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("do not remove")
    with gateway.up(shop) as one:
        (shop / "evil.yaml").write_text(
            entry(one.instance.ads_socket, "GRPC")
            + "---\n"
            + bound(precious, "file")
            + "---\n"
            + bound(one.instance.control_socket, "control")
        )
        eventually(lambda: one.read().count("UNIX-001") == 3)
        eventually(lambda: curl("h1", f"http://{EVIL}:8080/").text == "no healthy upstream")
        assert precious.read_text() == "do not remove"
        assert one.status()["gateways"]


def bound(path: Path, name: str) -> str:
    """A Gateway that listens on a socket."""
    return (
        f"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: {name}, namespace: istio-system}}\n"
        "spec: {selector: {istio: ingressgateway}, servers: "
        f"[{{port: {{number: 0, name: http, protocol: HTTP}}, hosts: ['*/{EVIL}'], bind: 'unix://{path}'}}]}}\n"
    )


def test_a_socket_is_bound_where_nothing_is_lost_by_it(shop: Path, apps: Path) -> None:
    file, living, link = apps / "file", apps / "living", apps / "link"
    file.write_text("do not remove")
    link.symlink_to(file)
    with socket.socket(socket.AF_UNIX) as other, gateway.up(shop, "--unix-sockets-in", str(apps)) as one:
        other.bind(str(living))
        other.listen()
        before = living.stat().st_ino
        paths = (file, living, link, apps / "ours")
        (shop / "bound.yaml").write_text("---\n".join(bound(path, path.name) for path in paths))
        eventually((apps / "ours").is_socket)
        eventually(lambda: one.read().count("UNIX-002") == 3)
        assert file.read_text() == "do not remove"
        assert link.is_symlink()
        assert living.stat().st_ino == before
        # A new control plane finds its own Envoy there, and takes nothing away.
        generation = one.status()["pid"]
        os.kill(generation, 9)
        eventually(lambda: _pid(one) not in (0, generation), 20.0)
        assert (apps / "ours").is_socket()
        eventually(lambda: one.status()["gateways"]["istio-ingressgateway.istio-system"]["synced"])


def _pid(one: Up) -> int:
    try:
        return int(one.status()["pid"])
    except OSError:
        return 0


class _Impostor(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    asked = 0


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[tuple[_Impostor, Path]]:
    """Answers every question with a status by which no gateway is left."""
    body = json.dumps({"pid": 1, "proxies": [], "gateways": {}, "problems": []}).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked += 1
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.send_header("x-mizzen-proof", self.headers.get("x-mizzen-proof", ""))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "local"

        def log_message(self, format: str, *args: Any) -> None:
            pass

    path = tmp_path / "impostor"
    server = _Impostor(str(path), Answer)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server, path
    server.shutdown()
    server.server_close()


def test_a_status_that_is_not_ours_ends_nothing(tmp_path: Path, impostor: tuple[_Impostor, Path]) -> None:
    server, path = impostor
    with started(tmp_path) as one:
        one.until_ready()
        envoy = one.child("bootstrap.json")
        path.replace(one.instance.control_socket)
        until(True, lambda: server.asked >= 5, 20)
        assert one.child("bootstrap.json") == envoy
        assert asked(PORT) == (200, "one")
        assert one.stop()[0] == 0


RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: backend, namespace: istio-system}}
spec:
  host: backend.test
  trafficPolicy: {{tls: {{mode: SIMPLE, caCertificates: {path}, sni: {host}, subjectAltNames: [{host}]}}}}
"""


def test_a_pipe_for_ca_certificates_stops_nothing_and_a_file_is_followed(
    folder: Path, authority: Authority, tmp_path: Path
) -> None:
    pipe, file = tmp_path / "pipe", tmp_path / "ca.pem"
    os.mkfifo(pipe)
    port = gateway.free_port()
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway() + "---\n" + gateway.backend(port))
    (folder / "route.yaml").write_text(gateway.route(port=port))
    (folder / "rule.yaml").write_text(RULE.format(path=pipe, host=gateway.HOST))
    url = f"https://{gateway.HOST}:8443/"
    with serving_tls(authority, port, tmp_path), gateway.up(folder) as one:
        assert "TLS-008" in one.read(0.2)
        assert curl("h2", url, ca_pem=authority.pem).status == 503
        (folder / "route.yaml").write_text(gateway.route(header="2"))
        eventually(lambda: curl("h2", url, ca_pem=authority.pem).header("x-version") == "2")
        (folder / "route.yaml").write_text(gateway.route(port=port))
        (folder / "rule.yaml").write_text(RULE.format(path=file, host=gateway.HOST))
        for pem, status in ((authority.pem, 200), (Authority().pem, 503), (authority.pem, 200)):
            gateway.replace_file(file, pem)
            eventually(lambda status=status: curl("h2", url, ca_pem=authority.pem).status == status)


@contextlib.contextmanager
def serving_tls(authority: Authority, port: int, folder: Path) -> Iterator[None]:
    """A backend that ends TLS, and answers 200."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "0")
            self.send_header("connection", "close")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    pair = authority.server()
    (folder / "chain.pem").write_bytes(pair.certificate)
    (folder / "key.pem").write_bytes(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", port), Answer) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield
        server.shutdown()
