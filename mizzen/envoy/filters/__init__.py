"""The HTTP filters: one module for each, and the order in which requests meet them.

Answers meet them in the opposite order.
"""

from collections.abc import Callable, Mapping

from google.protobuf.any_pb2 import Any as AnyMessage

from mizzen._api import pb
from mizzen.envoy.filters import (
    access_policies,
    announcement,
    cors,
    early_data,
    fault,
    grpc_stats,
    grpc_web,
    header_limits,
    host_case,
    router,
    trace_headers,
    websocket,
)
from mizzen.envoy.filters.meeting import Meeting, switched_off, switched_on

HttpFilterOf = Callable[[Meeting], pb.HttpFilter | None]

# The announcement is first because only so it is on the answers of all others too: redirects, faults, the 404
# of an unknown host. The rest stands as in Istio (tokens, access, grpc-web, grpc-stats, fault, cors): an aborted request has
# no CORS headers on its answer. The router ends it.
# What nobody uses is off until a route asks for it (`inline`, `switches`): then its first use changes routes and no
# listener, and nobody pays for what others use.
# The case of hosts comes where the others take up the route, and once more where tokens may have let go of it.
HTTP_FILTERS: tuple[HttpFilterOf, ...] = (
    host_case.http_filter,
    announcement.http_filter,
    early_data.http_filter,
    trace_headers.http_filter,
    header_limits.http_filter,
    access_policies.http_filter,
    host_case.filter_after_tokens,
    grpc_web.http_filter,
    grpc_stats.http_filter,
    fault.http_filter,
    cors.http_filter,
    router.http_filter,
)
# Requests for a WebSocket meet these where they may come by extended CONNECT.
WEBSOCKET_FILTERS: tuple[HttpFilterOf, ...] = (websocket.http_filter, *HTTP_FILTERS)


def http_filters(meeting: Meeting, order: tuple[HttpFilterOf, ...] = HTTP_FILTERS) -> list[pb.HttpFilter]:
    """The filters of a connection manager; each says itself whether it takes part."""
    found = (http_filter(meeting) for http_filter in order)
    return [one for one in found if one is not None]


def switches(*, scoped: bool, chosen_again: bool) -> Mapping[str, AnyMessage]:
    """What a route table switches on or off for all its routes, by the name of the filter.

    Which filters a request meets is decided once, by the route that it has then. `chosen_again`: another may take its
    place, so what any may need is on. In scopes, filters are on in the chain, for hosts whose scope is found late
    (`host_case`), and off here.
    """
    if scoped:
        off = (host_case.NAME, *(() if chosen_again else (fault.NAME, cors.NAME)))
        on: tuple[str, ...] = (grpc_stats.NAME,) if chosen_again else ()
    else:
        off = ()
        on = (grpc_stats.NAME, fault.NAME, cors.NAME) if chosen_again else ()
    return {**dict.fromkeys(off, switched_off()), **dict.fromkeys(on, switched_on())}
