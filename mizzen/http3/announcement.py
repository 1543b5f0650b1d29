"""The life of an announcement: when an HTTPS server's answers say `alt-svc: h3=...`, `clear`, or nothing.

A promise of HTTP/3 is remembered by clients for `max_age` (RFC 7838, section 3.1), and one that does not
hold costs each of them seconds. So it is given only once Envoy has confirmed listener and certificate and
a real request over HTTP/3 has succeeded, and one that no longer holds is taken back with `clear`
(section 3) until the last client that heard it has forgotten it.

Clients know a gateway by its address, whatever its Pods are called: what is promised belongs to the gateway as
they know it, the server, and the port that they dial. All values; time is handed in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from mizzen.lazy import dataclass
from mizzen.model.listener import Announcement

# An announced mirror whose listener Envoy no longer confirms (it restarts, or is being told of a change)
# is believed in for so long.
GRACE = timedelta(seconds=60)
# A promise is noted down as lasting a little longer, and to the full hour, so that not every look at it changes it and
# all that are renewed are renewed together.
SLACK = timedelta(hours=1)
# How long a replica of the control plane is believed that a mirror fails at a gateway of its own, and when it says so
# again.
FAILURE_LASTS, FAILURE_AGAIN = timedelta(seconds=120), timedelta(seconds=60)
MAX_AGE = timedelta(days=1)
NO_PORT = 0  # under which a promise is kept of which the port is not known


class Phase(Enum):
    """What answers say."""

    WITHHELD = "withheld"  # nothing: never proven, or long forgotten
    ANNOUNCED = "announced"  # h3
    WITHDRAWN = "withdrawn"  # clear: some client may still remember a promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one mirror.

    `acked`: Envoy holds the QUIC listener and its certificate. `proven`: whether a request over HTTP/3
    succeeded; None when none has ended yet. `detail`: why it did not.
    """

    acked: bool
    proven: bool | None
    detail: str = ""


NOTHING_KNOWN = Evidence(acked=False, proven=None)


def together(found: Iterable[Evidence]) -> Evidence:
    """What is known of the mirrors of several Envoys that answer under one address.

    One that fails counts for all, since clients cannot choose. One that has just come waits for its own proof
    while another's holds.
    """
    return max(found, key=_rank, default=NOTHING_KNOWN)


def _rank(evidence: Evidence) -> int:
    return 3 if evidence.proven is False else 2 if evidence.proven else 1 if evidence.acked else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where the announcement of one server at one port stands."""

    phase: Phase = Phase.WITHHELD
    promised_until: datetime | None = None  # when the last client has forgotten
    max_age: timedelta = MAX_AGE  # for how long clients are told to remember it
    unconfirmed_since: datetime | None = None  # while announced
    listener: str = ""  # what the phase is about: another listener begins anew
    evidence: Evidence = NOTHING_KNOWN
    failing: Mapping[str, datetime] = field(
        default_factory=dict
    )  # replica -> until when it says that it fails
    # Proven, but not written down yet: a promise that could be forgotten is not given.
    pending: datetime | None = None  # until when it will be promised


def step(state: State, evidence: Evidence, *, wanted: bool, now: datetime) -> State:
    """The next state. `wanted`: the server has a mirror to announce. Nothing changes while nothing is new."""
    if state.evidence != evidence:
        state = replace(state, evidence=evidence)
    if not wanted:
        return _withdrawn(state, now)
    if evidence.acked and evidence.proven:
        return _announced(state, now)
    if state.phase is not Phase.ANNOUNCED or evidence.proven is False:
        return _withdrawn(state, now)
    if evidence.acked:  # it is being proven anew, with another certificate for instance
        return _confirmed(_promised(state, now))
    since = state.unconfirmed_since or now
    if now - since > GRACE:
        return _withdrawn(state, now)
    state = _promised(state, now)
    return state if state.unconfirmed_since == since else replace(state, unconfirmed_since=since)


def header_value(announcement: Announcement, state: State) -> str | None:
    """The value of alt-svc, or None for no such header: `h3=":443"; ma=86400`, `clear`."""
    if state.phase is Phase.WITHDRAWN:
        return "clear"
    if state.phase is Phase.WITHHELD or announcement.port is None:
        return None
    return _promise(announcement.port, state)


def _promise(port: int, state: State) -> str:
    return f'h3=":{port}"; ma={int(state.max_age.total_seconds())}'


def kept(state: State) -> State:
    """The same, when what it is about to promise has been written down."""
    if state.pending is None:
        return state
    return replace(state, phase=Phase.ANNOUNCED, promised_until=_until(state), pending=None)


def _until(state: State) -> datetime | None:
    """Until when a client may remember it, once what is pending is promised."""
    return max((one for one in (state.promised_until, state.pending) if one is not None), default=None)


def _announced(state: State, now: datetime) -> State:
    if state.phase is Phase.ANNOUNCED:
        return _confirmed(_promised(state, now))
    if state.phase is Phase.WITHDRAWN:
        state = replace(_withdrawn(state, now), pending=state.pending)
    promised = _promised(replace(state, promised_until=state.pending), now).promised_until
    return state if promised == state.pending else replace(state, pending=promised)


def _confirmed(state: State) -> State:
    return state if state.unconfirmed_since is None else replace(state, unconfirmed_since=None)


def _promised(state: State, now: datetime) -> State:
    until = now + state.max_age
    if state.promised_until is not None and state.promised_until >= until:
        return state
    return replace(state, promised_until=_full_hour(until) + SLACK)


def _full_hour(at: datetime) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour if hour == at else hour + timedelta(hours=1)


def _withdrawn(state: State, now: datetime) -> State:
    remembered = state.promised_until is not None and now < state.promised_until
    phase = Phase.WITHDRAWN if remembered else Phase.WITHHELD
    until = state.promised_until if remembered else None
    if (state.phase, state.promised_until, state.unconfirmed_since, state.pending) == (
        phase,
        until,
        None,
        None,
    ):
        return state
    return replace(state, phase=phase, promised_until=until, unconfirmed_since=None, pending=None)


# Port, phase, until when a client may remember it, for how long it is told to, listener, who says that it fails.
Stored = tuple[int, Phase, datetime | None, timedelta, str, tuple[tuple[str, datetime], ...]]

# --- one server, at whatever port -------------------------------------------------------------------


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
        failing = _failing(before.failing, evidence, replica, now)
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
            return _promise(self.port, self._state)
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
                _until(state),
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
            merged = _merged(mine, theirs, replica, now)
            if mine is not None or merged.promised_until is not None or merged.failing:
                states[port] = merged
        return self if states == self.states else replace(self, states=states)


def _remembered(states: Mapping[int, State], but: int | None, now: datetime) -> dict[int, State]:
    """What clients may still know of other ports."""
    gone = {number: _withdrawn(state, now) for number, state in states.items() if number != but}
    return {number: state for number, state in gone.items() if state.phase is Phase.WITHDRAWN}


def _failing(
    known: Mapping[str, datetime], evidence: Evidence, replica: str, now: datetime
) -> Mapping[str, datetime]:
    """Which replicas say that it fails. One that is alone writes no such thing down."""
    found = {name: until for name, until in known.items() if name != replica and now < until}
    if replica and evidence.proven is False:
        until = known.get(replica)
        is_fresh = until is not None and now < until - FAILURE_AGAIN
        found[replica] = until if until is not None and is_fresh else now + FAILURE_LASTS
    return known if found == known else found


def _merged(mine: State | None, theirs: State, replica: str, now: datetime) -> State:
    own = mine or replace(theirs, evidence=NOTHING_KNOWN, failing={})
    failing = {name: until for name, until in theirs.failing.items() if name != replica and now < until}
    if replica in own.failing:
        failing[replica] = own.failing[replica]
    promised = [one for one in (own.promised_until, theirs.promised_until) if one is not None and now < one]
    until = max(promised, default=None)
    if (until, failing) == (own.promised_until, own.failing):
        return own
    phase = Phase.WITHDRAWN if own.phase is Phase.WITHHELD and until is not None else own.phase
    return replace(own, phase=phase, promised_until=until, failing=failing)


def _begin(announcement: Announcement, state: State, now: datetime) -> State:
    """The state under which an announcement goes on: what was proven of another listener proves nothing."""
    if state.listener != announcement.listener and state.phase is Phase.ANNOUNCED:
        state = replace(_withdrawn(state, now), evidence=NOTHING_KNOWN)
    if (state.listener, state.max_age) == (announcement.listener, announcement.max_age):
        return state
    return replace(state, listener=announcement.listener, max_age=announcement.max_age)


# --- as it is written down --------------------------------------------------------------------------


def to_json(server: Server) -> dict[str, Any]:
    """What a later control plane must know of it, as JSON values."""
    return {
        str(port): {
            "phase": phase.value,
            "promisedUntil": _text(until),
            "maxAge": int(max_age.total_seconds()),
            "listener": listener,
            **({"failing": {name: _text(at) for name, at in failing}} if failing else {}),
        }
        for port, phase, until, max_age, listener, failing in server.stored()
    }


def from_json(stored: Mapping[str, Any]) -> Server:
    """Take up where `to_json` left off; `Server.follow` then says what is wanted.

    Also what was written before promises were told apart by their ports: one state, with its port in it.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if `stored` is not what to_json made.
    """
    if "phase" in stored:
        port = stored["port"]
        if port is not None and type(port) is not int:
            raise ValueError(f"a port is a number, not {port!r}")
        return Server(states={port or NO_PORT: _from_json(stored)})
    return Server(states={int(port): _from_json(one) for port, one in stored.items()})


def _from_json(stored: Mapping[str, Any]) -> State:
    age = stored.get("maxAge", int(MAX_AGE.total_seconds()))
    if type(age) is not int:
        raise ValueError(f"an age is a number of seconds, not {age!r}")
    until = stored["promisedUntil"]
    return State(
        phase=Phase(stored["phase"]),
        promised_until=_time(until) if until is not None else None,
        max_age=timedelta(seconds=age),
        listener=str(stored["listener"]),
        failing={str(name): _time(at) for name, at in stored.get("failing", {}).items()},
    )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
