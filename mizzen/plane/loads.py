"""Asks how much CPU Envoys use. What follows from it is decided in `state`."""

import asyncio
import re
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from mizzen.lazy import dataclass
from mizzen.node.instance import Instance
from mizzen.plane.counting import METRICS_PORT, fetch_metrics

# Of the resource monitor that a Pod's Envoy has (`proxy.bootstrap`): percent of what its container may use.
STATISTIC = "overload.envoy.resource_monitors.cpu_utilization.pressure"
_PRESSURE = re.compile(
    r"^envoy_overload_envoy_resource_monitors_cpu_utilization_pressure\{[^}]*\} ([0-9.]+)$", re.M
)
_TICKS_A_SECOND = 100  # USER_HZ of every Linux that there is (proc(5), sysconf(_SC_CLK_TCK))
_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Used:
    """What the workers of a process have used of the CPU, at one moment."""

    pid: int
    workers: int
    ticks: int
    at: float  # seconds, monotonic

    def percent(self, before: "Used | None") -> float | None:
        """Since then, of all that so many threads can use; None where that is not known yet."""
        if before is None or before.pid != self.pid or not self.workers or self.at <= before.at:
            return None
        seconds = (self.ticks - before.ticks) / _TICKS_A_SECOND
        return max(0.0, 100 * seconds / (self.workers * (self.at - before.at)))


@dataclass(slots=True, kw_only=True)
class Loads:
    """`instance`: of the machine on which the Envoys are too; None: they are at their addresses."""

    instance: Instance | None
    port: int = METRICS_PORT
    _used: dict[str, Used] = field(default_factory=dict)

    async def read(self, envoys: Mapping[str, str]) -> dict[str, float]:
        """Percent by what Envoys call themselves (-> their addresses); those of which it is not known are missing."""
        look = self._here if self.instance is not None else self._elsewhere
        found = await asyncio.gather(*(look(name, address) for name, address in envoys.items()))
        self._used = {name: one for name, one in self._used.items() if name in envoys}
        return {name: cpu for name, cpu in zip(envoys, found, strict=True) if cpu is not None}

    async def _here(self, name: str, _: str) -> float | None:
        assert self.instance is not None
        try:
            # In a thread: at a process that hangs, to connect may take a while.
            now = await asyncio.to_thread(_used_at, self.instance.admin_socket(name))
        except OSError:
            return None
        before, self._used[name] = self._used.get(name), now
        return now.percent(before)

    async def _elsewhere(self, _: str, address: str) -> float | None:
        try:
            target = f"/stats/prometheus?filter={STATISTIC}"
            status, body = await asyncio.wait_for(fetch_metrics(address, self.port, target), _SECONDS)
        except (OSError, ValueError):
            return None
        return pressure(body.decode(errors="replace")) if status == 200 else None


def pressure(text: str) -> float | None:
    """What Envoy's resource monitor says, in percent; None where there is none."""
    said = _PRESSURE.search(text)
    return float(said[1]) if said is not None else None


def listener_of(path: Path) -> int:
    """The process that answers at a Unix socket (SO_PEERCRED). OSError when none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(_SECONDS)
        asking.connect(str(path))
        pid, _, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(pid)


def _used_at(path: Path) -> Used:
    return used(listener_of(path))


def used(pid: int) -> Used:
    """What Envoy's worker threads (proc(5): "wrk:worker_0") have used until now. OSError when it is gone."""
    workers = ticks = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name, _, rest = (task / "stat").read_text().rpartition(")")
        except OSError:
            continue  # a thread that has ended
        if name.partition("(")[2].startswith("wrk:"):
            numbers = rest.split()
            workers, ticks = workers + 1, ticks + int(numbers[11]) + int(numbers[12])
    return Used(pid, workers, ticks, time.monotonic())
