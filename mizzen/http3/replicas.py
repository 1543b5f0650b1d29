"""What replicas of the control plane tell one another of an announcement: the one rule for merging."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mizzen.http3.announcement import Phase, State
from mizzen.http3.evidence import NOTHING_KNOWN, Evidence

# How long a replica of the control plane is believed that a mirror fails at a gateway of its own, and when it says so
# again.
FAILURE_LASTS, FAILURE_AGAIN = timedelta(seconds=120), timedelta(seconds=60)


def failing_at(
    known: Mapping[str, datetime], evidence: Evidence, replica: str, now: datetime
) -> Mapping[str, datetime]:
    """Which replicas say that it fails. One that is alone writes no such thing down."""
    found = {name: until for name, until in known.items() if name != replica and now < until}
    if replica and evidence.proven is False:
        until = known.get(replica)
        is_fresh = until is not None and now < until - FAILURE_AGAIN
        found[replica] = until if until is not None and is_fresh else now + FAILURE_LASTS
    return known if found == known else found


def merged(mine: State | None, theirs: State, replica: str, now: datetime) -> State:
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
