"""When each HTTP/3 mirror is tried: at once when something about it is new, then again and again. Pure.

All trials together are bounded: so many at once, and when all is well so many in a second, however many servers there
are. When one fails that had not failed before, the others of its Envoy are tried at once.
"""

import bisect
import zlib
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta

from mizzen.http3.evidence import Evidence
from mizzen.lazy import dataclass
from mizzen.plane.mirror_proof import Subject
from mizzen.probe.mirror import Proof

MOST_AT_ONCE = 8
AGAIN_AFTER = timedelta(seconds=30)  # a proven mirror is proven anew
FIRST_RETRY = timedelta(milliseconds=100)
LAST_RETRY = timedelta(seconds=5)
# Up to so many mirrors each has these times to itself; of more they take turns, so that a second costs the same.
UNHURRIED = 10
_ALARM = timedelta(seconds=5)

Key = tuple[str, str]  # what the Envoy calls itself, name of the announcement
Due = tuple[datetime, Key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is known of one subject."""

    subject: Subject
    due: datetime
    proof: Proof | None = None
    failures: int = 0
    is_running: bool = False

    @property
    def evidence(self) -> Evidence:
        """Envoy has confirmed it; what came of the last request."""
        if self.proof is None:
            return Evidence(acked=True, proven=None)
        return Evidence(acked=True, proven=self.proof.ok, detail="" if self.proof.ok else self.proof.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prove:
    """Effect: make a request through this mirror, and tell `State.on_proof` what came of it."""

    key: Key
    subject: Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """One for each mirror that an Envoy has confirmed."""

    of_envoy: Mapping[str, Mapping[str, Trial]] = field(default_factory=dict)  # by name of the announcement
    agenda: tuple[Due, ...] = ()  # sorted; what is due at another time by now counts for nothing
    running: int = 0
    alarmed: Mapping[str, datetime] = field(
        default_factory=dict
    )  # Envoys, and when all their mirrors were hurried

    def want(self, envoy: str, subjects: Mapping[str, Subject], now: datetime) -> "Trials":
        """The mirrors that an Envoy has confirmed now. What is still the same stays as far as it came."""
        before = self.of_envoy.get(envoy, {})
        if before.keys() == subjects.keys() and all(
            before[name].subject == one for name, one in subjects.items()
        ):
            return self
        trials: dict[str, Trial] = {}
        new: list[Due] = []
        for name, subject in subjects.items():
            known = before.get(name)
            if known is None or known.subject != subject:
                known = Trial(subject=subject, due=now)
                new.append((now, (envoy, name)))
            trials[name] = known
        others = {name: one for name, one in self.of_envoy.items() if name != envoy}
        of_envoy = {**others, envoy: trials} if trials else others
        return replace(self, of_envoy=of_envoy, agenda=tuple(sorted((*self.agenda, *new))))

    def get(self, key: Key) -> Trial | None:
        """That of one mirror at one Envoy."""
        return self.of_envoy.get(key[0], {}).get(key[1])

    def begin(self, now: datetime) -> tuple["Trials", tuple[Prove, ...]]:
        """Start what is due, as far as there is room."""
        started: dict[Key, Trial] = {}
        taken = 0
        for due, key in self.agenda:
            if due > now or self.running + len(started) >= MOST_AT_ONCE:
                break
            taken += 1
            trial = self.get(key)
            if trial is not None and trial.due == due and not trial.is_running and key not in started:
                started[key] = replace(trial, is_running=True)
        if not taken:
            return self, ()
        effects = tuple(Prove(key=key, subject=trial.subject) for key, trial in started.items())
        following = replace(self, agenda=self.agenda[taken:], running=self.running + len(started))
        return following._with(started), effects

    def end(self, key: Key, subject: Subject, proof: Proof, now: datetime) -> "Trials":
        """A request has ended. One that was about something else by now counts for nothing."""
        room = replace(self, running=self.running - 1)
        trial = self.get(key)
        if trial is None or trial.subject != subject or not trial.is_running:
            return room
        failures = 0 if proof.ok else trial.failures + 1
        has_turned = not proof.ok and trial.proof is not None and trial.proof.ok
        due = now + self._wait(key, proof, failures)
        ended = replace(trial, proof=proof, failures=failures, is_running=False, due=due)
        agenda = list(room.agenda)
        bisect.insort(agenda, (due, key))
        following = replace(room, agenda=tuple(agenda))._with({key: ended})
        return following._hurried(key[0], now) if has_turned else following

    def _wait(self, key: Key, proof: Proof, failures: int) -> timedelta:
        crowd = max(1.0, sum(map(len, self.of_envoy.values())) / UNHURRIED)
        if proof.ok:
            # Those that were tried together shall not be tried together for ever.
            share = zlib.crc32("\0".join(key).encode()) / 2**32 if crowd > 1 else 1.0
            return AGAIN_AFTER * crowd * (0.5 + share / 2)
        return min(FIRST_RETRY * 2.0 ** min(failures - 1, 20), LAST_RETRY * crowd)

    def _hurried(self, envoy: str, now: datetime) -> "Trials":
        """What was proven is tried again: what ails one may ail all."""
        last = self.alarmed.get(envoy)
        if last is not None and now - last < _ALARM:
            return self
        waiting = {
            (envoy, name): replace(trial, due=now)
            for name, trial in self.of_envoy[envoy].items()
            if trial.proof is not None and trial.proof.ok and not trial.is_running and trial.due > now
        }
        agenda = tuple(sorted((*self.agenda, *((now, key) for key in waiting))))
        return replace(self, agenda=agenda, alarmed={**self.alarmed, envoy: now})._with(waiting)

    def _with(self, changed: Mapping[Key, Trial]) -> "Trials":
        if not changed:
            return self
        of_envoy = dict(self.of_envoy)
        copied: dict[str, dict[str, Trial]] = {}
        for (envoy, name), trial in changed.items():
            if envoy not in copied:
                copied[envoy] = dict(of_envoy[envoy])
            copied[envoy][name] = trial
        return replace(self, of_envoy={**of_envoy, **copied})

    @property
    def next(self) -> datetime | None:
        """When `begin` has something to do."""
        return self.agenda[0][0] if self.agenda and self.running < MOST_AT_ONCE else None

    def evidence(self, key: Key) -> Evidence | None:
        """What is known of that mirror at that Envoy; None while the Envoy has not confirmed it."""
        trial = self.get(key)
        return trial.evidence if trial else None
