"""One virtual host: domains, and their routes in the order they are tried."""

from mizzen._api import pb
from mizzen.envoy.route import route
from mizzen.model.route import Host


def virtual_host(host: Host) -> pb.VirtualHost:
    return pb.VirtualHost(
        name=host.name,
        domains=host.domains,
        routes=[route(one) for one in host.routes],
        require_tls=pb.VirtualHost.ALL if host.https_only else pb.VirtualHost.NONE,
        include_request_attempt_count=host.count_attempts,
    )
