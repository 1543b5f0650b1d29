"""How a control plane copes with a large cluster: start to ready, memory, and how fast an endpoint's change is live.

    KUBECONFIG=... python -m bench.cluster [--services 1000] [--pods 5000] [--routes 2000]

Needs an API server (scripts/on_cluster.sh api python -m bench.cluster starts one) and no node: Pods need not run.
What it makes lies in namespaces of its own, which are removed at the end.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from mizzen.install.crds import crds
from mizzen.kube.client import Kube, KubeError, connect

NAMESPACE, SYSTEM = "bench-of-mizzen", "istio-system"
CHANGES = 20
_AT_ONCE = 40


async def spread(work: Iterable[Callable[[], Awaitable[Any]]]) -> None:
    """Some at a time."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Callable[[], Awaitable[Any]]) -> None:
        async with limit:
            try:
                await call()
            except KubeError as error:
                if error.status != 409:
                    raise

    await asyncio.gather(*(one(call) for call in work))


def post(kube: Kube, path: str, body: dict[str, Any]) -> Callable[[], Awaitable[Any]]:
    return lambda: kube.send("POST", path, body)


def service(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"s{number}"},
        "spec": {"clusterIP": "None", "ports": [{"name": "http", "port": 80}]},
    }


def endpoint_slice(number: int, address: str) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"s{number}", "labels": {"kubernetes.io/service-name": f"s{number}"}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
    }


def pod(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"p{number}", "labels": {"app": f"s{number % 1000}", "version": "v1"}},
        "spec": {"containers": [{"name": "app", "image": "app:1", "ports": [{"containerPort": 8080}]}]},
    }


def route(number: int, services: int) -> dict[str, Any]:
    host = f"s{number % services}.{NAMESPACE}.svc.cluster.local"
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": f"r{number}"},
        "spec": {
            "hosts": [f"h{number}.test"],
            "gateways": [f"{SYSTEM}/bench"],
            "http": [{"route": [{"destination": {"host": host, "port": {"number": 80}}}]}],
        },
    }


GATEWAY = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "bench"},
    "spec": {
        "selector": {"istio": "bench"},
        "servers": [{"port": {"number": 18090, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    },
}
GATEWAY_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "bench-gateway", "labels": {"istio": "bench"}},
    "spec": {"serviceAccountName": "bench", "containers": [{"name": "istio-proxy", "image": "mizzen:1"}]},
}
GATEWAY_SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "bench"},
    "spec": {"selector": {"istio": "bench"}, "ports": [{"name": "http", "port": 18090}]},
}


async def populate(kube: Kube, services: int, pods: int, routes: int) -> float:
    """Make all objects; seconds that took."""
    begun = time.monotonic()
    for name in (NAMESPACE, SYSTEM):
        await kube.apply(
            f"/api/v1/namespaces/{name}",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        )
    for crd in crds():
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}"
        await kube.apply(path, crd)
    await asyncio.sleep(3)
    core, istio = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}"
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
    system = f"/api/v1/namespaces/{SYSTEM}"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bench"}}
    await spread(
        [
            post(kube, f"{system}/serviceaccounts", account),
            post(kube, f"{system}/services", GATEWAY_SERVICE),
            post(kube, f"/apis/networking.istio.io/v1/namespaces/{SYSTEM}/gateways", GATEWAY),
        ]
    )
    await spread([post(kube, f"{system}/pods", GATEWAY_POD)])
    await spread(post(kube, f"{core}/services", service(n)) for n in range(services))
    await spread(post(kube, slices, endpoint_slice(n, address(n))) for n in range(services))
    await spread(post(kube, f"{istio}/virtualservices", route(n, services)) for n in range(routes))
    await spread(post(kube, f"{core}/pods", pod(n)) for n in range(pods))
    return time.monotonic() - begun


def address(number: int) -> str:
    return f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"


def rss(pid: int) -> float:
    """Resident memory in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "mizzen", *arguments]
    log = open(Path(tempfile.gettempdir()) / f"bench-{arguments[0]}.log", "wb")  # noqa: SIM115
    return subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)


async def until_ready(url: str, begun: float, process: "subprocess.Popen[bytes]") -> float:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return time.monotonic() - begun
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"it ended: see {tempfile.gettempdir()}/bench-*.log") from None
        await asyncio.sleep(0.05)


async def the_root(kube: Kube) -> dict[str, Any]:
    """The ConfigMap that a control plane writes once it leads."""
    while True:
        try:
            return await kube.get(f"/api/v1/namespaces/{SYSTEM}/configmaps/istio-ca-root-cert")
        except KubeError:
            await asyncio.sleep(0.2)


async def changes(kube: Kube) -> list[float]:
    """Milliseconds from asking for an endpoint's change to the first answer of the new one, one after the other."""
    address = own_address()
    servers = [await asyncio.start_server(answering(name), address, 0) for name in (b"a", b"b")]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    path = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices/s7"
    found = []
    for number in range(CHANGES + 1):
        patch = {
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "http", "port": ports[number % 2], "protocol": "TCP"}],
        }
        begun = time.monotonic()
        await kube.send("PATCH", path, patch, content_type="application/merge-patch+json")
        while await asked() != (b"a", b"b")[number % 2]:
            await asyncio.sleep(0.001)
        found.append((time.monotonic() - begun) * 1000)
        await asyncio.sleep(0.3)
    return found[1:]


def own_address() -> str:
    """An address of this machine that is not loopback, which no EndpointSlice may have."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.1", 9))
        return str(one.getsockname()[0])


def answering(name: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + name)

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await answer(reader, writer)
        writer.close()

    return quietly


async def asked() -> bytes:
    """Who answers through the gateway."""
    reader, writer = await asyncio.open_connection("127.0.0.1", 18090)
    writer.write(b"GET / HTTP/1.1\r\nhost: h7.test\r\nconnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer[-1:]


async def measure(services: int, pods: int, routes: int) -> None:
    kube = connect(os.environ["KUBECONFIG"])
    took = await populate(kube, services, pods, routes)
    print(f"{services} Services, {pods} Pods, {routes} VirtualServices: made in {took:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        pilot = start("pilot", "--kubernetes", "--run-dir", f"{folder}/pilot")
        proxy = None
        try:
            ready = await until_ready("http://127.0.0.1:8080/ready", begun, pilot)
            print(
                f"start to ready: {ready:.1f} s, {cpu(pilot.pid):.1f} s of CPU, {rss(pilot.pid):.0f} MB",
                flush=True,
            )
            token = await kube.send(
                "POST",
                f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/bench/token",
                {"spec": {"audiences": ["istio-ca"]}},
            )
            secrets = Path(folder)
            (secrets / "token").write_text(token["status"]["token"])
            root = await the_root(kube)
            (secrets / "root.pem").write_text(root["data"]["root-cert.pem"])
            begun = time.monotonic()
            proxy = start(
                *("proxy", "router", "--pilot", "127.0.0.1", "--run-dir", f"{folder}/proxy"),
                *("--name", "bench-gateway", "-n", SYSTEM, "-s", "bench"),
                *("--token-file", f"{folder}/token", "--root-cert", f"{folder}/root.pem"),
                POD_NAME="",
            )
            served = await until_ready("http://127.0.0.1:15021/healthz/ready", begun, proxy)
            print(f"a gateway from its start to ready: {served:.1f} s", flush=True)
            before = cpu(pilot.pid)
            found = await changes(kube)
            each = (cpu(pilot.pid) - before) / CHANGES * 1000
            print(
                f"an endpoint's change to the first answer of it: median {statistics.median(found):.0f} ms, worst {max(found):.0f} ms; "
                f"{each:.0f} ms of CPU for each; memory {rss(pilot.pid):.0f} MB",
                flush=True,
            )
        finally:
            for process in filter(None, (proxy, pilot)):
                process.terminate()
                process.wait(timeout=30)
    for name in (NAMESPACE, SYSTEM):
        await kube.send("DELETE", f"/api/v1/namespaces/{name}")
    await kube.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, usual in (("services", 1_000), ("pods", 5_000), ("routes", 2_000)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    said = parser.parse_args()
    asyncio.run(measure(said.services, said.pods, said.routes))


if __name__ == "__main__":
    main()
