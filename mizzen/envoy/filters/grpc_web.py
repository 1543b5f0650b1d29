"""Speaks gRPC-Web to clients and gRPC to backends, on servers that are for it."""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline

NAME = "envoy.filters.http.grpc_web"


def http_filter(meeting: Meeting) -> pb.HttpFilter | None:
    return inline(NAME, pb.GrpcWeb()) if meeting.service.grpc_web else None
