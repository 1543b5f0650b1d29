"""What the answers of an HTTPS server say of HTTP/3 at one port: values."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import Enum

from mizzen.http3.evidence import NOTHING_KNOWN, Evidence
from mizzen.http3.health import Health
from mizzen.lazy import dataclass
from mizzen.model.announcement import Announcement, Rollout

MAX_AGE = timedelta(days=1)
_MOST_TURNS = 8


class Phase(Enum):
    """What answers say."""

    WITHHELD = "withheld"  # nothing: never proven, or long forgotten
    ANNOUNCED = "announced"  # h3
    LEAVING = "leaving"  # nothing any more, while what DNS says of it runs out
    WITHDRAWN = "withdrawn"  # clear: some client may still remember a promise


class Word(Enum):
    """What a replica of the control plane says of a mirror at the gateways of its own."""

    FAILS = "failing"  # nobody announces it
    WAITS = "waiting"  # an Envoy has not confirmed it: no announcement begins
    ILL = "ill"  # Envoy's counters are not good: none goes on


Words = Mapping[tuple[Word, str], datetime]  # (word, replica) -> until when it is believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """That an announcement became another, when, and why."""

    at: datetime
    phase: Phase
    stage: int  # from 0; it counts where it is announced
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where the announcement of one server at one port stands."""

    phase: Phase = Phase.WITHHELD
    since: datetime | None = None  # when the phase, or the stage of it, began
    promised_until: datetime | None = None  # when the last client has forgotten
    max_age: timedelta = MAX_AGE  # for how long clients are told to remember it
    rollout: Rollout = field(default_factory=Rollout)
    stage: int = 0  # of the rollout
    unconfirmed_since: datetime | None = None  # while announced
    leaving_until: datetime | None = None  # while it leaves
    listener: str = ""  # what the phase is about: another listener begins anew
    evidence: Evidence = NOTHING_KNOWN
    health: Health = field(default_factory=Health)
    setbacks: int = 0  # how often it went back a stage, one time soon after the other
    set_back_at: datetime | None = None  # when it did last
    paused_until: datetime | None = None  # not announced before, whatever is proven
    words: Words = field(default_factory=dict)  # of all replicas
    # Proven, but not written down yet: a promise that could be forgotten is not given.
    pending: datetime | None = None  # until when it will be promised
    pending_stage: int = 0
    pending_since: datetime | None = None
    history: tuple[Turn, ...] = ()  # the last turns, the newest last


def turned(state: State, phase: Phase, now: datetime, reason: str, stage: int = 0) -> State:
    """Another phase, or another stage of it."""
    turn = Turn(at=now, phase=phase, stage=stage, reason=reason)
    history = (*state.history, turn)[-_MOST_TURNS:]
    return replace(state, phase=phase, since=now, stage=stage, history=history)


def header_value(announcement: Announcement, state: State) -> str | None:
    """The value of alt-svc, or None for no such header: `h3=":443"; ma=86400`, `clear`."""
    if state.phase is Phase.WITHDRAWN:
        return "clear"
    if state.phase is not Phase.ANNOUNCED or announcement.port is None:
        return None
    return promise(announcement.port, state.max_age)


def promise(port: int, max_age: timedelta) -> str:
    """The value that promises HTTP/3 at a port."""
    return f'h3=":{port}"; ma={int(max_age.total_seconds())}'


def proven_value(announcement: Announcement) -> str | None:
    """What answers say at first, once a mirror is proven; None where there is none."""
    if announcement.port is None:
        return None
    return promise(announcement.port, announcement.rollout.stages[0].max_age)
