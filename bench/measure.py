"""What a process has used, and how figures are shown. Everything is read from /proc."""

import contextlib
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads, also of those that have ended (proc(5): fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cpu_nanoseconds(pid: int) -> int:
    """The time on a CPU of the threads that run now, to the nanosecond where `cpu_seconds` knows ticks of 10 ms.

    Differences are right as long as no thread ends in between (the first field of schedstat, kernel docs sched-stats).
    """
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


def memory(pid: int, what: str = "VmRSS") -> float:
    """Resident memory in MB; `what` may be "VmHWM", the most it ever was."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children(pid: int) -> list[int]:
    """Processes that any thread of `pid` has started and that have not ended."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            found += map(int, thread.read_text().split())
    return found


def command(pid: int) -> list[str]:
    """Its command line; [] when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that is not below `share` (0 to 1) of all."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def machine() -> str:
    """When and where, and what else is going on: the three load averages of uptime(1)."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} CPUs ({model}), "
        f"Python {platform.python_version()}, load {load}"
    )


def headline(text: str) -> None:
    print(f"\n{text}\n  [{machine()}]", flush=True)


def row(*cells: object, widths: Sequence[int] = ()) -> None:
    """One line of a table: the first column to the left, the others to the right."""
    shown = [cell if isinstance(cell, str) else f"{cell:,.1f}" for cell in cells]
    wide = [*widths, *[12] * (len(shown) - len(widths))]
    first = f"{shown[0]:<{wide[0]}}"
    print(
        first + "".join(f"{cell:>{width}}" for cell, width in zip(shown[1:], wide[1:], strict=True)),
        flush=True,
    )
