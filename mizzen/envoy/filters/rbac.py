"""Access rules for requests: refusals first, then permissions (Istio's two filters of one name)."""

from mizzen._api import pb
from mizzen.envoy.authorization import rbac
from mizzen.envoy.filters.meeting import Meeting, inline

NAME = "envoy.filters.http.rbac"


def deny_filter(meeting: Meeting) -> pb.HttpFilter | None:
    return _filter(meeting, deny=True)


def allow_filter(meeting: Meeting) -> pb.HttpFilter | None:
    return _filter(meeting, deny=False)


def _filter(meeting: Meeting, *, deny: bool) -> pb.HttpFilter | None:
    for access in meeting.service.access:
        if access.deny is deny:
            return inline(NAME, pb.RBAC(rules=rbac(access)))
    return None
