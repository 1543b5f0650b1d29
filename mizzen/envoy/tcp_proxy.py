"""A connection whose bytes are passed on."""

from mizzen._api import pb
from mizzen.envoy.access_log import access_log
from mizzen.envoy.parts import duration
from mizzen.model.listener import TcpService
from mizzen.model.telemetry import AccessLog


def tcp_proxy(service: TcpService, logs: tuple[AccessLog, ...]) -> pb.TcpProxy:
    out = pb.TcpProxy(stat_prefix=service.stat_prefix, access_log=[access_log(log) for log in logs])
    if len(service.to) == 1:
        out.cluster = service.to[0].backend
    else:
        for share in service.to:
            out.weighted_clusters.clusters.add(name=share.backend, weight=share.weight)
    if service.idle_timeout is not None:
        out.idle_timeout.CopyFrom(duration(service.idle_timeout))
    if service.max_connection_duration is not None:
        out.max_downstream_connection_duration.CopyFrom(duration(service.max_connection_duration))
    if service.hash_on is not None and service.hash_on.source_ip:
        out.hash_policy.add().source_ip.SetInParent()
    if service.tunnel_host:
        out.tunneling_config.hostname = service.tunnel_host
        out.tunneling_config.use_post = service.tunnel_by_post
    return out
