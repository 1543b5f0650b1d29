"""What the answers of an HTTPS server say of HTTP/3 at one port: values."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum

from mizzen.http3.evidence import NOTHING_KNOWN, Evidence
from mizzen.lazy import dataclass
from mizzen.model.listener import Announcement

MAX_AGE = timedelta(days=1)


class Phase(Enum):
    """What answers say."""

    WITHHELD = "withheld"  # nothing: never proven, or long forgotten
    ANNOUNCED = "announced"  # h3
    WITHDRAWN = "withdrawn"  # clear: some client may still remember a promise


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


def header_value(announcement: Announcement, state: State) -> str | None:
    """The value of alt-svc, or None for no such header: `h3=":443"; ma=86400`, `clear`."""
    if state.phase is Phase.WITHDRAWN:
        return "clear"
    if state.phase is Phase.WITHHELD or announcement.port is None:
        return None
    return promise(announcement.port, state)


def promise(port: int, state: State) -> str:
    """The value that promises HTTP/3 at a port."""
    return f'h3=":{port}"; ma={int(state.max_age.total_seconds())}'
