"""One virtual host: domains, and their routes in the order they are tried."""

from http import HTTPStatus

from mizzen._api import pb
from mizzen.envoy.parts import packed
from mizzen.envoy.route import route
from mizzen.model.route import Host

MISDIRECTED = "misdirected"


def virtual_host(host: Host) -> pb.VirtualHost:
    return pb.VirtualHost(
        name=host.name,
        domains=host.domains,
        routes=[route(one) for one in host.routes],
        require_tls=pb.VirtualHost.ALL if host.https_only else pb.VirtualHost.NONE,
        include_request_attempt_count=host.count_attempts,
    )


def misdirected_host(domains: tuple[str, ...], announcement: str | None) -> pb.VirtualHost:
    """Domains of other servers of the port: 421, and no word about HTTP/3, which the other server may not have."""
    out = pb.VirtualHost(name=MISDIRECTED, domains=domains)
    everything = out.routes.add(name=MISDIRECTED, match=pb.RouteMatch(prefix="/"))
    everything.direct_response.status = HTTPStatus.MISDIRECTED_REQUEST
    if announcement is not None:
        out.typed_per_filter_config[announcement].CopyFrom(packed(pb.FilterConfig(disabled=True)))
    return out
