"""One address that is open.

A listener stays as still as it can. On QUIC above all: a change to any of its own fields (whatever is not a
filter chain) cuts its connections, unless it is emptied first (`plane/replacing.py`). So those fields depend on the
address and on settings of the whole gateway alone, and what may be wanted one day is there from the start.
"""

from typing import assert_never

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.access_log import access_log_of_unmatched
from mizzen.envoy.filter_chain import refusing_chain, shedding_chains
from mizzen.envoy.parts import address, boolean, duration, extension, packed, sds, uint32
from mizzen.envoy.violations import sound
from mizzen.http3.server_ids import variable
from mizzen.model.listener import Listener, Transport
from mizzen.model.quic import ConnectionIds, QuicTransport

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
    if one.transport is not Transport.QUIC:
        return ()
    shedding = shedding_chains(one.chains) if one.sheds else ()
    if one.chains and not one.refused:
        return shedding
    return (refusing_chain(one.refused or NOBODYS_NAMES), *shedding)


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
    out.udp_listener_config.CopyFrom(udp_listener_config(one.quic))
    if one.connection_ids is not None:
        generator = extension("envoy.quic.connection_id_generator.quic_lb", quic_lb(one.connection_ids))
        out.udp_listener_config.quic_options.connection_id_generator_config.CopyFrom(generator)
    out.socket_options.add(
        description="receive buffer",
        level=SOL_SOCKET,
        name=SO_RCVBUF,
        int_value=one.quic.receive_buffer_bytes,
        state=pb.SocketOption.STATE_PREBIND,
    )
    return out


def udp_listener_config(quic: QuicTransport) -> pb.UdpListenerConfig:
    """The same for every QUIC listener of a gateway, so that it never changes but with what was chosen for them all.

    What Envoy 1.40 takes and does nothing about is not written: see docs/tuning-http3.md.
    """
    options = pb.ListenerQuicProtocolOptions(
        quic_protocol_options=pb.CoreQuicProtocolOptions(
            max_concurrent_streams=uint32(quic.max_concurrent_streams),
            initial_stream_window_size=uint32(quic.stream_window_bytes),
            initial_connection_window_size=uint32(quic.connection_window_bytes),
        ),
        idle_timeout=duration(quic.idle_timeout),
        connection_debug_visitor_config=_quic_stats(quic),
    )
    if not quic.active_migration:
        options.send_disable_active_migration.value = True
    out = pb.UdpListenerConfig(
        quic_options=options, downstream_socket_config=pb.UdpSocketConfig(prefer_gro=boolean(quic.gro))
    )
    if not quic.gso:
        writer = extension("envoy.udp_packet_writer.default", pb.UdpDefaultWriterFactory())
        out.udp_packet_packet_writer_config.CopyFrom(writer)
    return out


def quic_lb(ids: ConnectionIds) -> pb.QuicLb:
    """Server ids differ, configurations do not: each Envoy finds its own in its environment (`http3.server_ids`)."""
    out = pb.QuicLb(
        expected_server_id_length=ids.server_id_bytes,
        nonce_length_bytes=ids.nonce_bytes,
        server_id_base64_encoded=True,
        encryption_parameters=sds(ids.key),
    )
    out.server_id.environment_variable = variable(ids.server_id_bytes)
    return out


def _quic_stats(quic: QuicTransport) -> pb.TypedExtensionConfig:
    stats = pb.QuicStats()
    if quic.stats_period is not None:
        stats.update_period.CopyFrom(duration(quic.stats_period))
    return extension("envoy.quic.connection_debug_visitor.quic_stats", stats)
