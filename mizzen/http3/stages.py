"""How far an announcement has come: when it goes on, and when it goes back. All values; time is handed in.

Each stage tells clients to remember the promise for longer (`ma`). It goes on by time while the mirror is proven and
Envoy's counters are not bad, and back where they were bad for some intervals one after the other. Each time it goes back
it waits twice as long before it goes on, until it has held for a day.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from mizzen.http3.announcement import Phase, State, Word, turned
from mizzen.http3.health import Health, Verdict
from mizzen.model.announcement import Rollout

# A setback counts for so long: within that time each one more doubles what is waited for.
FORGIVEN = timedelta(days=1)
_MOST_DOUBLINGS = 5


def setbacks(state: State, now: datetime) -> int:
    """Those that are not forgiven."""
    at = state.set_back_at
    return state.setbacks if at is not None and now - at < FORGIVEN else 0


def next_stage_at(state: State, now: datetime, replica: str = "") -> datetime | None:
    """When time alone lets it go on; None: it is at the last stage, or something else must come first."""
    stages = state.rollout.stages
    if state.phase is not Phase.ANNOUNCED or state.since is None:
        return None
    if state.max_age < stages[state.stage].max_age:
        return now  # another rollout begins with more
    duration = stages[state.stage].duration
    if duration is None or state.stage + 1 >= len(stages) or is_ill(state, now, replica):
        return None
    count = setbacks(state, now)
    if not count or state.set_back_at is None:
        return state.since + duration
    doubled = state.since + duration * (1 << min(count, _MOST_DOUBLINGS))
    return min(doubled, max(state.since + duration, state.set_back_at + FORGIVEN))


def is_ill(state: State, now: datetime, replica: str = "") -> bool:
    """Must it be better before it goes on? Here, or at a gateway of another replica."""
    elsewhere = any(
        word is Word.ILL and name != replica and now < until for (word, name), until in state.words.items()
    )
    return elsewhere or is_ill_here(state, now)


def is_ill_here(state: State, now: datetime) -> bool:
    """Are Envoy's counters bad, or have they not been good for long enough since it went back?"""
    wanted = state.rollout.step_back
    if wanted is None:
        return False
    return state.health.bad > 0 or (setbacks(state, now) > 0 and state.health.good < wanted.good)


def next_age(state: State, now: datetime, replica: str = "") -> tuple[int, timedelta] | None:
    """The stage that may begin now, and its age; None where none may."""
    at = next_stage_at(state, now, replica)
    if at is None or now < at:
        return None
    stages = state.rollout.stages
    stage = state.stage if state.max_age < stages[state.stage].max_age else state.stage + 1
    return stage, stages[stage].max_age


def judged(state: State, verdict: Verdict, now: datetime) -> State:
    """The same after an interval of Envoy's counters: back a stage, where it was bad for long enough. What is to be
    withdrawn is paused, and that is for whoever steps the state."""
    wanted = state.rollout.step_back
    if wanted is None or state.phase is Phase.LEAVING:
        return state
    health = state.health.after(verdict)
    if health == state.health:
        return state
    state = replace(state, health=health)
    if health.bad < wanted.bad or state.phase is not Phase.ANNOUNCED:
        return state
    count = setbacks(state, now) + 1
    back = replace(
        state,
        setbacks=count,
        set_back_at=now,
        health=Health(reason=health.reason),
        pending=None,
        pending_since=None,
    )
    if state.stage == 0:
        pause = wanted.pause * (1 << min(count - 1, _MOST_DOUBLINGS))
        return replace(back, paused_until=now + pause)
    stage = state.stage - 1
    back = turned(back, Phase.ANNOUNCED, now, health.reason, stage)
    return replace(back, max_age=min(state.max_age, state.rollout.stages[stage].max_age))


def with_rollout(state: State, rollout: Rollout) -> State:
    """The same under another rollout: at the last stage that promises no more than what is said now."""
    if state.rollout == rollout:
        return state
    state = replace(state, rollout=rollout)
    if state.phase is not Phase.ANNOUNCED:
        return replace(state, stage=0)
    fitting = [number for number, stage in enumerate(rollout.stages) if stage.max_age <= state.max_age]
    stage = fitting[-1] if fitting else 0
    return replace(
        state,
        stage=stage,
        max_age=min(state.max_age, rollout.stages[stage].max_age),
        pending=None,
        pending_since=None,
    )
