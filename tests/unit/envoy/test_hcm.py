"""How HTTP is spoken with clients: what is the same over TCP and QUIC, and how much a client may keep under way."""

from dataclasses import replace

import pytest

from mizzen._api import pb
from mizzen.envoy import hcm
from mizzen.envoy.filters import websocket
from mizzen.model.listener import Edge, Http2Limits, HttpService, Transport
from mizzen.model.quic import QuicTransport
from tests.harness import small_models as small


def manager(transport: Transport, edge: Edge | None = None) -> pb.HttpConnectionManager:
    service = small.chain().serve
    assert isinstance(service, HttpService)
    return hcm.http_connection_manager(service, edge or Edge(), transport, ())


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.QUIC])
def test_websockets_come_by_extended_connect_and_get_the_key_that_backends_want(transport: Transport) -> None:
    made = manager(transport)
    [upgrade] = made.upgrade_configs
    assert upgrade.upgrade_type == "websocket"
    assert [one.name for one in upgrade.filters] == [websocket.NAME, *(one.name for one in made.http_filters)]
    assert made.http2_protocol_options.allow_connect
    assert made.http3_protocol_options.allow_extended_connect == (transport is Transport.QUIC)


def test_a_malformed_request_costs_its_own_stream() -> None:
    tcp, quic = manager(Transport.TCP), manager(Transport.QUIC)
    assert tcp.http2_protocol_options.override_stream_error_on_invalid_http_message.value
    assert quic.http3_protocol_options.override_stream_error_on_invalid_http_message.value


def test_the_windows_of_a_client_are_those_that_it_has_over_quic() -> None:
    options = manager(Transport.TCP).http2_protocol_options
    assert options.initial_stream_window_size.value == QuicTransport().stream_window_bytes
    assert options.initial_connection_window_size.value == QuicTransport().connection_window_bytes


def test_other_windows_are_those_that_were_asked_for() -> None:
    edge = replace(Edge(), http2=Http2Limits(stream_window=65536, connection_window=2**24))
    options = manager(Transport.TCP, edge).http2_protocol_options
    assert options.initial_stream_window_size.value == 65536
    assert options.initial_connection_window_size.value == 2**24
