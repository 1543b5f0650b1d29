"""Counts gRPC requests and their messages, as Istio does: on routes to backends that may speak it."""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline
from mizzen.envoy.parts import boolean

NAME = "envoy.filters.http.grpc_stats"


def http_filter(_: Meeting) -> pb.HttpFilter:
    config = pb.GrpcStatsConfig(emit_filter_state=True, stats_for_all_methods=boolean(False))
    return inline(NAME, config, disabled=True)
