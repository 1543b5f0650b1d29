"""When a child that ended is started again, and when that is pointless. Pure: `now` is handed in.

Times are seconds of any clock that only goes forward.
"""

import signal
from dataclasses import field

from mizzen.lazy import dataclass

FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0
SETTLED_AFTER = 30.0  # who was up this long starts from the first delay again
PATIENCE = 3  # exits in a row of a child that never got up, before the whole start counts as failed


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again at `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It cannot start here; `problem` says how it ended."""

    problem: str


@dataclass(slots=True, kw_only=True)
class Restarts:
    """The back-off of one child: 100 ms, then twice as long each time, up to 10 s."""

    name: str
    patience: int | None = PATIENCE  # None: never give up
    # Exit statuses that mean the same every time (a wrong argument): no second try before it was ever up.
    final: frozenset[int] = frozenset()
    _started: float = field(default=0.0, init=False)
    _exits: int = field(default=0, init=False)
    _was_up: bool = field(default=False, init=False)

    def on_start(self, now: float) -> None:
        """The child has been started."""
        self._started = now

    def on_up(self) -> None:
        """The child does its work. From now on it is worth starting again, whatever happens."""
        self._was_up = True

    def on_exit(self, status: int, now: float) -> Restart | GiveUp:
        """The child ended with `status` (negative: killed by that signal)."""
        if now - self._started >= SETTLED_AFTER:
            self._exits = 0
        self._exits += 1
        if self.patience is not None and not self._was_up:
            hopeless = status in self.final or self._exits >= self.patience
            if hopeless:
                return GiveUp(f"{self.name} {ended(status)}")
        return Restart(now + min(FIRST_DELAY * 2 ** min(self._exits - 1, 16), LONGEST_DELAY))


def ended(status: int) -> str:
    """How a process ended, in words: "ended with status 1", "was killed by SIGKILL"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
