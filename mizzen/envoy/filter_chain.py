"""What is done with connections that match: how they are secured, and who speaks with them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never

from mizzen._api import pb
from mizzen.envoy.authorization import rbac
from mizzen.envoy.closing import REFUSE_ALL
from mizzen.envoy.ext_authz import network_filters
from mizzen.envoy.filters.meeting import inline
from mizzen.envoy.hcm import http_connection_manager
from mizzen.envoy.parts import boolean, duration, packed, sds
from mizzen.envoy.tcp_proxy import tcp_proxy
from mizzen.envoy.transport import QUIC, quic_transport_socket, tls_transport_socket
from mizzen.model.backend import BLACK_HOLE
from mizzen.model.listener import Chain, HttpService, Listener, TcpService, Transport
from mizzen.model.tls import ServerTls

HCM = "envoy.filters.network.http_connection_manager"
RBAC = "envoy.filters.network.rbac"
TCP_PROXY = "envoy.filters.network.tcp_proxy"

# Istio's limit on the handshake of a gateway's clients.
HANDSHAKE_TIMEOUT = timedelta(seconds=15)

REFUSE_UNKNOWN = "refuse-unknown"
REFUSE_NOT_MIRRORED = "refuse-not-mirrored"
REFUSE_SHED, REFUSE_SHED_ANY = "refuse-shed", "refuse-shed-any"
NOBODYS_CERTIFICATE = "invalid://unknown-server-name"
# How long a listener waits to hear that there is no such certificate.
_MOMENT = timedelta(milliseconds=100)


def filter_chain(chain: Chain, listener: Listener, *, scoped: bool = False) -> pb.FilterChain:
    """A chain of `listener`. Its name is how Envoy knows it again: the connections of one that stays, stay.

    `scoped`: its route table is told host by host.
    """
    out = pb.FilterChain(
        name=chain.name,
        filters=_filters(chain, listener, scoped),
        transport_socket_connect_timeout=duration(HANDSHAKE_TIMEOUT),
    )
    if chain.tls is not None:
        out.transport_socket.CopyFrom(_transport_socket(chain, chain.tls, listener.transport))
    _add_match(chain, out)
    return out


def _transport_socket(chain: Chain, tls: ServerTls, transport: Transport) -> pb.TransportSocket:
    if transport is not Transport.QUIC:
        return tls_transport_socket(tls)
    return quic_transport_socket(
        tls, early_data=isinstance(chain.serve, HttpService) and chain.serve.early_data
    )


def _add_match(chain: Chain, out: pb.FilterChain) -> None:
    if chain.destination_port is not None:
        out.filter_chain_match.destination_port.value = chain.destination_port
    if chain.server_names or chain.application_protocols or chain.transport_protocol:
        out.filter_chain_match.transport_protocol = chain.transport_protocol
        out.filter_chain_match.server_names.extend(chain.server_names)
        out.filter_chain_match.application_protocols.extend(chain.application_protocols)


def closed_chain(chain: Chain, listener: Listener) -> pb.FilterChain:
    """What stands for a chain that cannot be translated: it takes the same connections and refuses each."""
    out = refusing_chain() if listener.transport is Transport.QUIC else _refusing_tcp()
    out.name = chain.name
    _add_match(chain, out)
    return out


def _refusing_tcp() -> pb.FilterChain:
    refuse = pb.NetworkRBAC(rules=rbac(REFUSE_ALL), stat_prefix="tcp.")
    nowhere = pb.TcpProxy(stat_prefix=BLACK_HOLE, cluster=BLACK_HOLE)
    return pb.FilterChain(
        filters=[
            pb.Filter(name=RBAC, typed_config=packed(refuse)),
            pb.Filter(name=TCP_PROXY, typed_config=packed(nowhere)),
        ]
    )


def refusing_chain(server_names: tuple[str, ...] = ()) -> pb.FilterChain:
    """A chain of a QUIC listener that refuses clients: of some SNI, or, as the default chain, whose SNI no chain is for.

    Without the default chain clients get no answer at all, and time out; with it, a TLS alert within a round trip,
    as over TCP. Its certificate is one that nobody has, so none is ever shown and no handshake succeeds; Envoy
    demands the rest. The default chain is the same for every listener and never changes; a chain for names may come,
    change and go, since it has no connections.
    """
    tls = pb.QuicDownstreamTransport(enable_early_data=boolean(False), enable_resumption=boolean(False))
    common = tls.downstream_tls_context.common_tls_context
    common.tls_certificate_sds_secret_configs.append(sds(NOBODYS_CERTIFICATE, _MOMENT))
    common.alpn_protocols.append("h3")
    manager = pb.HttpConnectionManager(
        codec_type=pb.HttpConnectionManager.HTTP3,
        stat_prefix=REFUSE_UNKNOWN,
        route_config=pb.RouteConfiguration(name=REFUSE_UNKNOWN),
        http_filters=[inline("envoy.filters.http.router", pb.Router())],
    )
    return pb.FilterChain(
        name=REFUSE_NOT_MIRRORED if server_names else REFUSE_UNKNOWN,
        filter_chain_match=pb.FilterChainMatch(server_names=server_names) if server_names else None,
        filters=[pb.Filter(name=HCM, typed_config=packed(manager))],
        transport_socket=pb.TransportSocket(name=QUIC, typed_config=packed(tls)),
        transport_socket_connect_timeout=duration(HANDSHAKE_TIMEOUT),
    )


def shedding_chains(chains: Sequence[Chain]) -> tuple[pb.FilterChain, ...]:
    """Chains that refuse new connections in the place of others, which stay as they are with all connections that they have.

    A chain that asks for an application protocol besides a name is the more specific one, and everybody speaks "h3" here.
    """
    made = []
    names = tuple(dict.fromkeys(name for chain in chains for name in chain.server_names))
    for name, some in ((REFUSE_SHED, names), (REFUSE_SHED_ANY, ())):
        if some or (name == REFUSE_SHED_ANY and any(not chain.server_names for chain in chains)):
            out = refusing_chain(some)
            out.name = name
            out.filter_chain_match.application_protocols.append("h3")
            made.append(out)
    return tuple(made)


def _filters(chain: Chain, listener: Listener, scoped: bool) -> list[pb.Filter]:
    """Who may connect at all is judged first where bytes are only passed on."""
    judges = []
    if isinstance(chain.serve, TcpService):
        for access in chain.serve.access:
            if access.authorizer is not None:
                judges.extend(network_filters(access, access.authorizer))
                continue
            rules = pb.NetworkRBAC(rules=rbac(access), stat_prefix="tcp.")
            judges.append(pb.Filter(name=RBAC, typed_config=packed(rules)))
    return [*judges, _filter(chain, listener, scoped)]


def _filter(chain: Chain, listener: Listener, scoped: bool) -> pb.Filter:
    match chain.serve:
        case HttpService() as service:
            manager = http_connection_manager(
                service,
                listener.edge,
                listener.transport,
                listener.access_logs,
                keepalive=listener.quic.keepalive,
                scoped=scoped,
            )
            return pb.Filter(name=HCM, typed_config=packed(manager))
        case TcpService() as service:
            return pb.Filter(name=TCP_PROXY, typed_config=packed(tcp_proxy(service, listener.access_logs)))
        case other:
            assert_never(other)
