"""A model that is translated and told to a real Envoy over delta ADS: no control plane, no YAML."""

import asyncio
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pycurl

from mizzen.envoy.config import envoy_config
from mizzen.model import Model
from mizzen.proxy.binary import envoy_binary
from mizzen.proxy.bootstrap import ProxySpec, arguments, bootstrap
from mizzen.serve.ads import AdsServer
from tests.harness.snapshots import held

ALT_SVC = 'h3=":8443"; ma=86400'


@dataclass(frozen=True, slots=True)
class Served:
    """A running Envoy and who tells it what it shall hold."""

    ads: AdsServer
    admin: Path
    pid: int  # of Envoy

    def publish(self, model: Model, alt_svc: str | None = ALT_SVC, *, less: str = "") -> None:
        """Tell Envoy; `less`: a type whose resources are not sent."""
        config = envoy_config(model, {one.name: alt_svc for one in model.announcements})
        told = held(config)
        self.ads.publish("edge.shop", told.without(less) if less else told)

    def stat(self, name: str) -> int:
        """A counter or gauge of Envoy's."""
        answer = _admin(self.admin, f"/stats?filter=^{name}$")
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
    """Until both listeners of `model` are open. `environment`: more variables of Envoy's; `ports_from`: its own ports are
    21 and 90 above."""
    with tempfile.TemporaryDirectory(prefix="mz-") as folder:
        run = Path(folder)
        spec = ProxySpec(
            name="edge",
            namespace="shop",
            ads_socket=run / "ads",
            sds_socket=run / "ads",
            admin_socket=run / "admin",
            health_socket=run / "health",
            concurrency=concurrency,
            status_port=ports_from + 21,
            prometheus_port=ports_from + 90,
        )
        (run / "bootstrap.json").write_bytes(bootstrap(spec))
        ads = AdsServer(socket_path=spec.ads_socket)
        await ads.start()
        with (run / "log").open("w") as log:
            envoy = subprocess.Popen(
                [str(envoy_binary()), *arguments(spec, run / "bootstrap.json")],
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        served = Served(ads, spec.admin_socket, envoy.pid)
        served.publish(model, less=less)
        try:
            # Two listeners of the bootstrap, and the model's.
            await until(
                lambda: (
                    _listens(spec.admin_socket)
                    and served.stat("listener_manager.total_listeners_active") == 2 + len(model.listeners)
                    and served.stat("listener_manager.workers_started") == 1  # before, nobody accepts
                )
            )
            yield served
        finally:
            envoy.terminate()
            envoy.wait(10)
            await ads.stop()


async def until(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(happened):
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        await asyncio.sleep(0.01)
