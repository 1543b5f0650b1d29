"""What is spoken to a backend: as its port is named, as somebody says, or HTTP/2 where it is our own sidecars.

Istio leaves HTTP/2 off towards sidecars, since its own take no WebSocket over it. Ours do (RFC 8441). Whether a
connection is HTTP/2 is said by the sidecar, by ALPN: one whose port turns out to carry something else does not offer
it. Envoy goes by ALPN only in clusters that speak TLS to every endpoint, so one endpoint without a sidecar is enough to
stay with HTTP/1.1 (docs/decisions/0019-http2-to-backends.md).
"""

from mizzen.model.backend import Protocol
from mizzen.resolve.context import Context
from mizzen.resolve.services.destinations import GRPC
from mizzen.resolve.services.endpoints import Instance
from mizzen.resolve.services.policies import Policy
from mizzen.resolve.services.services import MeshPort
from mizzen.resolve.services.traffic_policy import http_settings, tcp_settings


def protocol(
    ctx: Context, port: MeshPort, policy: Policy, instances: tuple[Instance, ...], *, bytes_too: bool
) -> Protocol:
    """`instances`: all that requests may go to, with the mark of those that the mesh's TLS goes to. `bytes_too`:
    connections are passed on to this backend as well, into which nobody looks."""
    http = http_settings(policy.connection_pool)
    if http.use_client_protocol:
        return Protocol.AS_CLIENT
    if http.h2_upgrade_policy == "UPGRADE" or port.protocol in GRPC:
        return Protocol.HTTP2
    said = ctx.mesh.h2_upgrade_policy if http.h2_upgrade_policy == "DEFAULT" else http.h2_upgrade_policy
    if port.protocol != "HTTP" or said == "DO_NOT_UPGRADE":
        return Protocol.UNKNOWN
    if said == "UPGRADE":
        return Protocol.HTTP2
    may = not bytes_too and not _needs_http1(ctx, policy) and _are_own_sidecars(policy, instances)
    return Protocol.NEGOTIATED if may else Protocol.UNKNOWN


def _are_own_sidecars(policy: Policy, instances: tuple[Instance, ...]) -> bool:
    """Do all requests go to sidecars of ours, by the mesh's TLS?"""
    mutual = policy.tls is not None and policy.tls.mode == "ISTIO_MUTUAL"
    return bool(instances) and all(one.own_sidecar and (one.mesh or mutual) for one in instances)


def _needs_http1(ctx: Context, policy: Policy) -> bool:
    """Is something asked for that would be something else over HTTP/2? Limits that count connections or the requests
    that wait for one, a line of PROXY for each client, names of headers as they were written."""
    tcp, http = tcp_settings(policy.connection_pool), http_settings(policy.connection_pool)
    headers = ctx.proxy.config.proxy_headers
    return bool(
        tcp.max_connections
        or http.http1_max_pending_requests
        or http.max_requests_per_connection
        or policy.proxy_protocol
        or (headers and headers.preserve_http1_header_case)
    )
