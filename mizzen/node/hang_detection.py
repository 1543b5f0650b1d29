"""When a process that does not answer counts as hung. Pure: what was seen and the time are handed in.

Times are seconds of any clock that only goes forward. Only time in which we looked counts: a machine that slept,
or a supervisor that was stopped itself, finds everybody silent for hours, and nobody hung.
"""

from dataclasses import field
from enum import Enum

from mizzen.lazy import dataclass

NOTICE_SECONDS = 3.0  # of silence, before it is told
PATIENCE_SECONDS = 25.0  # of silence, before the process is killed
# Who computes may be at work for long (10,000 hosts, an Envoy whose workers serve): its silence counts less.
BUSY_SHARE = 0.1
LONGEST_STEP = 2.5  # an answer is waited for up to 2 s; a longer time between two looks was not ours


class Verdict(Enum):
    """What a look at a process means."""

    NOTHING_NEW = "nothing new"
    SILENT = "silent"  # since `NOTICE_SECONDS`: to be told, once
    HUNG = "hung"  # patience is at its end: to be killed
    BACK = "back"  # it was told of as silent, and answers again


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of a process."""

    answered: bool
    is_stopped: bool = False  # by SIGSTOP or its like: it cannot answer, however young it is
    is_busy: bool = False  # it has used the processor since the look before
    is_excused: bool = False  # a debugger holds it, or it has no descriptor left to answer with


@dataclass(slots=True, kw_only=True)
class Silence:
    """How long one process has been silent. One that has not answered since its start is not expected to."""

    patience: float = PATIENCE_SECONDS
    seconds: float = field(
        default=0.0, init=False
    )  # of the present silence, or of the one that has just ended
    _looked: float | None = field(default=None, init=False)
    _has_answered: bool = field(default=False, init=False)
    _is_told: bool = field(default=False, init=False)

    def on_start(self) -> None:
        """Another process has taken its place."""
        self.seconds, self._has_answered, self._is_told = 0.0, False, False

    def hear(self, look: Look, now: float) -> Verdict:
        """Judge one more look, taken at `now`."""
        step = 0.0 if self._looked is None else min(now - self._looked, LONGEST_STEP)
        self._looked = now
        if look.answered:
            return self._answered()
        if look.is_excused or not (self._has_answered or look.is_stopped):
            return Verdict.NOTHING_NEW
        self.seconds += step * (BUSY_SHARE if look.is_busy else 1.0)
        if not self._is_told:  # nobody is killed who was not told of at a look before
            self._is_told = self.seconds >= min(NOTICE_SECONDS, self.patience / 2)
            return Verdict.SILENT if self._is_told else Verdict.NOTHING_NEW
        return Verdict.HUNG if self.seconds >= self.patience else Verdict.NOTHING_NEW

    def _answered(self) -> Verdict:
        self._has_answered = True
        if self._is_told:
            self._is_told = False
            return Verdict.BACK
        self.seconds = 0.0
        return Verdict.NOTHING_NEW
