"""`mizzen up` as users start it, its processes told apart, and what each has used."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import measure
from mizzen.probe.client import Session
from mizzen.proxy.admin import Admin
from tests.harness import gateway
from tests.harness.clients import asked

READY_SECONDS = 600.0
# What Envoy has received from the control plane, framing and all.
_RECEIVED = "cluster.xds-grpc.upstream_cx_rx_bytes_total"


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU of the processes of one instance."""

    control_plane: float
    supervisor: float
    envoy: float

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(
            self.control_plane - other.control_plane,
            self.supervisor - other.supervisor,
            self.envoy - other.envoy,
        )

    def scaled(self, factor: float) -> "Cpu":
        return Cpu(self.control_plane * factor, self.supervisor * factor, self.envoy * factor)

    @property
    def total(self) -> float:
        return self.control_plane + self.supervisor + self.envoy


@dataclass(frozen=True, slots=True)
class Processes:
    """The process ids of one instance with one gateway."""

    up: gateway.Up
    control_plane: int
    envoy: int

    @property
    def supervisor(self) -> int:
        return self.up.process.pid

    def cpu(self) -> Cpu:
        """Used since each started."""
        return Cpu(*(measure.cpu_seconds(pid) for pid in (self.control_plane, self.supervisor, self.envoy)))

    def idle(self, seconds: float = 3.0) -> Cpu:
        """Used in each second while nothing happens."""
        before, begin = self.cpu(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu() - before).scaled(1 / (time.monotonic() - begin))

    def stats(self, pattern: str) -> dict[str, int]:
        """Envoy's counters and gauges whose name matches."""
        (key,) = self.up.status()["gateways"]
        admin = Admin(self.up.instance.admin_socket(key), seconds=60.0)
        return dict(asyncio.run(admin.stats(pattern)))

    def received(self) -> int:
        """Bytes that Envoy got from the control plane so far."""
        return self.stats(f"^{_RECEIVED}$").get(_RECEIVED, 0)


def processes(up: gateway.Up) -> Processes:
    """Those of a running instance. SystemExit when one is missing."""
    control_plane = envoy = 0
    for pid in measure.children(up.process.pid):
        words = measure.command(pid)
        if "_control-plane" in words:
            control_plane = pid
        elif words and words[0].endswith("envoy"):
            envoy = pid
    if not control_plane or not envoy:
        raise SystemExit(f"bench: the processes of the instance are not found\n{up.read()}\n{up.logs()}")
    return Processes(up, control_plane, envoy)


@contextlib.contextmanager
def starting(folder: Path, *options: str) -> Iterator[gateway.Up]:
    """`mizzen up` on a folder, started and not waited for, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="mz-") as run_dir:
        up = gateway.Up(folder, Path(run_dir), *options)
        try:
            yield up
        finally:
            up.stop()


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[Processes]:
    """The same, once it says that it is ready."""
    with starting(folder, *options) as up:
        up.wait_ready(READY_SECONDS)
        yield processes(up)


class Client:
    """Asks the gateway for hosts, over one connection for each."""

    def __init__(self, ca_pem: str, port: int = 8443) -> None:
        self._ca_pem, self._port = ca_pem, port
        self._session = Session()

    def answer(self, host: str, path: str = "/") -> str:
        """Which version answers (x-version, or else the body); "" when nobody does, or not with 200."""
        request = asked("h2", f"https://{host}:{self._port}{path}", ca_pem=self._ca_pem)
        answer = self._session.fetch(request)
        if answer.status != 200:
            return ""
        return answer.header("x-version") or answer.text

    def until(self, host: str, version: str, path: str = "/", seconds: float = 120.0) -> float:
        """Seconds until `version` answers. It is asked for every millisecond, so as not to be in the way."""
        begin = time.monotonic()
        while self.answer(host, path) != version:
            if time.monotonic() - begin > seconds:
                raise SystemExit(f"bench: {host}{path} does not get to version {version}")
            time.sleep(0.001)
        return time.monotonic() - begin

    def close(self) -> None:
        self._session.close()
