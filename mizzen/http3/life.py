"""The life of an announcement at one port: when an HTTPS server's answers say `alt-svc: h3=...`, `clear`, or nothing.

A promise of HTTP/3 is remembered by clients for `max_age` (RFC 7838, section 3.1), and one that does not
hold costs each of them seconds. So it is given only once every Envoy has confirmed listener and certificate and
a real request over HTTP/3 has succeeded, and one that no longer holds is taken back with `clear`
(section 3) until the last client that heard it has forgotten it. What is planned goes by way of DNS: first that says
nothing any more, and when its records have run out answers say `clear`.

All values; time is handed in.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mizzen.http3.announcement import Phase, State, Word, turned
from mizzen.http3.evidence import Evidence
from mizzen.http3.stages import FORGIVEN, next_age, next_stage_at, setbacks

# An announced mirror whose listener Envoy no longer confirms (it restarts, or is being told of a change)
# is believed in for so long.
GRACE = timedelta(seconds=60)
# A promise is noted down as lasting a little longer, and to full such spans, so that not every look at it changes it and
# all that are renewed are renewed together: half of what is promised, an hour at most.
SLACK = timedelta(hours=1)
_LEAST_SLACK = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PROVEN = "proven by a request over HTTP/3"
FAILED = "a request over HTTP/3 through the mirror failed"
UNCONFIRMED = "Envoy has not confirmed the mirror's listener and certificate"
NOT_WANTED = "the configuration has no mirror for it any more"
FORGOTTEN = "the last promise has run out"


def step(state: State, evidence: Evidence, *, wanted: bool, now: datetime, replica: str = "") -> State:
    """The next state. `wanted`: the server has a mirror to announce. Nothing changes while nothing is new."""
    if state.evidence != evidence:
        state = replace(state, evidence=evidence)
    if not wanted:
        return leave(state, now)
    if evidence.proven is False:
        return withdrawn(state, now, evidence.detail or FAILED)
    if state.paused_until is not None and now < state.paused_until:
        return withdrawn(state, now, state.health.reason)
    if state.phase is Phase.ANNOUNCED:
        return _standing(state, evidence, now, replica)
    if (
        evidence.acked
        and evidence.proven
        and evidence.everywhere
        and not _waits_elsewhere(state, now, replica)
    ):
        state = state if _is_leaving(state, now) else withdrawn(state, now, keep_pending=True)
        return _about_to(state, 0, state.rollout.stages[0].max_age, now)
    if state.phase is Phase.LEAVING:
        return leave(state, now)
    return withdrawn(state, now)


def leave(state: State, now: datetime, reason: str = NOT_WANTED) -> State:
    """A planned withdrawal: first by DNS, where that told of it."""
    ttl = state.rollout.dns_ttl
    if state.phase is Phase.ANNOUNCED and ttl > timedelta(0):
        state = _still(turned(state, Phase.LEAVING, now, reason))
        # What DNS says is a promise too: clients may come as long as they may believe it.
        until = max(state.promised_until or now, now + ttl)
        return replace(state, leaving_until=now + ttl, promised_until=until)
    if _is_leaving(state, now):
        return _still(state)
    return withdrawn(state, now, reason)


def _is_leaving(state: State, now: datetime) -> bool:
    is_over = state.leaving_until is None or now >= state.leaving_until
    return state.phase is Phase.LEAVING and not is_over


def withdrawn(state: State, now: datetime, reason: str = "", *, keep_pending: bool = False) -> State:
    """Taken back while a client may remember it, then forgotten; where a listener lingers that is remembered."""
    is_remembered = state.promised_until is not None and now < state.promised_until
    phase = Phase.WITHDRAWN if is_remembered else Phase.WITHHELD
    if state.phase is not phase:
        state = turned(state, phase, now, reason or (UNCONFIRMED if is_remembered else FORGOTTEN))
    if state.promised_until is not None and not lingers(state, now):
        state = replace(state, promised_until=None)
    return state if keep_pending else _still(state)


def lingers(state: State, now: datetime) -> bool:
    """Must the address still be answered at? Until all have forgotten it, and who is connected has been drained."""
    return state.promised_until is not None and now < state.promised_until + state.rollout.drain


def kept(state: State) -> State:
    """The same, when what it is about to promise has been written down."""
    if state.pending is None or state.pending_since is None:
        return state
    until, stage = promised_at_most(state), state.pending_stage
    reason = PROVEN if state.phase is not Phase.ANNOUNCED else f"it has held for {_span(state)}"
    state = turned(state, Phase.ANNOUNCED, state.pending_since, reason, stage)
    age = state.rollout.stages[stage].max_age
    return _still(replace(state, promised_until=until, max_age=age, paused_until=None))


def promised_at_most(state: State) -> datetime | None:
    """Until when a client may remember it, once what is pending is promised."""
    return max((at for at in (state.promised_until, state.pending) if at is not None), default=None)


def next_at(state: State, now: datetime, replica: str, *, wanted: bool) -> datetime | None:
    """When time alone may change something at this port; `wanted`: it is the one that is to be announced."""
    moment = timedelta(microseconds=1)
    times: list[datetime | None] = []
    if state.phase is Phase.ANNOUNCED and wanted:
        if state.promised_until is not None:
            times.append(state.promised_until - state.max_age + moment)
        if state.unconfirmed_since is not None:
            times.append(state.unconfirmed_since + GRACE + moment)
        if state.pending is None and state.evidence.proven:
            times.append(next_stage_at(state, now, replica))
        if setbacks(state, now) and state.set_back_at is not None:
            times.append(state.set_back_at + FORGIVEN)
    elif state.promised_until is not None:
        is_remembered = now < state.promised_until
        times.append(state.promised_until if is_remembered else state.promised_until + state.rollout.drain)
    if wanted and state.paused_until is not None and now < state.paused_until:
        times.append(state.paused_until)
    if state.phase is Phase.LEAVING:
        times.append(state.leaving_until)
    return min((at for at in times if at is not None), default=None)


def _standing(state: State, evidence: Evidence, now: datetime, replica: str) -> State:
    """One that is announced, and does not fail."""
    since = state.unconfirmed_since
    if evidence.acked:  # proven, or being proven anew, with another certificate for instance
        since = None
    elif since is None:
        since = now
    elif now - since > GRACE:
        return withdrawn(state, now, UNCONFIRMED)
    state = _promised(state, now)
    if state.unconfirmed_since != since:
        state = replace(state, unconfirmed_since=since)
    if evidence.proven and (stage := next_age(state, now, replica)) is not None:
        return _about_to(state, *stage, now)
    return state


def _about_to(state: State, stage: int, age: timedelta, now: datetime) -> State:
    """Proven, and to be promised at another stage once that is written down."""
    until = now + age
    if state.pending is not None and state.pending >= until and state.pending_stage == stage:
        return state
    since = state.pending_since if state.pending_stage == stage and state.pending_since else now
    return replace(state, pending=_noted(until, age), pending_stage=stage, pending_since=since)


def _promised(state: State, now: datetime) -> State:
    until = now + state.max_age
    if state.promised_until is not None and state.promised_until >= until:
        return state
    return replace(state, promised_until=_noted(until, state.max_age))


def _noted(until: datetime, age: timedelta) -> datetime:
    span = max(_LEAST_SLACK, min(SLACK, age / 2))
    rest = (until - _EPOCH) % span
    return until + (span - rest if rest else rest) + span


def _still(state: State) -> State:
    """Nothing is about to be promised, and nothing missed."""
    if (state.unconfirmed_since, state.pending, state.leaving_until) == (None, None, None):
        return state
    leaving = state.leaving_until if state.phase is Phase.LEAVING else None
    if (state.unconfirmed_since, state.pending, state.leaving_until) == (None, None, leaving):
        return state
    return replace(
        state,
        unconfirmed_since=None,
        pending=None,
        pending_stage=0,
        pending_since=None,
        leaving_until=leaving,
    )


def _waits_elsewhere(state: State, now: datetime, replica: str) -> bool:
    return any(
        word is Word.WAITS and name != replica and now < until for (word, name), until in state.words.items()
    )


def _span(state: State) -> str:
    assert state.pending_since is not None
    assert state.since is not None
    return f"{int((state.pending_since - state.since).total_seconds())} s"
