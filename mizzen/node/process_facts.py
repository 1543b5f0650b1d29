"""What the kernel tells of a running process."""

import os
import resource
from pathlib import Path

from mizzen.lazy import dataclass

_NEAR = 0.9  # share of its descriptors that a process has open, from which on it is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look at a process."""

    is_stopped: bool = False  # by SIGSTOP, SIGTSTP or a debugger
    is_traced: bool = False  # a debugger is attached
    ticks: int = 0  # of processor time that it has used so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """How many files and connections a process has open, and may have."""

    used: int
    limit: int

    @property
    def are_short(self) -> bool:
        """Will the next connections soon be refused?"""
        return self.used >= self.limit * _NEAR


def look(pid: int) -> Seen:
    """A process that has ended, or is not ours to see, is a process of which nothing is known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        tracer = _tracer(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return Seen()
    # proc(5): after the name come state (field 3), ..., utime (14) and stime (15)
    return Seen(is_stopped=fields[0] in "Tt", is_traced=tracer != 0, ticks=int(fields[11]) + int(fields[12]))


def _tracer(status: str) -> int:
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("TracerPid:")), 0)


def descriptors(pid: int) -> Descriptors | None:
    """None when that is not for us to know."""
    folder = f"/proc/{pid}/fd"
    try:
        limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]
        used = os.stat(folder).st_size or len(os.listdir(folder))  # the size is their number since Linux 6.2
    except OSError:
        return None
    return Descriptors(used=used, limit=limit) if limit != resource.RLIM_INFINITY else None
