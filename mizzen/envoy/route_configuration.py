"""One route table as one resource: what stands around its virtual hosts."""

from collections.abc import Mapping

from google.protobuf.any_pb2 import Any as AnyMessage

from mizzen._api import pb
from mizzen.envoy.parts import boolean, uint32
from mizzen.envoy.violations import sound

# Istio's limit; Envoy's own is 4 KiB.
_MAX_DIRECT_RESPONSE_BYTES = 1024 * 1024
VIRTUAL_HOSTS = "virtual_hosts"


def route_configuration(
    name: str,
    *hosts: pb.VirtualHost,
    port_in_domains: bool = False,
    switches: Mapping[str, AnyMessage] | None = None,
) -> pb.RouteConfiguration:
    """A table with some virtual hosts, which are judged by themselves. `switches`: what is on or off
    for all its routes, by the name of the filter.

    `validate_clusters` is off: a route to a backend that does not exist fails alone, not with its table.

    At a gateway the port in a Host header counts for nothing, or clients that dial another port than 443 would get a 404.
    """
    out = pb.RouteConfiguration(
        name=name,
        virtual_hosts=hosts,
        validate_clusters=boolean(False),
        ignore_port_in_host_matching=not port_in_domains,
        max_direct_response_body_size_bytes=uint32(_MAX_DIRECT_RESPONSE_BYTES),
    )
    for filter_name, switch in (switches or {}).items():
        out.typed_per_filter_config[filter_name].CopyFrom(switch)
    return sound(out, but=frozenset({VIRTUAL_HOSTS}))
