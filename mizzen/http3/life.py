"""The life of an announcement at one port: when an HTTPS server's answers say `alt-svc: h3=...`, `clear`, or nothing.

A promise of HTTP/3 is remembered by clients for `max_age` (RFC 7838, section 3.1), and one that does not
hold costs each of them seconds. So it is given only once Envoy has confirmed listener and certificate and
a real request over HTTP/3 has succeeded, and one that no longer holds is taken back with `clear`
(section 3) until the last client that heard it has forgotten it.

All values; time is handed in.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from mizzen.http3.announcement import Phase, State
from mizzen.http3.evidence import Evidence

# An announced mirror whose listener Envoy no longer confirms (it restarts, or is being told of a change)
# is believed in for so long.
GRACE = timedelta(seconds=60)
# A promise is noted down as lasting a little longer, and to the full hour, so that not every look at it changes it and
# all that are renewed are renewed together.
SLACK = timedelta(hours=1)


def step(state: State, evidence: Evidence, *, wanted: bool, now: datetime) -> State:
    """The next state. `wanted`: the server has a mirror to announce. Nothing changes while nothing is new."""
    if state.evidence != evidence:
        state = replace(state, evidence=evidence)
    if not wanted:
        return withdrawn(state, now)
    if evidence.acked and evidence.proven:
        return _announced(state, now)
    if state.phase is not Phase.ANNOUNCED or evidence.proven is False:
        return withdrawn(state, now)
    if evidence.acked:  # it is being proven anew, with another certificate for instance
        return _confirmed(_promised(state, now))
    since = state.unconfirmed_since or now
    if now - since > GRACE:
        return withdrawn(state, now)
    state = _promised(state, now)
    return state if state.unconfirmed_since == since else replace(state, unconfirmed_since=since)


def kept(state: State) -> State:
    """The same, when what it is about to promise has been written down."""
    if state.pending is None:
        return state
    return replace(state, phase=Phase.ANNOUNCED, promised_until=promised_at_most(state), pending=None)


def promised_at_most(state: State) -> datetime | None:
    """Until when a client may remember it, once what is pending is promised."""
    return max((one for one in (state.promised_until, state.pending) if one is not None), default=None)


def _announced(state: State, now: datetime) -> State:
    if state.phase is Phase.ANNOUNCED:
        return _confirmed(_promised(state, now))
    if state.phase is Phase.WITHDRAWN:
        state = replace(withdrawn(state, now), pending=state.pending)
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


def withdrawn(state: State, now: datetime) -> State:
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
