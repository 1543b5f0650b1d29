"""One route table."""

from mizzen._api import pb
from mizzen.envoy.parts import boolean, uint32
from mizzen.envoy.virtual_host import misdirected_host, virtual_host
from mizzen.model.route import RouteTable

# Istio's limit; Envoy's own is 4 KiB.
_MAX_DIRECT_RESPONSE_BYTES = 1024 * 1024


def route_configuration(table: RouteTable) -> pb.RouteConfiguration:
    """`validate_clusters` is off: a route to a backend that does not exist fails alone, not with its table.

    At a gateway the port in a Host header counts for nothing, or clients that dial another port than 443 would get a 404.
    """
    hosts = [virtual_host(host) for host in sorted(table.hosts, key=lambda host: host.name)]
    if table.misdirected:
        hosts.append(misdirected_host(table.misdirected, table.announcement))
    return pb.RouteConfiguration(
        name=table.name,
        virtual_hosts=hosts,
        validate_clusters=boolean(False),
        ignore_port_in_host_matching=not table.port_in_domains,
        max_direct_response_body_size_bytes=uint32(_MAX_DIRECT_RESPONSE_BYTES),
    )
