"""Many connected proxies that share one configuration: one change, until all have confirmed it.

The proxies are clients of the real control plane that speak delta ADS as Envoy does: they take everything and confirm
it. Their own CPU is in the time (they share this machine), so the control plane's is told beside it.
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from bench import measure, shop
from bench.running import Client, Processes, running
from mizzen._api import pb
from mizzen.authority.proof import HEADER, proof_of_proxy
from mizzen.node.instance import ask_status
from mizzen.proxy.admin import Admin
from mizzen.xds import resource_type

_METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
_CONNECTIONS = 900  # the local socket takes 1,000: the proxies beyond these share connections
_SHARED = 10

_AT_ONCE = 50  # join at the same time


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench fleet", description=__doc__)
    parser.add_argument("--proxies", type=int, default=1_000)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--changes", type=int, default=15)
    chosen = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        place = shop.Shop(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))))
        place.open()
        place.write_routes(chosen.hosts)
        up = stack.enter_context(running(place.folder))
        client = Client(place.authority.pem)
        stack.callback(client.close)
        client.until(shop.host(0), "0")
        asyncio.run(_measure(up, place, chosen.proxies, chosen.changes))


async def _measure(up: Processes, place: shop.Shop, count: int, changes: int) -> None:
    secret = up.up.instance.key()
    (key,) = (await ask_status(up.up.instance, secret))["gateways"]
    proof = proof_of_proxy(secret, key)
    tables = await _route_tables(Admin(up.up.instance.admin_socket(key)))
    alone = measure.memory(up.control_plane)
    crowd = Crowd()
    begin, cpu = time.monotonic(), up.cpu()
    tasks: list[asyncio.Task[None]] = []
    while crowd.holding < count:
        joining = range(len(tasks), min(count, crowd.holding + _AT_ONCE))
        tasks += [asyncio.create_task(crowd.proxy(up, key, proof, number, tables)) for number in joining]
        for task in tasks:
            if task.done():
                task.result()
                raise SystemExit("bench: a proxy was sent away")
        if time.monotonic() - begin > 120:
            raise SystemExit(f"bench: {crowd.holding} of {count} proxies hold their configuration")
        await asyncio.sleep(0.01)
    joined, used = time.monotonic() - begin, up.cpu() - cpu
    await asyncio.sleep(3)
    held = measure.memory(up.control_plane)
    measure.headline(f"{count:,} proxies that share one configuration (delta ADS; {changes} changes)")
    print(f"  all joined and confirmed: {joined:.1f} s, CPU of the control plane {used.control_plane:.1f} s")
    print(f"  memory of the control plane: {alone:.0f} MB before, {held:.0f} MB with them")
    took, cpus = [], []
    for number in range(1, changes + 1):
        await asyncio.sleep(0.5)
        version = f"change-{number}"
        cpu = up.cpu()
        crowd.look_for(version.encode(), count)
        begin = time.monotonic()
        place.write("route-0", shop.virtual_service(0, version))
        try:
            async with asyncio.timeout(60):
                await crowd.over.wait()
        except TimeoutError:
            raise SystemExit(f"bench: {crowd.confirmed} of {count} proxies confirmed the change") from None
        took.append((time.monotonic() - begin) * 1_000)
        await asyncio.sleep(0.2)
        cpus.append((up.cpu() - cpu).control_plane * 1_000)
    print(
        f"  change -> all confirmed: median {measure.median(took):.0f} ms, most {max(took):.0f} ms; "
        f"CPU of the control plane {measure.median(cpus):.0f} ms"
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(channel.close() for channel in crowd.channels.values()))


async def _route_tables(admin: Admin) -> list[str]:
    """Those that the gateway's own Envoy asks for."""
    dump = await admin.config_dump()
    return [
        table["route_config"]["name"]
        for part in dump["configs"]
        for table in part.get("dynamic_route_configs", ())
    ]


@dataclass(slots=True)
class Crowd:
    """All proxies, and how many have what is looked for."""

    holding: int = 0  # have confirmed a first configuration
    confirmed: int = 0
    wanted: int = 0
    text: bytes = b"\0"
    channels: dict[int, grpc.aio.Channel] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def _channel(self, up: Processes, number: int) -> grpc.aio.Channel:
        number = number if number < _CONNECTIONS else _CONNECTIONS + number % _SHARED
        if number not in self.channels:
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
            address = f"unix:{up.up.instance.ads_socket}"
            self.channels[number] = grpc.aio.insecure_channel(address, options=options)
        return self.channels[number]

    def look_for(self, text: bytes, wanted: int) -> None:
        """Count who confirms an answer with `text` in it."""
        self.text, self.wanted, self.confirmed = text, wanted, 0
        self.over.clear()

    async def proxy(self, up: Processes, key: str, proof: str, number: int, tables: list[str]) -> None:
        """One proxy, until it is cancelled."""
        method: Any = self._channel(up, number).stream_stream(
            _METHOD,
            request_serializer=pb.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=None,
        )
        queue: asyncio.Queue[Any] = asyncio.Queue()
        address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        node = pb.Node(id=f"router~{address}~{key}~{key.rpartition('.')[2]}.svc.cluster.local")
        queue.put_nowait(_asks(resource_type.CLUSTER.url, node=node))
        queue.put_nowait(_asks(resource_type.LISTENER.url))
        queue.put_nowait(_asks(resource_type.SCOPED_ROUTES.url))
        if tables:
            queue.put_nowait(_asks(resource_type.ROUTES.url, tables))
        is_first = True
        async for answer in method(_all_of(queue), metadata=((HEADER, proof),)):
            response = pb.DeltaDiscoveryResponse.FromString(answer)
            queue.put_nowait(
                pb.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
            )
            if is_first and response.type_url == resource_type.LISTENER.url:
                is_first = False
                self.holding += 1
            if self.text in answer:
                self.confirmed += 1
                if self.confirmed == self.wanted:
                    self.over.set()


def _asks(url: str, names: list[str] | None = None, node: Any = None) -> Any:
    return pb.DeltaDiscoveryRequest(type_url=url, node=node, resource_names_subscribe=names or ["*"])


async def _all_of(queue: "asyncio.Queue[Any]") -> AsyncIterator[Any]:
    while True:
        yield await queue.get()
