"""The life of an announcement: when an HTTPS server's answers say `alt-svc: h3=...`, `clear`, or nothing.

A promise of HTTP/3 is remembered by clients for `max_age` (RFC 7838, section 3.1), and one that does not
hold costs each of them seconds. So it is given only once Envoy has confirmed listener and certificate and
a real request over HTTP/3 has succeeded, and one that no longer holds is taken back with `clear`
(section 3) until the last client that heard it has forgotten it.

All values; time is handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from mizzen.model.listener import Announcement

# An announced mirror whose listener Envoy no longer confirms (it restarts, or is being told of a change)
# is believed in for so long.
GRACE = timedelta(seconds=60)
# A promise is noted down as lasting a little longer, so that not every look at it changes it.
SLACK = timedelta(hours=1)


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


def together(found: Sequence[Mapping[str, Evidence]]) -> Mapping[str, Evidence]:
    """What is known of the mirrors of several Envoys that answer under one address.

    One that fails counts for all, since clients cannot choose. One that has just come waits for its own proof
    while another's holds.
    """
    every = [evidence for one in found for evidence in one.items()]
    result: dict[str, Evidence] = {}
    for name, evidence in every:
        before = result.get(name)
        if before is None or _rank(evidence) > _rank(before):
            result[name] = evidence
    return result


def _rank(evidence: Evidence) -> int:
    return 3 if evidence.proven is False else 2 if evidence.proven else 1 if evidence.acked else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where one announcement stands."""

    phase: Phase = Phase.WITHHELD
    promised_until: datetime | None = None  # when the last client has forgotten
    unconfirmed_since: datetime | None = None  # while announced
    port: int | None = None  # what the phase is about: another port or listener begins anew
    listener: str = ""
    evidence: Evidence = NOTHING_KNOWN


def step(
    state: State,
    *,
    acked: bool,
    proven: bool | None,
    wanted: bool,
    now: datetime,
    detail: str = "",
    max_age: timedelta = timedelta(days=1),
) -> State:
    """The next state. `wanted`: the server has a mirror to announce. Nothing changes while nothing is new."""
    state = replace(state, evidence=Evidence(acked=acked, proven=proven, detail=detail))
    if not wanted:
        return _withdrawn(state, now)
    if acked and proven:
        return _announced(state, now, max_age)
    if state.phase is not Phase.ANNOUNCED or proven is False:
        return _withdrawn(state, now)
    if acked:  # it is being proven anew, with another certificate for instance
        return replace(_promised(state, now, max_age), unconfirmed_since=None)
    since = state.unconfirmed_since or now
    if now - since > GRACE:
        return _withdrawn(state, now)
    return replace(_promised(state, now, max_age), unconfirmed_since=since)


def header_value(announcement: Announcement, state: State) -> str | None:
    """The value of alt-svc, or None for no such header: `h3=":443"; ma=86400`, `clear`."""
    if state.phase is Phase.WITHDRAWN:
        return "clear"
    if state.phase is Phase.WITHHELD or announcement.port is None:
        return None
    return f'h3=":{announcement.port}"; ma={int(announcement.max_age.total_seconds())}'


def _announced(state: State, now: datetime, max_age: timedelta) -> State:
    return replace(
        _promised(state, now, max_age),
        phase=Phase.ANNOUNCED,
        unconfirmed_since=None,
    )


def _promised(state: State, now: datetime, max_age: timedelta) -> State:
    until = now + max_age
    if state.promised_until is not None and state.promised_until >= until:
        return state
    return replace(state, promised_until=until + SLACK)


def _withdrawn(state: State, now: datetime) -> State:
    remembered = state.promised_until is not None and now < state.promised_until
    return replace(
        state,
        phase=Phase.WITHDRAWN if remembered else Phase.WITHHELD,
        promised_until=state.promised_until if remembered else None,
        unconfirmed_since=None,
    )


@dataclass(frozen=True, slots=True)
class Announcements:
    """Every announcement of one gateway, and where each stands."""

    wanted: tuple[Announcement, ...] = ()
    states: Mapping[str, State] = field(default_factory=dict)  # by name; also of servers that are gone

    def follow(self, announcements: tuple[Announcement, ...], now: datetime) -> "Announcements":
        """The same with other servers. What was promised for one stays remembered while it is gone."""
        names = {announcement.name for announcement in announcements}
        states = {
            name: gone
            for name, state in self.states.items()
            if name not in names
            for gone in (_withdrawn(state, now),)
            if gone.phase is Phase.WITHDRAWN
        }
        for announcement in announcements:
            states[announcement.name] = _begin(announcement, self.states.get(announcement.name, State()), now)
        return Announcements(announcements, states)

    def step(self, found: Mapping[str, Evidence], now: datetime) -> "Announcements":
        """The same after a look at every mirror; a name that is not in `found` is one nothing is known of."""
        states = dict(self.states)
        for announcement in self.wanted:
            evidence = found.get(announcement.name, NOTHING_KNOWN)
            states[announcement.name] = step(
                self.states[announcement.name],
                acked=evidence.acked,
                proven=evidence.proven,
                detail=evidence.detail,
                wanted=announcement.port is not None,
                now=now,
                max_age=announcement.max_age,
            )
        return Announcements(self.wanted, states)

    def values(self) -> Mapping[str, str | None]:
        """What each server's answers say: name -> value of alt-svc, None for no header."""
        return {one.name: header_value(one, self.states[one.name]) for one in self.wanted}

    def unsettled(self) -> str:
        """Which mirror Envoy holds, but whose first proof has not ended; "" when there is none such."""
        for announcement in self.wanted:
            state = self.states[announcement.name]
            waiting = state.evidence.acked and state.evidence.proven is None
            if announcement.port is not None and waiting and state.phase is not Phase.ANNOUNCED:
                return f"the HTTP/3 mirror {announcement.name.partition('/')[2]} is being tried"
        return ""

    def state_name(self, name: str) -> str:
        """ "announced", "withheld" or "withdrawn"; "" for a name that is not known."""
        return self.states[name].phase.value if name in self.states else ""

    def reason(self, name: str) -> str:
        """Why a mirror is not announced, in one sentence; "" when it is."""
        state = self.states.get(name)
        if state is None or state.phase is Phase.ANNOUNCED:
            return ""
        if state.evidence.proven is False:
            return state.evidence.detail or "a request over HTTP/3 through the mirror failed"
        if not state.evidence.acked:
            return "Envoy has not confirmed the mirror's listener and certificate"
        return "the mirror is being tried"

    def to_json(self) -> dict[str, Any]:
        """What a later control plane must know, as JSON values."""
        return {name: _to_json(state) for name, state in sorted(self.states.items())}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Announcements":
        """Take up where `to_json` left off; `follow` then says what is wanted.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: if `stored` is not what to_json made.
        """
        return cls((), {name: _from_json(value) for name, value in stored.items()})


def _begin(announcement: Announcement, state: State, now: datetime) -> State:
    """The state under which an announcement goes on: what was proven of another port proves nothing."""
    about = (announcement.port, announcement.listener)
    if announcement.port is None or (
        state.phase is Phase.ANNOUNCED and about != (state.port, state.listener)
    ):
        state = replace(_withdrawn(state, now), evidence=NOTHING_KNOWN)
    return replace(state, port=announcement.port, listener=announcement.listener)


def _to_json(state: State) -> dict[str, Any]:
    return {
        "phase": state.phase.value,
        "promisedUntil": state.promised_until.isoformat() if state.promised_until else None,
        "port": state.port,
        "listener": state.listener,
    }


def _from_json(stored: Mapping[str, Any]) -> State:
    until = stored["promisedUntil"]
    port = stored["port"]
    if port is not None and type(port) is not int:
        raise ValueError(f"a port is a number, not {port!r}")
    return State(
        phase=Phase(stored["phase"]),
        promised_until=datetime.fromisoformat(until) if until is not None else None,
        port=port,
        listener=str(stored["listener"]),
    )
