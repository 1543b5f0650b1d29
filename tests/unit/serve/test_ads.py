"""The ADS server, asked over a real socket by a gRPC client."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc.aio

from mizzen._api import pb
from mizzen.authority.proof import HEADER, proof_of_proxy
from mizzen.serve import ads
from mizzen.serve.ads import SERVICE, AdsServer, ClientStatus
from mizzen.xds import delta
from mizzen.xds.resource_type import CLUSTER, LISTENER, ResourceType
from mizzen.xds.snapshot import Snapshot, snapshot
from mizzen.xds.status import SyncState
from mizzen.xds.update import Update

NODE = pb.Node(id="router~127.0.0.1~edge.shop~shop.svc.cluster.local", cluster="edge")
LISTENERS = snapshot({LISTENER.url: {"udp_0.0.0.0_8443": pb.Listener(name="udp_0.0.0.0_8443")}})


@asynccontextmanager
async def serving(path: Path, **options: Any) -> AsyncIterator[AdsServer]:
    server = AdsServer(socket_path=path, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ads.sock"


@asynccontextmanager
async def calling(
    target: str, method: str = "DeltaAggregatedResources", proof: str = ""
) -> AsyncIterator[Any]:
    is_delta = method.startswith("Delta")
    async with grpc.aio.insecure_channel(target) as channel:
        open_stream: Any = channel.stream_stream(
            f"/{SERVICE}/{method}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=(
                pb.DeltaDiscoveryResponse.FromString if is_delta else pb.DiscoveryResponse.FromString
            ),
        )
        call = open_stream(metadata=((HEADER, proof),) if proof else ())
        try:
            yield call
        finally:
            call.cancel()


def ask(**fields: Any) -> pb.DeltaDiscoveryRequest:
    return pb.DeltaDiscoveryRequest(node=NODE, type_url=LISTENER.url, **fields)


async def test_a_waiting_client_is_sent_what_is_published(path: Path) -> None:
    async with serving(path) as server, calling(f"unix:{path}") as call:
        await call.write(ask())
        while not server.status():
            await asyncio.sleep(0)

        server.publish("edge.shop", LISTENERS)
        response = await call.read()

        assert [each.name for each in response.resources] == ["udp_0.0.0.0_8443"]
        assert response.resources[0].resource.Is(pb.Listener.DESCRIPTOR)


async def test_a_client_that_comes_later_is_sent_what_was_published(path: Path) -> None:
    async with serving(path) as server:
        server.publish("edge.shop", LISTENERS)
        async with calling(f"unix:{path}", "StreamAggregatedResources") as call:
            await call.write(pb.DiscoveryRequest(node=NODE, type_url=LISTENER.url))

            response = await call.read()

            assert [each.type_url for each in response.resources] == [LISTENER.url]


async def test_each_gateway_is_sent_its_own(path: Path) -> None:
    async with serving(path) as server, calling(f"unix:{path}") as call:
        server.publish("other.shop", snapshot({LISTENER.url: {"other": pb.Listener(name="other")}}))
        server.publish("edge.shop", LISTENERS)
        await call.write(ask())

        response = await call.read()

        assert [each.name for each in response.resources] == ["udp_0.0.0.0_8443"]


async def test_status_is_told_when_a_client_connects_confirms_and_leaves(path: Path) -> None:
    heard: asyncio.Queue[ClientStatus] = asyncio.Queue()
    async with serving(path, on_status=heard.put_nowait) as server:
        server.publish("edge.shop", LISTENERS)
        async with calling(f"unix:{path}") as call:
            await call.write(ask())
            connected = await heard.get()
            response = await call.read()
            await call.write(ask(response_nonce=response.nonce))
            confirmed = await heard.get()
        left = await heard.get()

    assert (connected.node_id, connected.gateway) == (NODE.id, "edge.shop")
    listeners = confirmed.stream.of(LISTENER.url)
    assert listeners is not None
    assert set(listeners.acked) == {"udp_0.0.0.0_8443"}
    assert [connected.is_connected, confirmed.is_connected, left.is_connected] == [True, True, False]
    assert server.status() == ()


async def test_a_client_without_a_node_is_turned_away(path: Path) -> None:
    async with serving(path), calling(f"unix:{path}") as call:
        await call.write(pb.DeltaDiscoveryRequest(type_url=LISTENER.url))

        with pytest.raises(grpc.aio.AioRpcError, match="missing node information") as refused:
            await call.read()

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_stopping_ends_open_streams_in_good_order(path: Path) -> None:
    async with serving(path) as server, calling(f"unix:{path}") as call:
        await call.write(ask())
        while not server.status():
            await asyncio.sleep(0)

        await server.stop()

        assert await call.read() is grpc.aio.EOF  # type: ignore[attr-defined]
        assert await call.code() is grpc.StatusCode.OK


async def test_listeners_wait_for_clusters_until_the_limit(path: Path) -> None:
    message = pb.Cluster(name="cold")
    both = Snapshot(types={**snapshot({CLUSTER.url: {"cold": message}}).types, **LISTENERS.types})
    async with serving(path, hold_limit=timedelta(0)) as server, calling(f"unix:{path}") as call:
        server.publish("edge.shop", both)
        await call.write(pb.DeltaDiscoveryRequest(node=NODE, type_url=CLUSTER.url))
        await call.write(ask())

        assert [(await call.read()).type_url for _ in range(2)] == [CLUSTER.url, LISTENER.url]


async def test_it_listens_on_tcp_too(free_port: int) -> None:
    server = AdsServer(address=f"127.0.0.1:{free_port}")
    await server.start()
    server.publish("edge.shop", LISTENERS)
    async with calling(f"127.0.0.1:{free_port}") as call:
        await call.write(ask())

        assert len((await call.read()).resources) == 1
    await server.stop()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_an_address_that_is_taken_is_an_error(path: Path) -> None:
    server = AdsServer(socket_path=path / "no" / "such" / "directory")

    with pytest.raises(OSError):
        await server.start()


async def test_on_a_socket_with_proofs_each_proxy_is_told_its_own_configuration_alone(path: Path) -> None:
    key, other = b"k" * 32, b"o" * 32
    async with serving(path, proof=partial(proof_of_proxy, key)) as server:
        server.publish("edge.shop", LISTENERS)
        for shown in ("", "x", proof_of_proxy(other, "edge.shop"), proof_of_proxy(key, "edge.other")):
            async with calling(f"unix:{path}", proof=shown) as call:
                await call.write(pb.DeltaDiscoveryRequest(node=NODE, type_url=LISTENER.url))
                with pytest.raises(grpc.aio.AioRpcError, match="not the proxy that it says"):
                    await call.read()
        async with calling(f"unix:{path}", proof=proof_of_proxy(key, "edge.shop")) as call:
            await call.write(pb.DeltaDiscoveryRequest(node=NODE, type_url=LISTENER.url))
            assert (await call.read()).resources


async def test_one_proxy_has_a_bounded_number_of_streams(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ads, "_FIRST_SECONDS", 0.2)
    async with serving(path, streams_of_node=2) as server, AsyncExitStack() as open_streams:
        server.publish("edge.shop", LISTENERS)
        for _ in range(2):
            call = await open_streams.enter_async_context(calling(f"unix:{path}"))
            await call.write(pb.DeltaDiscoveryRequest(node=NODE, type_url=LISTENER.url))
            assert (await call.read()).resources
        large = pb.Node(id="x")
        large.metadata.fields["a"].string_value = "x" * 2**21
        for first, why in ((NODE, "too many streams"), (large, "missing node"), (None, "nothing was asked")):
            async with calling(f"unix:{path}") as call:
                if first is not None:
                    await call.write(pb.DeltaDiscoveryRequest(node=first, type_url=LISTENER.url))
                with pytest.raises(grpc.aio.AioRpcError, match=why):
                    await call.read()


def clusters(*numbers: int, size: int = 0) -> Snapshot:
    """Clusters by number, each with that many bytes more."""
    return snapshot(
        {
            CLUSTER.url: {
                f"c{number}": pb.Cluster(name=f"c{number}", alt_stat_name="x" * size) for number in numbers
            }
        }
    )


def ask_for_clusters(**fields: Any) -> pb.DeltaDiscoveryRequest:
    return pb.DeltaDiscoveryRequest(type_url=CLUSTER.url, **fields)


async def test_a_gateway_that_is_gone_is_forgotten_and_its_clients_keep_what_they_have(path: Path) -> None:
    async with serving(path) as server, calling(f"unix:{path}") as call, calling(f"unix:{path}") as later:
        server.publish("edge.shop", clusters(1))
        await call.write(ask_for_clusters(node=NODE))
        assert len((await call.read()).resources) == 1

        server.unpublish("edge.shop")
        server.unpublish("edge.shop")
        await later.write(ask_for_clusters(node=NODE))
        while len(server.status()) < 2:
            await asyncio.sleep(0)
        server.publish("edge.shop", clusters(1, 2))

        # To the first nothing was said in between; the other was told nothing of the old.
        assert [one.name for one in (await call.read()).resources] == ["c2"]
        assert [one.name for one in (await later.read()).resources] == ["c1", "c2"]


async def test_what_is_published_in_one_turn_is_sent_once(path: Path) -> None:
    async with serving(path) as server, calling(f"unix:{path}") as call:
        server.publish("edge.shop", clusters(1))
        await call.write(ask_for_clusters(node=NODE))
        first = await call.read()
        await call.write(ask_for_clusters(response_nonce=first.nonce))

        for number in range(2, 5):
            server.publish("edge.shop", clusters(*range(1, number + 1)))
        second = await call.read()

        assert [one.name for one in second.resources] == ["c2", "c3", "c4"]
        assert server.pushed[CLUSTER.url] == (
            2,
            4,
            len(first.SerializeToString() + second.SerializeToString()),
        )


async def test_clients_that_share_a_configuration_are_told_by_the_work_for_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies, serialise = 20, delta._serialised
    made: list[Update] = []

    def serialised(kind: ResourceType, update: Update) -> bytes:
        made.append(update)
        return serialise(kind, update)

    monkeypatch.setattr(delta, "_serialised", serialised)
    async with serving(path) as server, AsyncExitStack() as open_streams:
        server.publish("edge.shop", clusters(*range(100)))
        calls = [await open_streams.enter_async_context(calling(f"unix:{path}")) for _ in range(proxies)]
        for turn in range(3):
            if turn:
                server.publish("edge.shop", clusters(*range(100 + turn)))
            for call in calls:
                if not turn:
                    await call.write(ask_for_clusters(node=NODE))
                response = await call.read()
                await call.write(ask_for_clusters(response_nonce=response.nonce))
            assert len(made) == turn + 1
            while any(
                one.state is not SyncState.SYNCED for each in server.status() for one in each.stream.types
            ):
                await asyncio.sleep(0.01)
        held = [each.stream.types[0].available for each in server.status()]

    assert all(one is held[0] for one in held)


async def test_a_client_that_does_not_read_holds_up_nobody_and_nothing_piles_up(path: Path) -> None:
    """What is published while it does not read takes the place of what was published before."""
    slow_node = pb.Node(id="router~127.0.0.2~edge.shop~shop.svc.cluster.local")
    async with serving(path) as server, calling(f"unix:{path}") as call, calling(f"unix:{path}") as slow:
        await slow.write(ask_for_clusters(node=slow_node))
        await call.write(ask_for_clusters(node=NODE))
        while len(server.status()) < 2:
            await asyncio.sleep(0.01)
        for turn in range(1, 150):
            server.publish("edge.shop", clusters(turn, size=100_000))
            response = await call.read()
            assert [one.name for one in response.resources] == [f"c{turn}"]
            await call.write(ask_for_clusters(response_nonce=response.nonce))

        (stuck,) = [each for each in server.status() if each.node_id == slow_node.id]
        assert stuck.stream.types[0].sent < 75  # some 4 MB are on the way in its gRPC
        known: set[str] = set()
        while known != {"c149"}:
            response = await slow.read()
            known = (known | {one.name for one in response.resources}) - set(response.removed_resources)
            await slow.write(ask_for_clusters(response_nonce=response.nonce))
