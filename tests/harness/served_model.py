"""A model that is translated and told to a real Envoy over delta ADS: no control plane, no YAML."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pycurl

from mizzen.envoy.config import envoy_config
from mizzen.model import Model
from tests.harness.snapshots import held
from tests.harness.told_envoy import Told, told_envoy

ALT_SVC = 'h3=":8443"; ma=86400'


@dataclass(frozen=True, slots=True)
class Served:
    """An Envoy that serves."""

    envoy: Told

    def publish(self, model: Model, alt_svc: str | None = ALT_SVC, *, less: str = "") -> None:
        """Tell Envoy; `less`: a type whose resources are not sent."""
        config = envoy_config(model, {one.name: alt_svc for one in model.announcements})
        told = held(config)
        self.envoy.ads.publish(self.envoy.spec.key, told.without(less) if less else told)

    def stat(self, name: str) -> int:
        """A counter or gauge of Envoy's."""
        answer = _admin(self.envoy.spec.admin_socket, f"/stats?filter=^{name}$")
        return int(answer.rpartition(":")[2] or 0)


def _admin(at: Path, path: str) -> str:
    chunks: list[bytes] = []
    handle = pycurl.Curl()
    handle.setopt(pycurl.UNIX_SOCKET_PATH, str(at))
    handle.setopt(pycurl.URL, f"http://admin{path}")
    handle.setopt(pycurl.WRITEFUNCTION, chunks.append)
    handle.perform()
    handle.close()
    return b"".join(chunks).decode()


def _listens(path: Path) -> bool:
    """Is there somebody at a Unix socket? Its file is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


@asynccontextmanager
async def serving(
    model: Model,
    *,
    less: str = "",
    concurrency: int = 1,
    environment: Mapping[str, str] | None = None,
    ports_from: int = 15000,
) -> AsyncIterator[Served]:
    """Until all listeners of `model` are open; the rest is as `told_envoy` has it."""
    async with told_envoy(concurrency=concurrency, environment=environment, ports_from=ports_from) as told:
        served = Served(told)
        served.publish(model, less=less)
        # Two listeners of the bootstrap, and the model's.
        await until(
            lambda: (
                _listens(told.spec.admin_socket)
                and served.stat("listener_manager.total_listeners_active") == 2 + len(model.listeners)
                and served.stat("listener_manager.workers_started") == 1  # before, nobody accepts
            )
        )
        yield served


async def until(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(happened):
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        await asyncio.sleep(0.01)
