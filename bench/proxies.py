"""What a change costs when many proxies share one configuration: real gRPC clients, each with a connection of its own.

The proxies are gRPC clients (Envoys would need more memory than most machines have) that ask for what an Envoy asks for,
over delta ADS, and confirm all that they are sent. They run in a process of their own; the figures are
those of the process that serves.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc.aio

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.serve.ads import SERVICE, AdsServer, ClientStatus
from mizzen.xds.resource_type import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SEND_ORDER
from mizzen.xds.snapshot import Snapshot, snapshot
from mizzen.xds.status import SyncState

PROXIES, CLUSTERS, CHANGES = 1_000, 1_000, 10
GATEWAY = "edge.shop"
_EXTENSIONS = 600  # that an Envoy lists in its node


def bodies() -> dict[str, PersistentMap[str, bytes]]:
    """A configuration: clusters with one endpoint each, a listener, a route table."""
    names = [f"outbound|80||service-{number}.shop.svc.cluster.local" for number in range(CLUSTERS)]
    return {
        CLUSTER.url: PersistentMap((name, _cluster(name)) for name in names),
        ENDPOINTS.url: PersistentMap((name, endpoints(name, 80)) for name in names),
        LISTENER.url: PersistentMap({"0.0.0.0_8080": pb.Listener(name="0.0.0.0_8080").SerializeToString()}),
        ROUTES.url: PersistentMap({"http.8080": pb.RouteConfiguration(name="http.8080").SerializeToString()}),
    }


def _cluster(name: str) -> bytes:
    cluster = pb.Cluster(name=name, type=pb.Cluster.EDS, connect_timeout=pb.Duration(seconds=10))
    cluster.eds_cluster_config.eds_config.ads.SetInParent()
    return cluster.SerializeToString()


def endpoints(name: str, port: int) -> bytes:
    """A cluster's one endpoint."""
    assignment = pb.ClusterLoadAssignment(cluster_name=name)
    address = assignment.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
    address.address, address.port_value = "10.0.0.1", port
    return assignment.SerializeToString()


class Acks:
    """Who has confirmed all that is published, and when."""

    def __init__(self, proxies: int) -> None:
        self.proxies = proxies
        self.done = asyncio.Event()
        self.times: dict[str, float] = {}

    def begin(self) -> None:
        self.times.clear()
        self.done.clear()

    def hear(self, client: ClientStatus) -> None:
        types = client.stream.types
        is_synced = len(types) == 4 and all(one.state is SyncState.SYNCED for one in types)
        if is_synced and client.node_id not in self.times:
            self.times[client.node_id] = time.perf_counter()
            if len(self.times) == self.proxies:
                self.done.set()


async def measure(directory: Path, proxies: int) -> None:
    """Serve `proxies` clients; print what connecting and what one change costs."""
    acks = Acks(proxies)
    server = AdsServer(socket_path=directory / "ads.sock", on_status=acks.hear)
    await server.start()
    resources = bodies()
    known = snapshot(resources)
    server.publish(GATEWAY, known)
    before, start, cpu = _resident(), time.perf_counter(), time.process_time()
    command = [sys.executable, "-m", "bench.proxies", str(directory / "ads.sock"), str(proxies)]
    clients = subprocess.Popen(command)
    try:
        await asyncio.wait_for(acks.done.wait(), 300)
        print(
            f"{proxies} proxies with {CLUSTERS} clusters each: connected and synced in"
            f" {time.perf_counter() - start:.1f} s, {time.process_time() - cpu:.1f} s of CPU"
        )
        await asyncio.sleep(3)
        print(f"memory: {(_resident() - before) / proxies / 1024:.1f} KB for each connection")
        for what, change in (("endpoints", _moved), ("a cluster", _changed), ("a cluster added", _added)):
            known, resources = await _changes(server, acks, known, resources, (what, change))
        print(f"memory: {(_resident() - before) / proxies / 1024:.1f} KB for each connection")
        for kind in SEND_ORDER:
            if pushed := server.pushed.get(kind.url):
                print(
                    f"{kind.short}: {pushed.responses} responses, {pushed.resources} resources, {pushed.bytes} bytes"
                )
    finally:
        clients.kill()
        clients.wait()
        await server.stop()


Resources = dict[str, PersistentMap[str, bytes]]


async def _changes(
    server: AdsServer, acks: Acks, known: Snapshot, resources: Resources, change: tuple[str, Any]
) -> tuple[Snapshot, Resources]:
    name, make = change
    walls, cpus, medians, ends = [], [], [], []
    for turn in range(CHANGES):
        resources = make(resources, turn)
        known = snapshot(resources, known)
        acks.begin()
        start, cpu = time.perf_counter(), time.process_time()
        server.publish(GATEWAY, known)
        await asyncio.wait_for(acks.done.wait(), 60)
        walls.append(time.perf_counter() - start)
        cpus.append(time.process_time() - cpu)
        taken = sorted(at - start for at in acks.times.values())
        medians.append(taken[len(taken) // 2])
        ends.append(taken[len(taken) * 99 // 100])
        await asyncio.sleep(0.3)
    print(
        f"{name}: all ACKed {_ms(walls)}, p50 {_ms(medians)}, p99 {_ms(ends)}, CPU {_ms(cpus)}"
        f"  (medians of {CHANGES} changes; the clients share the machine)"
    )
    return known, resources


def _moved(resources: Resources, turn: int) -> Resources:
    name = list(resources[ENDPOINTS.url])[turn]
    changed = resources[ENDPOINTS.url].updated({name: endpoints(name, 8_000 + turn)})
    return {**resources, ENDPOINTS.url: changed}


def _changed(resources: Resources, turn: int) -> Resources:
    name = list(resources[CLUSTER.url])[turn]
    cluster = pb.Cluster.FromString(resources[CLUSTER.url][name])
    cluster.connect_timeout.seconds += 1
    return {
        **resources,
        CLUSTER.url: resources[CLUSTER.url].updated({name: cluster.SerializeToString()}),
    }


def _added(resources: Resources, turn: int) -> Resources:
    name = f"outbound|80||new-{turn}.shop.svc.cluster.local"
    return {
        **resources,
        CLUSTER.url: resources[CLUSTER.url].updated({name: _cluster(name)}),
        ENDPOINTS.url: resources[ENDPOINTS.url].updated({name: endpoints(name, 80)}),
    }


def _ms(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1_000:.0f} ms"


def _resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# The other side.


async def proxy(path: str, number: int) -> None:
    """One proxy: asks, confirms, and asks for the endpoints of the clusters that it is told of."""
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1))
    async with grpc.aio.insecure_channel(f"unix:{path}", options=options) as channel:
        open_stream: Any = channel.stream_stream(
            f"/{SERVICE}/DeltaAggregatedResources",
            request_serializer=pb.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=pb.DeltaDiscoveryResponse.FromString,
        )
        call = open_stream()
        node = _node(number)
        for kind, names in ((CLUSTER, ()), (LISTENER, ()), (ROUTES, ("http.8080",))):
            await call.write(_request(kind.url, node=node, resource_names_subscribe=names))
            node = None
        known: set[str] = set()
        while (response := await call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
            if response.type_url == CLUSTER.url:
                new = [one.name for one in response.resources if one.name not in known]
                known.update(new)
                if new:
                    await call.write(_request(ENDPOINTS.url, resource_names_subscribe=new))
            await call.write(_request(response.type_url, response_nonce=response.nonce))


def _request(url: str, **fields: Any) -> pb.DeltaDiscoveryRequest:
    return pb.DeltaDiscoveryRequest(type_url=url, **fields)


def _node(number: int) -> pb.Node:
    node = pb.Node(id=f"router~10.0.{number // 256}.{number % 256}~{GATEWAY}~{number}", cluster="edge")
    node.user_agent_build_version.version.major_number = 1
    for extension in range(_EXTENSIONS):
        node.extensions.add(name=f"envoy.some.extension_{extension}", category="envoy.filters.http")
    return node


async def _proxies(path: str, count: int) -> None:
    await asyncio.gather(*(proxy(path, number) for number in range(count)))


def main(arguments: list[str]) -> None:
    """Print what a change costs with many proxies."""
    parser = argparse.ArgumentParser(prog="bench proxies", description=__doc__)
    parser.add_argument("--proxies", type=int, default=PROXIES)
    proxies = parser.parse_args(arguments).proxies
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(Path(directory), proxies))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(_proxies(sys.argv[1], int(sys.argv[2])))
    else:
        main([])
