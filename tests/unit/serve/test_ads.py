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
from mizzen.xds.resource_type import CLUSTER, LISTENER
from mizzen.xds.snapshot import Snapshot, snapshot

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
    monkeypatch.setattr(ads, "_STREAMS_OF_NODE", 2)
    monkeypatch.setattr(ads, "_FIRST_SECONDS", 0.2)
    async with serving(path) as server, AsyncExitStack() as open_streams:
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
