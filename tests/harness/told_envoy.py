"""A real Envoy that is told over delta ADS what it shall hold, by a test and no control plane."""

import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mizzen.http3.server_ids import environment as server_ids
from mizzen.proxy.binary import envoy_binary
from mizzen.proxy.bootstrap import DRAIN_SECONDS, ProxySpec, arguments, bootstrap
from mizzen.serve.ads import AdsServer


@dataclass(frozen=True, slots=True)
class Told:
    """A running Envoy and who tells it what it shall hold."""

    ads: AdsServer
    spec: ProxySpec
    log: Path
    process: subprocess.Popen[bytes]


@asynccontextmanager
async def told_envoy(
    *,
    concurrency: int = 1,
    environment: Mapping[str, str] | None = None,
    ports_from: int = 15000,
    drain_seconds: int = DRAIN_SECONDS,
) -> AsyncIterator[Told]:
    """It has been started, and is told nothing yet. `environment`: more variables of Envoy's; `ports_from`: its own ports are
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
            drain_seconds=drain_seconds,
        )
        (run / "bootstrap.json").write_bytes(bootstrap(spec))
        ads = AdsServer(socket_path=spec.ads_socket)
        await ads.start()
        try:
            with (run / "log").open("w") as log:
                process = subprocess.Popen(
                    [str(envoy_binary()), *arguments(spec, run / "bootstrap.json")],
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **server_ids("", "", spec.key), **(environment or {})},
                )
            try:
                yield Told(ads, spec, run / "log", process)
            finally:
                process.terminate()
                process.wait(10)
        finally:
            await ads.stop()
