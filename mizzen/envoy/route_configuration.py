"""One route table."""

from functools import partial

from mizzen._api import pb
from mizzen.envoy.parts import boolean, uint32
from mizzen.envoy.violations import sound
from mizzen.envoy.virtual_host import closed_host, misdirected_host, virtual_host
from mizzen.errors import Report
from mizzen.guard import Stage, attempt
from mizzen.model.route import RouteTable

# Istio's limit; Envoy's own is 4 KiB.
_MAX_DIRECT_RESPONSE_BYTES = 1024 * 1024
_JUDGED = frozenset({"virtual_hosts"})  # each by itself


def route_configuration(table: RouteTable, report: Report) -> pb.RouteConfiguration:
    """`validate_clusters` is off: a route to a backend that does not exist fails alone, not with its table.

    At a gateway the port in a Host header counts for nothing, or clients that dial another port than 443 would get a 404.
    """
    hosts = _hosts(table, report)
    if table.misdirected:
        hosts.append(misdirected_host(table.misdirected, table.announcement))
    out = pb.RouteConfiguration(
        name=table.name,
        virtual_hosts=hosts,
        validate_clusters=boolean(False),
        ignore_port_in_host_matching=not table.port_in_domains,
        max_direct_response_body_size_bytes=uint32(_MAX_DIRECT_RESPONSE_BYTES),
    )
    return sound(out, but=_JUDGED)


def _hosts(table: RouteTable, report: Report) -> list[pb.VirtualHost]:
    """A host that cannot be translated answers 404: its requests fall to no wider host."""
    found = []
    for host in table.hosts.values():
        blamed = host.routes[0].origin if host.routes else table.origin
        make = partial(virtual_host, host, report)
        found.append(attempt(Stage.TRANSLATE, blamed, make, report, None) or closed_host(host))
    return found
