"""The announcement of one HTTPS server, at whatever port.

Clients know a gateway by its address, whatever its Pods are called: what is promised belongs to the gateway as
they know it, the server, and the port that they dial. All values; time is handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta

from mizzen.http3.announcement import Phase, State, promise
from mizzen.http3.evidence import NOTHING_KNOWN, Evidence
from mizzen.http3.life import GRACE, kept, promised_at_most, step, withdrawn
from mizzen.http3.replicas import FAILURE_AGAIN, failing_at
from mizzen.http3.replicas import merged as merged_states
from mizzen.lazy import dataclass
from mizzen.model.listener import Announcement

# Port, phase, until when a client may remember it, for how long it is told to, listener, who says that it fails.
Stored = tuple[int, Phase, datetime | None, timedelta, str, tuple[tuple[str, datetime], ...]]


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
        states = _remembered(self.states, port, now)
        if first is not None and port is not None:
            states[port] = _begin(first, self.states.get(port, State()), now)
        found = Server(port=port, states=states)
        return self if found == self else found

    def step(self, evidence: Evidence, now: datetime, replica: str = "") -> "Server":
        """The same after a look at its mirror. `replica`: who has looked."""
        if self.port is None:
            return self.follow((), now) if self.states else self
        before = self.states[self.port]
        failing = failing_at(before.failing, evidence, replica, now)
        elsewhere = next((name for name in sorted(failing) if name != replica), "")
        if elsewhere and evidence.proven is not False:
            detail = f"it fails at a gateway of the replica {elsewhere}"
            evidence = Evidence(acked=evidence.acked, proven=False, detail=detail)
        state = step(before, evidence, wanted=True, now=now)
        if failing != state.failing:
            state = replace(state, failing=failing)
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
            if (state.promised_until is not None and now < state.promised_until)
            or any(now < until for until in state.failing.values())
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
        return self._state.pending is not None

    @property
    def value(self) -> str | None:
        """What its answers say: the value of alt-svc, None for no header."""
        if self.port is not None and self._state.phase is Phase.ANNOUNCED:
            return promise(self.port, self._state)
        return "clear" if any(one.phase is Phase.WITHDRAWN for one in self.states.values()) else None

    @property
    def _state(self) -> State:
        """That of the port that is wanted."""
        return self.states.get(self.port, State()) if self.port is not None else State()

    @property
    def promised_until(self) -> datetime | None:
        """When the last client has forgotten the last promise, of whatever port; None: there is none."""
        known = (state.promised_until for state in self.states.values())
        return max((at for at in known if at is not None), default=None)

    @property
    def phase(self) -> Phase:
        """What its answers say, as a word."""
        value = self.value
        return Phase.WITHHELD if value is None else Phase.WITHDRAWN if value == "clear" else Phase.ANNOUNCED

    @property
    def lists_dns(self) -> bool:
        """May DNS say now that it speaks HTTP/3?"""
        return self.phase is Phase.ANNOUNCED

    @property
    def evidence(self) -> Evidence:
        """What is known of its mirror."""
        return self._state.evidence

    @property
    def is_unsettled(self) -> bool:
        """Does Envoy hold a mirror whose first proof has not ended? Nobody waits for what cannot be written down."""
        evidence = self.evidence
        return (
            self.port is not None
            and evidence.acked
            and evidence.proven is None
            and self._state.phase is not Phase.ANNOUNCED
        )

    @property
    def reason(self) -> str:
        """Why its mirror is not announced, in one sentence; "" when it is."""
        if self.phase is Phase.ANNOUNCED:
            return ""
        evidence = self.evidence
        if evidence.proven is False:
            return evidence.detail or "a request over HTTP/3 through the mirror failed"
        if not evidence.acked:
            return "Envoy has not confirmed the mirror's listener and certificate"
        if evidence.proven:
            return "what it promises is not written down yet"
        return "the mirror is being tried"

    def next(self, replica: str = "") -> datetime | None:
        """When time alone may change something."""
        times = [
            state.promised_until
            for port, state in self.states.items()
            if port != self.port or state.phase is Phase.WITHDRAWN
        ]
        state = self._state
        if state.phase is Phase.ANNOUNCED:
            if state.promised_until is not None:
                times.append(state.promised_until - state.max_age + timedelta(microseconds=1))
            if state.unconfirmed_since is not None:
                times.append(state.unconfirmed_since + GRACE + timedelta(microseconds=1))
        for name, until in state.failing.items():
            times.append(until - FAILURE_AGAIN if name == replica else until)
        return min((one for one in times if one is not None), default=None)

    def stored(self) -> tuple[Stored, ...]:
        """What is written down of it. What is about to be promised is written as promised."""
        return tuple(
            (
                port,
                Phase.ANNOUNCED if state.pending else state.phase,
                promised_at_most(state),
                state.max_age,
                state.listener,
                tuple(sorted(state.failing.items())),
            )
            for port, state in sorted(self.states.items())
            if state.pending or state.promised_until or state.failing
        )

    def merged(self, other: "Server", now: datetime, replica: str = "") -> "Server":
        """With what is written of the same server by other replicas: the one rule for both homes.

        A promise lasts as long as the longest that anybody has given. At whose gateways it fails each says of itself:
        of `replica` that is what it says here, of the others what is written.
        What is announced is judged by each from what it sees; whoever has seen nothing yet takes over what was said.
        """
        states = dict(self.states)
        for port, theirs in other.states.items():
            mine = states.get(port)
            merged = merged_states(mine, theirs, replica, now)
            if mine is not None or merged.promised_until is not None or merged.failing:
                states[port] = merged
        return self if states == self.states else replace(self, states=states)


def _remembered(states: Mapping[int, State], but: int | None, now: datetime) -> dict[int, State]:
    """What clients may still know of other ports."""
    gone = {number: withdrawn(state, now) for number, state in states.items() if number != but}
    return {number: state for number, state in gone.items() if state.phase is Phase.WITHDRAWN}


def _begin(announcement: Announcement, state: State, now: datetime) -> State:
    """The state under which an announcement goes on: what was proven of another listener proves nothing."""
    if state.listener != announcement.listener and state.phase is Phase.ANNOUNCED:
        state = replace(withdrawn(state, now), evidence=NOTHING_KNOWN)
    if (state.listener, state.max_age) == (announcement.listener, announcement.max_age):
        return state
    return replace(state, listener=announcement.listener, max_age=announcement.max_age)
