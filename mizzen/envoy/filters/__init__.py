"""The HTTP filters: one module for each, and the order in which requests meet them.

Answers meet them in the opposite order.
"""

from collections.abc import Callable

from mizzen._api import pb
from mizzen.envoy.filters import (
    announcement,
    cors,
    fault,
    grpc_stats,
    grpc_web,
    header_limits,
    host_case,
    jwt_authn,
    rbac,
    router,
    trace_headers,
    websocket,
)
from mizzen.envoy.filters.meeting import Meeting

HttpFilterOf = Callable[[Meeting], pb.HttpFilter | None]

# The announcement is first because only so it is on the answers of all others too: redirects, faults, the 404
# of an unknown host. The rest stands as in Istio (tokens, access, grpc-web, grpc-stats, fault, cors): an aborted request has
# no CORS headers on its answer. The router ends it.
# What nobody uses is off until a route asks for it (`inline`): then its first use changes routes and no listener, and
# nobody pays for what others use. Rules of access and tokens hold for a whole listener, and are there where any are.
# The case of hosts comes where the others take up the route, and once more where tokens may have let go of it.
HTTP_FILTERS: tuple[HttpFilterOf, ...] = (
    host_case.http_filter,
    announcement.http_filter,
    trace_headers.http_filter,
    header_limits.http_filter,
    jwt_authn.http_filter,
    rbac.deny_filter,
    rbac.allow_filter,
    host_case.filter_after_tokens,
    grpc_web.http_filter,
    grpc_stats.http_filter,
    fault.http_filter,
    cors.http_filter,
    router.http_filter,
)
# Of these, what is off until a route asks, and on where the route may be chosen late.
OPTIONAL_FILTERS = (fault.NAME, cors.NAME)
# Requests for a WebSocket over HTTP/3 meet these.
WEBSOCKET_FILTERS: tuple[HttpFilterOf, ...] = (websocket.http_filter, *HTTP_FILTERS)


def http_filters(meeting: Meeting, order: tuple[HttpFilterOf, ...] = HTTP_FILTERS) -> list[pb.HttpFilter]:
    """The filters of a connection manager; each says itself whether it takes part."""
    found = (http_filter(meeting) for http_filter in order)
    return [one for one in found if one is not None]
