"""What replicas of the control plane tell one another of an announcement: the one rule for merging."""

from dataclasses import replace
from datetime import datetime, timedelta

from mizzen.http3.announcement import Phase, State, Word, Words
from mizzen.http3.evidence import NOTHING_KNOWN, Evidence
from mizzen.http3.health import Health
from mizzen.http3.stages import is_ill_here

# How long a replica of the control plane is believed what it says of a mirror at a gateway of its own, and when it says
# so again.
FAILURE_LASTS, FAILURE_AGAIN = timedelta(seconds=120), timedelta(seconds=60)


def words_of(state: State, evidence: Evidence, replica: str, now: datetime) -> Words:
    """What all replicas say, once `replica` has looked. One that is alone writes no such thing down."""
    words = {key: until for key, until in state.words.items() if key[1] != replica and now < until}
    for word in _own(state, evidence, now) if replica else ():
        until = state.words.get((word, replica))
        is_fresh = until is not None and now < until - FAILURE_AGAIN
        words[word, replica] = until if until is not None and is_fresh else now + FAILURE_LASTS
    return state.words if words == state.words else words


def _own(state: State, evidence: Evidence, now: datetime) -> list[Word]:
    # Clients cannot choose to whom they come: where one replica has withdrawn it, all do.
    is_paused = state.paused_until is not None and now < state.paused_until
    words = [Word.FAILS] if evidence.proven is False or is_paused else []
    if not evidence.everywhere and not words and state.phase is not Phase.ANNOUNCED:
        words.append(Word.WAITS)
    if is_ill_here(state, now) and state.setbacks:
        words.append(Word.ILL)
    return words


def fails_at(words: Words, replica: str) -> str:
    """The first other replica at whose gateways it fails; "": at none."""
    return next((name for word, name in sorted(words, key=str) if word is Word.FAILS and name != replica), "")


def merged(mine: State | None, theirs: State, replica: str, now: datetime) -> State:
    """The state at one port, with what is written of it. How far it has come is what turned last, of whoever."""
    own = mine or replace(theirs, evidence=NOTHING_KNOWN, health=Health(), words={})
    words = {key: until for key, until in theirs.words.items() if key[1] != replica and now < until}
    words |= {key: until for key, until in own.words.items() if key[1] == replica}
    drain = max(own.rollout.drain, theirs.rollout.drain)
    ends = [at for at in (own.promised_until, theirs.promised_until) if at is not None and now < at + drain]
    until = max(ends, default=None)
    newer = theirs if _is_newer(theirs, own) else own
    if (until, words) == (own.promised_until, own.words) and newer is own:
        return own
    phase = own.phase
    if phase is Phase.WITHHELD and until is not None and now < until:
        phase = Phase.WITHDRAWN
    stage = min(newer.stage, len(own.rollout.stages) - 1)
    return replace(
        own,
        phase=phase,
        promised_until=until,
        words=words,
        stage=stage if newer is theirs else own.stage,
        max_age=min(newer.max_age, own.rollout.stages[stage].max_age) if newer is theirs else own.max_age,
        since=newer.since,
        setbacks=newer.setbacks,
        set_back_at=newer.set_back_at,
        paused_until=newer.paused_until,
        history=newer.history,
    )


def _is_newer(theirs: State, own: State) -> bool:
    """Has the other announcement gone on, or back, after our own did?"""
    if theirs.phase is not Phase.ANNOUNCED or own.phase is not Phase.ANNOUNCED or theirs.since is None:
        return False
    return own.since is None or (theirs.since, -theirs.stage) > (own.since, -own.stage)
