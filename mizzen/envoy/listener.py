"""One address that is open.

A listener stays as still as it can. On QUIC above all: a change to any of its own fields (whatever is not a
filter chain) cuts its connections and lets new ones time out until the drain time is over. So those fields
depend on the address and on mesh-wide settings alone, and what may be wanted one day is there from the start.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import assert_never

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.access_log import access_log_of_unmatched
from mizzen.envoy.filter_chain import closed_chain, filter_chain, refusing_chain
from mizzen.envoy.parts import address, boolean, duration, extension, packed, uint32
from mizzen.envoy.violations import sound
from mizzen.errors import Report, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.model.listener import Chain, Listener, Transport

# How much a client may keep in flight. Envoy's own windows (16 and 24 MiB) are what one slow client could
# make the gateway hold.
QUIC_MAX_STREAMS = 100
QUIC_STREAM_WINDOW_BYTES = 1024 * 1024
QUIC_CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024
QUIC_IDLE_TIMEOUT = timedelta(seconds=120)
# All clients of a port share one UDP socket per worker; with the kernel's 208 KiB it overflows under uploads.
UDP_RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024
SOL_SOCKET, SO_RCVBUF = 1, 8  # Linux

_TLS_INSPECTOR_BYTES = 512
_JUDGED = frozenset({"filter_chains"})  # each by itself


_NOBODY = ResourceRef(kind="")
Before = tuple[Listener, pb.Listener]  # what it was, and what that became, without a problem


def listener(one: Listener, report: Report, before: Before | None = None) -> pb.Listener:
    """A chain that cannot be translated, or that Envoy would refuse, is reported, and refuses its connections.

    Chains that are as `before` are not translated again.
    """
    match one.transport:
        case Transport.TCP | Transport.UNIX:
            return sound(tcp_listener(one, report, before), but=_JUDGED)
        case Transport.QUIC:
            return sound(quic_listener(one, report, before), but=_JUDGED)
        case other:
            assert_never(other)


def _chains(one: Listener, report: Report, before: Before | None) -> list[pb.FilterChain]:
    found = []
    known = _known(one, before)
    for chain in one.chains:
        earlier = known.get(chain.name)
        if earlier is not None and earlier[0] == chain:
            found.append(earlier[1])
            continue
        make = partial(_chain, chain, one)
        made = attempt(Stage.TRANSLATE, chain.origin, make, report, None, chain.at)
        found.append(made or closed_chain(chain, one))
    return found


def _chain(chain: Chain, one: Listener) -> pb.FilterChain:
    return sound(filter_chain(chain, one))


def _known(one: Listener, before: Before | None) -> Mapping[str, tuple[Chain, pb.FilterChain]]:
    """Chains by name, and what they became; none where the rest of the listener differs, which they take from."""
    if before is None or _but_chains(one) != _but_chains(before[0]):
        return {}
    # Those that are no chain of ours stand behind the others.
    pairs = zip(before[0].chains, before[1].filter_chains, strict=False)
    return {chain.name: (chain, made) for chain, made in pairs}


def _but_chains(one: Listener) -> Listener:
    """What a chain may take from. The object of the first server is whom Envoy's refusal goes back to, no more."""
    return replace(one, chains=(), refused=(), origin=_NOBODY)


def _common(
    one: Listener, protocol: "pb.SocketAddress.Protocol.ValueType", report: Report, before: Before | None
) -> pb.Listener:
    out = pb.Listener(
        name=one.name,
        # TCP and QUIC on one port would otherwise count as one.
        stat_prefix=one.name,
        address=address(one.address, one.port, protocol),
        filter_chains=_chains(one, report, before),
        # Outbound is Istio's word for a gateway too.
        traffic_direction=pb.TrafficDirection.INBOUND if one.inbound else pb.TrafficDirection.OUTBOUND,
        max_connections_to_accept_per_socket_event=uint32(1),
    )
    if one.edge.buffer_limit is not None:
        out.per_connection_buffer_limit_bytes.value = one.edge.buffer_limit
    return out


def tcp_listener(one: Listener, report: Report, before: Before | None = None) -> pb.Listener:
    """TCP, or a Unix socket."""
    out = _common(one, pb.SocketAddress.TCP, report, before)
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


def quic_listener(one: Listener, report: Report, before: Before | None = None) -> pb.Listener:
    """The HTTP/3 mirror. A listener's own access log writes nothing on QUIC: it is left out."""
    out = _common(one, pb.SocketAddress.UDP, report, before)
    out.default_filter_chain.CopyFrom(refusing_chain())
    if one.refused:
        out.filter_chains.append(refusing_chain(one.refused))
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
