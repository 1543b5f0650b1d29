"""A control plane and its proxies as on machines of their own: joining, being served, being refused."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen._api import pb
from mizzen.agent.join import JoinError, RemoteAuthority
from mizzen.authority.identity import Identity
from mizzen.authority.messages import METHOD, SERVICE, IstioCertificateRequest
from mizzen.authority.request import signing_request
from mizzen.authority.root import key_pem
from mizzen.envoy.config import LISTENERS, SECRETS
from mizzen.node.workload_certificates import Granted
from tests.e2e.test_comeback import alt_svc, robbed
from tests.e2e.test_mesh import GATEWAY, seen, write
from tests.e2e.test_supervisor import remove
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, eventually, free_port

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/headers"
EDGE = ("istio-ingressgateway", "istio-system", "istio-ingressgateway-service-account")
VM = ("vm", "shop", "backend")


@dataclass
class Site:
    """One control plane and whoever joined it, each with a run-dir."""

    folder: Path
    root: Path
    secure: int = field(default_factory=free_port)
    join: int = field(default_factory=free_port)
    plaintext: int = field(default_factory=free_port)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    open_files: int = 0  # that each process may have; 0: as many as this one

    def start(self, name: str, *arguments: str, token: str = "") -> subprocess.Popen[bytes]:
        log = (self.root / f"{name}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "mizzen", *arguments, "--run-dir", str(self.root / name)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "MIZZEN_JOIN_TOKEN": token},
            start_new_session=True,
            preexec_fn=self._limit if self.open_files else None,
        )
        log.close()
        self.running.append(process)
        return process

    def _limit(self) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.open_files, self.open_files))

    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text(errors="replace")

    def pilot(self) -> subprocess.Popen[bytes]:
        process = self.start(
            "pilot",
            "pilot",
            *("-f", str(self.folder)),
            *("--secure-address", f"127.0.0.1:{self.secure}"),
            *("--join-address", f"127.0.0.1:{self.join}"),
            *("--plaintext-address", f"127.0.0.1:{self.plaintext}"),
        )
        eventually(self.bundle.exists)
        ports = (self.secure, self.join, self.plaintext)
        eventually(lambda: all(map(_listens, ports)))
        return process

    @property
    def bundle(self) -> Path:
        return self.root / "pilot" / "authority" / "root-cert.pem"

    def token(self, namespace: str, account: str) -> str:
        made = subprocess.run(
            [
                *(sys.executable, "-m", "mizzen", "join-token", "--run-dir", str(self.root / "pilot")),
                *("-n", namespace, "-s", account),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip()

    def proxy(
        self,
        kind: str,
        who: tuple[str, str, str],
        token: str,
        status: int = 15021,
        more: tuple[str, ...] = (),
    ) -> subprocess.Popen[bytes]:
        name, namespace, account = who
        return self.start(
            name,
            "proxy",
            kind,
            *("--pilot", f"127.0.0.1:{self.secure}", "--join", f"127.0.0.1:{self.join}"),
            *("--name", name, "-n", namespace, "-s", account, "--root-cert", str(self.bundle)),
            *("--status-port", str(status), "--prometheus-port", str(status + 69), "--drain", "2"),
            *more,
            token=token,
        )

    def told(self, *command: str) -> str:
        """What a command says of the control plane."""
        return subprocess.run(
            [sys.executable, "-m", "mizzen", *command, "--run-dir", str(self.root / "pilot")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def wait_ready(self, name: str) -> None:
        eventually(lambda: "ready:" in self.log(name), 20.0)

    def stop(self) -> None:
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def site(folder: Path, authority: Authority, httpbin: int) -> Iterator[Site]:
    write(folder, authority, free_port(), httpbin)
    with tempfile.TemporaryDirectory(prefix="mz-") as root:
        one = Site(folder, Path(root))
        try:
            yield one
        finally:
            one.stop()


def test_a_gateway_and_a_sidecar_join_and_serve_and_outlive_their_control_plane(
    site: Site, authority: Authority
) -> None:
    pilot = site.pilot()
    edge = site.proxy("router", EDGE, site.token(*EDGE[1:]))
    site.proxy("sidecar", VM, site.token(*VM[1:]), status=15121)
    for name in (EDGE[0], VM[0]):
        site.wait_ready(name)
    for protocol in ("h1", "h2", "h3"):
        told = eventually(lambda p=protocol: seen(authority, p).get("X-Forwarded-Client-Cert"))
        assert told.endswith(f"URI={GATEWAY}")
    eventually(lambda: curl("h2", URL, ca_pem=authority.pem).header("alt-svc").startswith("h3="))
    key = site.root / EDGE[0] / "key.pem"
    assert key.stat().st_mode & 0o077 == 0
    assert "PRIVATE KEY" not in site.log(EDGE[0]) + site.log("pilot")
    # Without its control plane everything is as it was; a new one takes up where the old one was killed.
    os.killpg(pilot.pid, signal.SIGKILL)
    pilot.wait()
    assert curl("h3", URL, ca_pem=authority.pem).status == 200
    site.pilot()
    (site.folder / "route.yaml").write_text(gateway.route(header="2"))
    eventually(lambda: curl("h2", URL, ca_pem=authority.pem).header("x-version") == "2")
    # A proxy that starts again has its certificate still, and needs no token.
    edge.send_signal(signal.SIGTERM)
    assert edge.wait(15) == 0
    (site.root / f"{EDGE[0]}.log").unlink()
    site.proxy("router", EDGE, "")
    site.wait_ready(EDGE[0])
    assert curl("h2", URL, ca_pem=authority.pem).header("x-version") == "2"


def test_a_token_works_once_and_for_whom_it_was_made(site: Site) -> None:
    site.pilot()
    token = site.token("shop", "backend")
    mine = Identity(namespace="shop", service_account="backend")
    assert asyncio.run(_join(site, mine, token)).chain
    with pytest.raises(JoinError, match="has been used"):
        asyncio.run(_join(site, mine, token))
    other = site.token("other", "other")
    with pytest.raises(JoinError, match=r"not of spiffe://cluster\.local/ns/shop/sa/backend"):
        asyncio.run(_join(site, mine, other))
    with pytest.raises(JoinError, match="neither a certificate"):
        asyncio.run(_join(site, mine, ""))


async def _join(site: Site, identity: Identity, token: str) -> Granted:
    authority = RemoteAuthority(
        secure=f"127.0.0.1:{site.secure}",
        join=f"127.0.0.1:{site.join}",
        roots=site.bundle.read_bytes,
        token=lambda: token,
        held=lambda _: None,
    )
    return await authority.sign(identity, signing_request(ec.generate_private_key(ec.SECP256R1())))


def test_who_is_somebody_else_gets_no_configuration_and_no_secret(site: Site) -> None:
    site.pilot()
    stranger = Identity(namespace="other", service_account="other")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        asyncio.run(_configuration(site, stranger))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert GATEWAY in (refused.value.details() or "")
    edge = Identity(namespace=EDGE[1], service_account=EDGE[2])
    found = asyncio.run(_configuration(site, edge))
    assert [one.name for one in found[LISTENERS].resources] == ["0.0.0.0_8443", "udp_0.0.0.0_8443"]
    assert [one.name for one in found[SECRETS].resources] == ["kubernetes://shop-tls"]


def test_the_plaintext_port_tells_no_secret(site: Site) -> None:
    site.pilot()
    found = asyncio.run(_configuration(site, None))
    assert found[LISTENERS].resources
    assert not found[SECRETS].resources


async def _configuration(site: Site, identity: Identity | None) -> dict[str, Any]:
    """What is told to somebody who says to be the gateway, and shows a certificate of `identity`."""
    if identity is None:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{site.plaintext}")
    else:
        key = ec.generate_private_key(ec.SECP256R1())
        token = site.token(identity.namespace, identity.service_account)
        authority = RemoteAuthority(
            secure="",
            join=f"127.0.0.1:{site.join}",
            roots=site.bundle.read_bytes,
            token=lambda: token,
            held=lambda _: None,
        )
        granted = await authority.sign(identity, signing_request(key))
        credentials = grpc.ssl_channel_credentials(granted.roots, key_pem(key).encode(), granted.chain)
        channel = grpc.aio.secure_channel(f"127.0.0.1:{site.secure}", credentials)
    async with channel:
        stream: Any = channel.stream_stream(
            "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
            request_serializer=pb.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=pb.DeltaDiscoveryResponse.FromString,
        )()
        node = pb.Node(id="router~127.0.0.1~istio-ingressgateway.istio-system~istio-system.svc.cluster.local")
        listeners = pb.DeltaDiscoveryRequest(node=node, type_url=LISTENERS)
        secrets = pb.DeltaDiscoveryRequest(
            type_url=SECRETS, resource_names_subscribe=["kubernetes://shop-tls"]
        )
        found: dict[str, Any] = {}
        for request in (listeners, secrets):
            # One after the other: of a stream that is refused meanwhile gRPC says "internal" to whoever writes.
            await stream.write(request)
            answer = await asyncio.wait_for(stream.read(), 10)
            found[answer.type_url] = answer
        return found


def test_a_process_that_no_file_names_joins_by_what_its_command_line_says(
    site: Site, authority: Authority, httpbin: int
) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: backend, namespace: shop}\nspec: {selector: {app: backend}, ports: [{name: http, port: 80}]}\n"
    (site.folder / "workload.yaml").write_text(service)
    site.pilot()
    site.proxy("router", EDGE, site.token(*EDGE[1:]))
    site.wait_ready(EDGE[0])
    assert curl("h2", URL, ca_pem=authority.pem).status == 503
    opened = free_port()
    said = ("--port", f"http:{opened}:{httpbin}", "--label", "app=backend")
    process = site.proxy("sidecar", VM, site.token(*VM[1:]), 15121, said)
    site.wait_ready(VM[0])
    told = eventually(lambda: curl("h3", URL, ca_pem=authority.pem).text.partition("Client-Cert")[2])
    assert GATEWAY in told
    process.send_signal(signal.SIGTERM)
    process.wait(15)
    eventually(lambda: curl("h2", URL, ca_pem=authority.pem).text.startswith("no healthy upstream"), 20.0)


def test_a_proxy_outlives_a_removed_run_dir_a_hung_envoy_and_a_port_that_was_taken(
    site: Site, authority: Authority
) -> None:
    site.pilot()
    site.proxy("router", EDGE, site.token(*EDGE[1:]), more=("--hung-after", "2"))
    site.wait_ready(EDGE[0])
    answered = (200, 503)  # the workload behind it has not joined
    eventually(lambda: curl("h2", URL, ca_pem=authority.pem).status in answered)
    run_dir = site.root / EDGE[0]
    key = (run_dir / "key.pem").read_bytes()

    remove(run_dir)
    eventually(lambda: "somebody removed from the run-dir what is in use" in site.log(EDGE[0]))
    assert (run_dir / "key.pem").read_bytes() == key
    assert curl("h1", "http://127.0.0.1:15021/healthz/ready").status == 200
    assert curl("h1", "http://127.0.0.1:15090/stats/prometheus").status == 200

    os.kill(child(site.running[-1].pid, "bootstrap.json"), signal.SIGSTOP)
    eventually(lambda: "is killed, and started again" in site.log(EDGE[0]))
    eventually(lambda: alt_svc(authority).startswith("h3="))

    agent = site.running[-1].pid
    with robbed(agent, child(agent, "bootstrap.json"), socket.SOCK_DGRAM):
        eventually(lambda: alt_svc(authority) == "clear")
        told = site.told("proxy-status")
        assert "Envoy cannot open the port of LDS udp_0.0.0.0_8443" in told
    eventually(lambda: alt_svc(authority).startswith("h3="))
    for protocol in ("h2", "h3"):
        eventually(lambda p=protocol: curl(p, URL, ca_pem=authority.pem).status in answered)


def child(parent: int, word: str) -> int:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    (found,) = (int(pid) for pid in listed if word in Path(f"/proc/{pid}/cmdline").read_text())
    return found


TENANT = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: plain, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ['*/evil.test']}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: evil, namespace: tenant}}
spec:
  hosts: [evil.internal]
  resolution: STATIC
  ports: [{{number: 8000, name: grpc, protocol: GRPC}}]
  endpoints: [{{address: 127.0.0.1, ports: {{grpc: {port}}}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: evil, namespace: tenant}}
spec:
  host: evil.internal
  trafficPolicy: {{tls: {{mode: ISTIO_MUTUAL, subjectAltNames: ['spiffe://cluster.local/ns/istio-system/sa/istiod']}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: evil, namespace: tenant}}
spec:
  hosts: [evil.test]
  gateways: [istio-system/plain]
  http: [{{route: [{{destination: {{host: evil.internal}}}}]}}]
"""


def test_a_route_to_the_control_plane_shows_the_gateways_certificate_in_vain(site: Site) -> None:
    (site.folder / "tenant.yaml").write_text(TENANT.format(port=site.secure))
    site.pilot()
    site.proxy("router", EDGE, site.token(*EDGE[1:]))
    site.wait_ready(EDGE[0])
    ads = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
    node = pb.Node(id="router~127.0.0.1~istio-ingressgateway.istio-system~istio-system.svc.cluster.local")
    wanted = pb.DeltaDiscoveryRequest(
        node=node, type_url=SECRETS, resource_names_subscribe=["kubernetes://shop-tls"]
    )
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = IstioCertificateRequest(csr=signing_request(key)).SerializeToString()
    for method, request in ((ads, wanted.SerializeToString()), (f"/{SERVICE}/{METHOD}", certificate)):
        with pytest.raises(grpc.aio.AioRpcError, match="the proof that goes with the client") as refused:
            asyncio.run(_through_the_gateway(method, request))
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    proof = (site.root / EDGE[0] / f"{EDGE[0]}.{EDGE[1]}" / "bootstrap.json").read_text()
    assert proof.count("mizzen-proof-") == 2
    assert "mizzen-proof-" not in site.log(EDGE[0]) + site.log("pilot")


async def _through_the_gateway(method: str, request: bytes) -> bytes:
    options = [("grpc.default_authority", "evil.test")]
    async with grpc.aio.insecure_channel("127.0.0.1:8080", options=options) as channel:
        call: Any = channel.stream_stream(method)()
        await call.write(request)
        found: bytes = await asyncio.wait_for(call.read(), 10)
        return found
