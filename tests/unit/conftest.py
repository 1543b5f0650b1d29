"""What tests of the sources share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from mizzen.kube.client import Kube
from tests.harness.fake_api_server import FakeServer


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    yield fake
    await fake.stop()


@pytest.fixture
async def kube(server: FakeServer) -> AsyncIterator[Kube]:
    found = await server.start()
    yield found
    await found.close()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Awaitable[None]]:
    async def wait(holds: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0.005)

    return wait
