"""One address that is open.

A listener stays as still as it can. On QUIC above all: a change to any of its own fields (whatever is not a
filter chain) cuts its connections and lets new ones time out until the drain time is over. So those fields
depend on the address and on mesh-wide settings alone, and what may be wanted one day is there from the start.
"""

from datetime import timedelta
from typing import assert_never

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.access_log import access_log_of_unmatched
from mizzen.envoy.filter_chain import refusing_chain
from mizzen.envoy.parts import address, boolean, duration, extension, packed, uint32
from mizzen.envoy.violations import sound
from mizzen.model.listener import Listener, Transport

# How much a client may keep in flight. Envoy's own windows (16 and 24 MiB) are what one slow client could
# make the gateway hold.
QUIC_MAX_STREAMS = 100
QUIC_STREAM_WINDOW_BYTES = 1024 * 1024
QUIC_CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024
QUIC_IDLE_TIMEOUT = timedelta(seconds=120)
# All clients of a port share one UDP socket per worker; with the kernel's 208 KiB it overflows under uploads.
UDP_RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024
SOL_SOCKET, SO_RCVBUF = 1, 8  # Linux

# Names that nobody has (RFC 6761, section 6.4).
NOBODYS_NAMES = ("*.invalid",)

_TLS_INSPECTOR_BYTES = 512
FILTER_CHAINS = "filter_chains"


def listener(one: Listener, *chains: pb.FilterChain) -> pb.Listener:
    """All of it but the chains of the model, which are judged by themselves, as those given are."""
    match one.transport:
        case Transport.TCP | Transport.UNIX:
            out = tcp_listener(one)
        case Transport.QUIC:
            out = quic_listener(one)
        case other:
            assert_never(other)
    out.filter_chains.extend(chains)
    return sound(out, but=frozenset({FILTER_CHAINS}))


def own_chains(one: Listener) -> tuple[pb.FilterChain, ...]:
    """Chains that stand behind those of the model.

    Envoy changes chains in place only where there is one before and after (`ListenerImpl::supportUpdateFilterChain`): a QUIC
    listener that loses its last one would be replaced, which cuts its connections. So it keeps one, which is for nobody.
    """
    if one.transport is not Transport.QUIC or (one.chains and not one.refused):
        return ()
    return (refusing_chain(one.refused or NOBODYS_NAMES),)


def _common(one: Listener, protocol: "pb.SocketAddress.Protocol.ValueType") -> pb.Listener:
    out = pb.Listener(
        name=one.name,
        # TCP and QUIC on one port would otherwise count as one.
        stat_prefix=one.name,
        address=address(one.address, one.port, protocol),
        # Outbound is Istio's word for a gateway too.
        traffic_direction=pb.TrafficDirection.INBOUND if one.inbound else pb.TrafficDirection.OUTBOUND,
        max_connections_to_accept_per_socket_event=uint32(1),
    )
    for more in one.also:
        out.additional_addresses.add(address=address(more, one.port, protocol))
    if one.edge.buffer_limit is not None:
        out.per_connection_buffer_limit_bytes.value = one.edge.buffer_limit
    return out


def tcp_listener(one: Listener) -> pb.Listener:
    """TCP, or a Unix socket."""
    out = _common(one, pb.SocketAddress.TCP)
    if one.redirected:
        _add_listener_filter(out, "envoy.filters.listener.original_dst", pb.OriginalDst())
    if one.hands_over:
        out.use_original_dst.value = True
    if not one.bound:
        out.bind_to_port.value = False
    if one.proxy_protocol:
        _add_listener_filter(out, "envoy.filters.listener.proxy_protocol", pb.ProxyProtocol())
    if _must_see_client_hello(one):
        inspector = pb.TlsInspector(initial_read_buffer_size=uint32(_TLS_INSPECTOR_BYTES))
        _add_listener_filter(out, "envoy.filters.listener.tls_inspector", inspector)
    if any(chain.transport_protocol == "raw_buffer" and chain.application_protocols for chain in one.chains):
        _add_listener_filter(out, "envoy.filters.listener.http_inspector", pb.HttpInspector())
    if one.log_unmatched:
        out.access_log.extend(access_log_of_unmatched(log) for log in one.access_logs)
    return out


def _add_listener_filter(out: pb.Listener, name: str, config: Message) -> None:
    out.listener_filters.add(name=name, typed_config=packed(config))


def _must_see_client_hello(one: Listener) -> bool:
    return any(
        chain.server_names or chain.transport_protocol or (chain.tls is not None and chain.tls.alpn)
        for chain in one.chains
    )


def quic_listener(one: Listener) -> pb.Listener:
    """The HTTP/3 mirror. A listener's own access log writes nothing on QUIC: it is left out."""
    out = _common(one, pb.SocketAddress.UDP)
    out.default_filter_chain.CopyFrom(refusing_chain())
    out.udp_listener_config.CopyFrom(udp_listener_config())
    out.socket_options.add(
        description="receive buffer",
        level=SOL_SOCKET,
        name=SO_RCVBUF,
        int_value=UDP_RECEIVE_BUFFER_BYTES,
        state=pb.SocketOption.STATE_PREBIND,
    )
    return out


def udp_listener_config() -> pb.UdpListenerConfig:
    """The same for every QUIC listener, so that it never changes."""
    stats = extension("envoy.quic.connection_debug_visitor.quic_stats", pb.QuicStats())
    return pb.UdpListenerConfig(
        quic_options=pb.ListenerQuicProtocolOptions(
            quic_protocol_options=pb.CoreQuicProtocolOptions(
                max_concurrent_streams=uint32(QUIC_MAX_STREAMS),
                initial_stream_window_size=uint32(QUIC_STREAM_WINDOW_BYTES),
                initial_connection_window_size=uint32(QUIC_CONNECTION_WINDOW_BYTES),
            ),
            idle_timeout=duration(QUIC_IDLE_TIMEOUT),
            connection_debug_visitor_config=stats,
        ),
        downstream_socket_config=pb.UdpSocketConfig(prefer_gro=boolean(True)),
    )
