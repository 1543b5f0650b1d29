"""A server whose mirror is looked at, under a clock that stands."""

from datetime import UTC, datetime, timedelta

from mizzen.errors import ResourceRef
from mizzen.http3.evidence import Evidence
from mizzen.http3.server import Server
from mizzen.model.announcement import Announcement, Rollout, Stage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SOON = timedelta(seconds=1)
NAME = "alt-svc/https.443.https.gw.ns"
PROVEN = Evidence(acked=True, proven=True)
FAILED = Evidence(acked=True, proven=False, detail="no answer")
TRYING = Evidence(acked=True, proven=None)
UNKNOWN = Evidence(acked=False, proven=None)
H3 = 'h3=":443"; ma=86400'


def an_announcement(
    port=443, why="", served=False, listener="udp_0.0.0.0_8443", name=NAME, max_age=DAY, rollout=None
):
    origin = ResourceRef(kind="Gateway", namespace="ns", name="gw")
    return Announcement(
        name=name,
        port=port,
        why=why,
        listener=listener if port or served else "",
        origin=origin,
        rollout=rollout or Rollout(stages=(Stage(max_age=max_age),)),
    )


def life(*evidence, start=None, now=NOW):
    """A server after looks at its mirror; every promise is written down at once."""
    found = (start or Server()).follow((an_announcement(),), now)
    for one in evidence:
        found = found.step(one, now).kept()
    return found
