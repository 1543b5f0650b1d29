"""When Envoy's counters are looked at, and what came between two looks. Pure.

Servers whose announcement may go back are looked at, each in an interval of its own; those that are due together are looked
at together, with one request to each Envoy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta

from mizzen.http3.health import UNSEEN, Counters, Verdict, judge, total
from mizzen.lazy import dataclass
from mizzen.model.announcement import StepBack
from mizzen.plane.agenda import Agenda
from mizzen.plane.statistics import Meters, Readings

Key = tuple[str, str]  # the gateway as clients know it, the name of the announcement


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Effect: read what these Envoys have counted, and tell `State.on_counted`."""

    servers: tuple[Key, ...]
    # What an Envoy calls itself -> its address, and what is to be read there.
    envoys: Mapping[str, tuple[str, frozenset[Meters]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Effect: read how much CPU these Envoys use, and tell `State.on_loaded`."""

    envoys: Mapping[str, str]  # what an Envoy calls itself -> its address


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Of one server, at the last look at each Envoy."""

    at: Mapping[str, Counters] = field(default_factory=dict)

    def after(
        self, now: Mapping[str, Counters], envoys: Iterable[str], wanted: StepBack
    ) -> tuple["Counted", Verdict]:
        """One interval later. Of an Envoy that is looked at for the first time nothing is known yet; one of `envoys` that does
        not answer is judged when it does."""
        came = [counters.since(self.at[name]) for name, counters in now.items() if name in self.at]
        verdict = judge(total(came), wanted) if came else UNSEEN
        silent = {name: self.at[name] for name in envoys if name in self.at}
        return Counted(at={**silent, **now}), verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches:
    """All servers that are looked at."""

    counted: Mapping[Key, Counted] = field(default_factory=dict)
    due: Agenda[Key] = field(default_factory=Agenda)
    running: Watch | None = None

    def want(self, wanted: Mapping[Key, timedelta | None], now: datetime) -> "Watches":
        """The intervals of some servers; None: it is not looked at."""
        new = {
            key: now for key, interval in wanted.items() if interval is not None and key not in self.counted
        }
        gone = {key for key, interval in wanted.items() if interval is None and key in self.counted}
        if not new and not gone:
            return self
        counted = {key: one for key, one in self.counted.items() if key not in gone}
        times: dict[Key, datetime | None] = {**new, **dict.fromkeys(gone, None)}
        return replace(
            self, counted={**counted, **dict.fromkeys(new, Counted())}, due=self.due.with_times(times)
        )

    def begin(self, watch: Watch) -> "Watches":
        """A look has begun."""
        return replace(self, running=watch)

    def end(
        self,
        found: Mapping[str, Readings],
        wanted: Mapping[Key, tuple[StepBack, Meters, tuple[str, ...]]],
        now: datetime,
    ) -> tuple["Watches", Mapping[Key, Verdict]]:
        """A look has ended. `found`: by Envoy, of those that answered; `wanted`: how a server is judged, where it is counted,
        and its Envoys."""
        asked = self.running.servers if self.running is not None else ()
        counted, verdicts, times = dict(self.counted), {}, dict[Key, datetime | None]()
        for key in asked:
            if key not in counted or key not in wanted:
                counted.pop(key, None)
                times[key] = None
                continue
            step_back, meters, envoys = wanted[key]
            here = {name: found[name][meters] for name in envoys if meters in found.get(name, {})}
            counted[key], verdicts[key] = counted[key].after(here, envoys, step_back)
            times[key] = now + step_back.interval
        ended = replace(self, counted=counted, due=self.due.with_times(times), running=None)
        return ended, verdicts

    @property
    def next(self) -> datetime | None:
        """When a look is to begin; None while one runs."""
        return self.due.next if self.running is None else None
