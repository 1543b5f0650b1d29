"""Connection ids that a balancer can read: a client that moves comes to the same of two Envoys, and without them it is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from mizzen.http3.server_ids import environment, server_id
from mizzen.model import Model
from mizzen.model.quic import ConnectionIdKey, ConnectionIds
from tests.harness import small_models as small
from tests.harness.quic_balancer import Balancer, balancing
from tests.harness.quic_client import connected
from tests.harness.served_model import Served, serving
from tests.harness.small_models import CA_PEM, HOST

pytestmark = pytest.mark.e2e

FRONT = 7443
PODS = ("127.0.0.1", "127.0.0.2")
IDS = ConnectionIds(
    server_id_bytes=4,
    nonce_bytes=12,
    key="connection-ids://shop/lb",
    origin=small.GATEWAY,
    at="spec.connectionIds",
)
KEYS = {0: bytes(range(16)), 1: bytes(range(1, 17))}


def pod(address: str, port: int, ids: ConnectionIds | None, version: int = 0) -> Model:
    """One gateway, at an address of its own; as all Pods of a gateway it is told the same but for that."""
    model = small.mirrored(port=port)
    key = ConnectionIdKey(name=IDS.key, key=KEYS[version], version=version, origin=small.GATEWAY)
    return replace(
        model,
        listeners=tuple(replace(one, address=address, connection_ids=ids) for one in model.listeners),
        connection_id_keys=(key,),
    )


@asynccontextmanager
async def balanced(port: int, ids: ConnectionIds | None) -> AsyncIterator[tuple[Balancer, list[Served]]]:
    async with AsyncExitStack() as stack:
        envoys = [
            await stack.enter_async_context(
                serving(
                    pod(address, port, ids),
                    concurrency=2,
                    environment=environment("", f"10.0.0.{number}", "edge.shop"),
                    ports_from=15000 + 100 * number,
                )
            )
            for number, address in enumerate(PODS)
        ]
        servers = {
            server_id("", f"10.0.0.{number}", "edge.shop", 4): (address, 8443)
            for number, address in enumerate(PODS)
        }
        assert list(servers) == [bytes([10, 0, 0, 0]), bytes([10, 0, 0, 1])]
        yield stack.enter_context(balancing(FRONT, servers, KEYS)), envoys


def connections(envoys: list[Served]) -> list[int]:
    return [one.stat("listener.udp_127.0.0.1_8443.downstream_cx_total") for one in envoys]


async def test_a_client_that_moves_comes_to_the_same_pod(httpbin: int) -> None:
    async with (
        balanced(httpbin, IDS) as (balancer, envoys),
        connected(HOST, FRONT, ca_pem=CA_PEM) as first,
    ):
        assert await first.get("/get") == 200
        assert balancer.routed  # already: the handshake goes on by the server's id
        assert connections(envoys) == [1, 0]
        await first.move()  # to the address that is the other one's turn
        assert await first.get("/get") == 200
        await first.rebind()
        assert await first.get("/get") == 200
        async with connected(HOST, FRONT, ca_pem=CA_PEM) as second:
            assert await second.get("/get") == 200
            # Each new address is the next one's turn, and only new connections went by turns.
            assert sum(connections(envoys)) == 2
        # Another key: who is connected stays, new ones have ids by it, and no listener is touched.
        for served, address in zip(envoys, PODS, strict=True):
            served.publish(pod(address, httpbin, IDS, version=1))
        before = [one.stat("listener_manager.listener_modified") for one in envoys]

        async def is_new() -> bool:
            async with connected(HOST, FRONT, ca_pem=CA_PEM) as one:
                assert await one.get("/get") == 200
                return one.server_ids[0][0] >> 5 == 1

        async with asyncio.timeout(10):
            while not await is_new():
                pass
        await first.rebind()
        assert await first.get("/get") == 200
        assert [one.stat("listener_manager.listener_modified") for one in envoys] == before


async def test_without_them_it_is_lost(httpbin: int) -> None:
    async with (
        balanced(httpbin, None) as (balancer, _),
        connected(HOST, FRONT, ca_pem=CA_PEM) as connection,
    ):
        assert await connection.get("/get") == 200
        await connection.move()
        with pytest.raises(TimeoutError):
            await connection.get("/get", timeout=1.5)
        assert balancer.routed == 0
