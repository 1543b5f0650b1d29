"""The last filter: passes requests on."""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline

NAME = "envoy.filters.http.router"


def http_filter(meeting: Meeting) -> pb.HttpFilter:
    return inline(NAME, pb.Router(suppress_envoy_headers=meeting.edge.suppress_envoy_headers))
