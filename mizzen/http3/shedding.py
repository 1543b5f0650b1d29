"""Is HTTP/3 to be given up for want of CPU? Judged by what Envoys use, with hysteresis. Pure; time is handed in.

A step at a time: first answers say `clear`, so that nobody comes who asks anew; then new connections are refused at once, and
whoever is connected stays. Back the same way, when there has been room for a while.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import IntEnum

from mizzen.lazy import dataclass
from mizzen.model.shedding import Shedding

INTERVAL = timedelta(seconds=1)  # between two looks at the CPU


class Level(IntEnum):
    """How far it has come."""

    NONE = 0
    CLEAR = 1  # answers say `clear`
    REFUSE = 2  # and new connections over QUIC are refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Shed:
    """Of one gateway. `reason`: why it is at this level, in one sentence; "" at none."""

    level: Level = Level.NONE
    reason: str = ""
    over_since: datetime | None = None  # past the budget
    under_since: datetime | None = None  # where it may come back

    def judged(self, cpu: float | None, wanted: Shedding, now: datetime) -> "Shed":
        """After a look. `cpu`: percent; None where nobody could tell, from which nothing follows."""
        if cpu is None:
            return replace(self, over_since=None, under_since=None)
        over_since = (self.over_since or now) if cpu >= wanted.cpu_budget else None
        under_since = (self.under_since or now) if cpu < wanted.recover_at else None
        if over_since is not None and now - over_since >= wanted.after and self.level < Level.REFUSE:
            reason = (
                f"shed: CPU {cpu:.0f} % of a budget of {wanted.cpu_budget:.0f} % for {_text(wanted.after)}"
            )
            return Shed(level=Level(self.level + 1), reason=reason, over_since=now)
        if under_since is not None and now - under_since >= wanted.calm and self.level > Level.NONE:
            level = Level(self.level - 1)
            return Shed(level=level, reason=self.reason if level else "", under_since=now)
        if (over_since, under_since) == (self.over_since, self.under_since):
            return self
        return replace(self, over_since=over_since, under_since=under_since)


CALM = Shed()


def _text(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheds:
    """All gateways, as clients know them, that may shed."""

    of: Mapping[str, Shed] = field(default_factory=dict)
    due: datetime | None = None  # the next look; None: there is nothing to look at
    is_looking: bool = False

    def want(self, wanted: Mapping[str, Shedding], now: datetime) -> "Sheds":
        """Those that may shed by now; of others nothing is remembered."""
        if wanted.keys() == self.of.keys():
            return self
        of = {called: self.of.get(called, CALM) for called in wanted}
        return replace(self, of=of, due=(self.due or now) if of else None)

    def begin(self) -> "Sheds":
        """A look has begun."""
        return replace(self, is_looking=True)

    def end(self, cpu: Mapping[str, float], wanted: Mapping[str, Shedding], now: datetime) -> "Sheds":
        """A look has ended. `cpu`: by gateway."""
        of = {
            called: shed.judged(cpu.get(called), wanted[called], now) if called in wanted else CALM
            for called, shed in self.of.items()
        }
        return Sheds(of=of, due=now + INTERVAL if of else None)

    def shed(self, called: str) -> Shed:
        """Where a gateway stands."""
        return self.of.get(called, CALM)

    @property
    def refusing(self) -> frozenset[str]:
        """The gateways that refuse new connections over QUIC."""
        return frozenset(called for called, shed in self.of.items() if shed.level is Level.REFUSE)

    @property
    def next(self) -> datetime | None:
        """When a look is to begin; None while one runs."""
        return None if self.is_looking else self.due
