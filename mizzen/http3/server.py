"""The announcement of one HTTPS server, at whatever port.

Clients know a gateway by its address, whatever its Pods are called: what is promised belongs to the gateway as
they know it, the server, and the port that they dial. All values; time is handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta

from mizzen.http3.announcement import Phase, State, Word, promise
from mizzen.http3.evidence import NOTHING_KNOWN, Evidence
from mizzen.http3.health import Health, Verdict
from mizzen.http3.life import (
    FAILED,
    NOT_WANTED,
    UNCONFIRMED,
    kept,
    leave,
    lingers,
    next_at,
    step,
    withdrawn,
)
from mizzen.http3.replicas import FAILURE_AGAIN, fails_at, words_of
from mizzen.http3.replicas import merged as merged_states
from mizzen.http3.stages import judged, next_stage_at, with_rollout
from mizzen.lazy import dataclass
from mizzen.model.announcement import Announcement, Rollout

# What is written down of it, by port.
Stored = tuple[tuple[int, State], ...]
_NOBODY = State()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One HTTPS server of a gateway as clients know it: what was promised of each port, and what is said now."""

    port: int | None = None  # that is announced when its mirror is proven; None: there is no mirror
    states: Mapping[int, State] = field(
        default_factory=dict
    )  # by the port that clients dial; also of ports of old

    def follow(self, wanted: Sequence[Announcement], now: datetime) -> "Server":
        """The same, as its announcements say: one of each kind of Pods that the gateway has, () when it is gone.

        Where they do not agree on a port nothing is announced: clients cannot choose to which Pod they come.
        """
        first = wanted[0] if wanted else None
        agree = first is not None and all(one.port == first.port for one in wanted)
        port = first.port if first is not None and agree else None
        why = next((one.why for one in wanted if one.why), NOT_WANTED)
        is_served = any(one.listener for one in wanted)
        states = _remembered(self.states, port, now, why, is_served=is_served)
        if first is not None and port is not None:
            states[port] = _begin(first, self.states.get(port, _NOBODY), now)
        found = Server(port=port, states=states)
        return self if found == self else found

    def step(self, evidence: Evidence, now: datetime, replica: str = "") -> "Server":
        """The same after a look at its mirror. `replica`: who has looked."""
        if self.port is None:
            left = _remembered(self.states, None, now)
            return self if left == self.states else replace(self, states=left)
        before = self.states[self.port]
        words = words_of(before, evidence, replica, now)
        elsewhere = fails_at(words, replica)
        if elsewhere and evidence.proven is not False:
            detail = f"it fails at a gateway of the replica {elsewhere}"
            evidence = replace(evidence, proven=False, detail=detail)
        state = before if words is before.words else replace(before, words=words)
        return self._with(step(state, evidence, wanted=True, now=now, replica=replica), now)

    def judged(self, verdict: Verdict, now: datetime, replica: str = "") -> "Server":
        """The same after an interval of Envoy's counters."""
        if self.port is None:
            return self
        before = self.states[self.port]
        state = judged(before, verdict, now)
        if state is before:
            return self
        return self._with(step(state, state.evidence, wanted=True, now=now, replica=replica), now)

    def _with(self, state: State, now: datetime) -> "Server":
        assert self.port is not None
        states = {**_remembered(self.states, self.port, now), self.port: state}
        is_same = len(states) == len(self.states) and all(
            states[port] is one for port, one in self.states.items()
        )
        return self if is_same else replace(self, states=states)

    def expired(self, now: datetime) -> "Server":
        """The same of a server that nobody here has: what has ended is forgotten, all else is left as it was said."""
        states = {
            port: state
            for port, state in self.states.items()
            if lingers(state, now) or any(now < until for until in state.words.values())
        }
        return self if len(states) == len(self.states) else replace(self, states=states)

    def kept(self) -> "Server":
        """The same, when what it is about to promise has been written down."""
        if not self.is_pending:
            return self
        return replace(self, states={port: kept(state) for port, state in self.states.items()})

    @property
    def is_pending(self) -> bool:
        """Does it wait for its promise to be written down?"""
        return self.state.pending is not None

    @property
    def value(self) -> str | None:
        """What its answers say: the value of alt-svc, None for no header."""
        if self.port is not None and self.state.phase is Phase.ANNOUNCED:
            return promise(self.port, self.state.max_age)
        return "clear" if any(one.phase is Phase.WITHDRAWN for one in self.states.values()) else None

    @property
    def state(self) -> State:
        """That of the port that is wanted."""
        return self.states.get(self.port, _NOBODY) if self.port is not None else _NOBODY

    @property
    def shown(self) -> State:
        """That of the port that is wanted; without one, of the port that clients remember longest."""
        if self.port is not None or not self.states:
            return self.state
        return max(
            self.states.values(), key=lambda one: one.promised_until.timestamp() if one.promised_until else 0
        )

    @property
    def promised_until(self) -> datetime | None:
        """When the last client has forgotten the last promise, of whatever port; None: there is none."""
        known = (state.promised_until for state in self.states.values())
        return max((at for at in known if at is not None), default=None)

    @property
    def phase(self) -> Phase:
        """What its answers say, as a word."""
        match self.value:
            case None:
                return Phase.LEAVING if self.shown.phase is Phase.LEAVING else Phase.WITHHELD
            case "clear":
                return Phase.WITHDRAWN
            case _:
                return Phase.ANNOUNCED

    @property
    def lists_dns(self) -> bool:
        """May DNS say now that it speaks HTTP/3? A planned withdrawal begins there."""
        return self.phase is Phase.ANNOUNCED

    @property
    def evidence(self) -> Evidence:
        """What is known of its mirror."""
        return self.state.evidence

    @property
    def is_unsettled(self) -> bool:
        """Does Envoy hold a mirror whose first proof has not ended? Nobody waits for what cannot be written down."""
        evidence = self.evidence
        return (
            self.port is not None
            and evidence.acked
            and evidence.proven is None
            and self.state.phase is not Phase.ANNOUNCED
        )

    @property
    def reason(self) -> str:
        """Why its mirror is not announced, or why not for longer, in one sentence; "" when it is."""
        state, evidence = self.state, self.evidence
        if self.phase is Phase.ANNOUNCED:
            return state.health.reason if state.health.bad else ""
        if evidence.proven is False:
            return evidence.detail or FAILED
        if state.paused_until is not None:
            return f"{state.health.reason}; it is tried again at {state.paused_until:%H:%M:%S} UTC"
        if not evidence.acked:
            return UNCONFIRMED
        if not evidence.proven:
            return "the mirror is being tried"
        if not evidence.everywhere or any(word is Word.WAITS for word, _ in state.words):
            return "not every Envoy has confirmed the mirror yet"
        return "what it promises is not written down yet"

    def next_stage(self, now: datetime, replica: str = "") -> datetime | None:
        """When the next stage may begin; None: there is none, or something else must come first."""
        return next_stage_at(self.state, now, replica)

    def next(self, now: datetime, replica: str = "") -> datetime | None:
        """When time alone may change something."""
        times = [
            next_at(state, now, replica, wanted=port == self.port) for port, state in self.states.items()
        ]
        for (_, name), until in self.state.words.items():
            times.append(until - FAILURE_AGAIN if name == replica else until)
        return min((at for at in times if at is not None), default=None)

    def stored(self) -> Stored:
        """What is written down of it. What is about to be promised is written as promised."""
        return tuple(
            (port, _essential(state))
            for port, state in sorted(self.states.items())
            if state.pending or state.promised_until or state.words
        )

    def merged(self, other: "Server", now: datetime, replica: str = "") -> "Server":
        """With what is written of the same server by other replicas: the one rule for both homes.

        A promise lasts as long as the longest that anybody has given, and has come as far as whoever turned it last says.
        At whose gateways it fails each says of itself: of `replica` that is what it says here, of the others what is written.
        What is announced is judged by each from what it sees; whoever has seen nothing yet takes over what was said.
        """
        states = dict(self.states)
        for port, theirs in other.states.items():
            mine = states.get(port)
            merged = merged_states(mine, theirs, replica, now)
            if mine is not None or merged.promised_until is not None or merged.words:
                states[port] = merged
        return self if states == self.states else replace(self, states=states)


def _remembered(
    states: Mapping[int, State],
    but: int | None,
    now: datetime,
    why: str = NOT_WANTED,
    *,
    is_served: bool = True,
) -> dict[int, State]:
    """What clients may still know of other ports, and what lingers of them. `is_served`: it answers as long as it leaves; where
    it does not, nothing is planned."""
    end = leave if is_served else withdrawn
    gone = {number: end(state, now, why) for number, state in states.items() if number != but}
    return {
        number: state
        for number, state in gone.items()
        if state.phase is not Phase.WITHHELD or lingers(state, now)
    }


def _begin(announcement: Announcement, state: State, now: datetime) -> State:
    """The state under which an announcement goes on: what was proven of another listener proves nothing."""
    if state.listener != announcement.listener:
        if state.phase is Phase.ANNOUNCED:
            why = f"its listener is {announcement.listener} now, and was {state.listener}"
            state = replace(withdrawn(state, now, why), evidence=NOTHING_KNOWN, health=Health())
        state = replace(state, listener=announcement.listener)
    listed_for = announcement.listed_for or timedelta(0)
    rollout = announcement.rollout
    return with_rollout(state, replace(rollout, dns_ttl=listed_for) if listed_for else rollout)


def _essential(state: State) -> State:
    """What whoever follows must know of it."""
    state, rollout = kept(state), state.rollout
    return replace(
        state,
        unconfirmed_since=None,
        evidence=NOTHING_KNOWN,
        health=Health(reason=state.health.reason),
        rollout=Rollout(dns_ttl=rollout.dns_ttl, drain=rollout.drain),
    )
