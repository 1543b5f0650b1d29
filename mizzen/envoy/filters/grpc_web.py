"""Speaks gRPC-Web to clients and gRPC to backends: on servers, and on routes to backends, that are for it."""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline

NAME = "envoy.filters.http.grpc_web"


def http_filter(meeting: Meeting) -> pb.HttpFilter:
    # Never on by itself: a backend may speak gRPC-Web on its own.
    return inline(NAME, pb.GrpcWeb(), disabled=not meeting.service.grpc_web)
