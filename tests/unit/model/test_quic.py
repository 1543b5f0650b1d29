"""The defaults of QUIC listeners."""

from datetime import timedelta

from mizzen.model.quic import QuicTransport

SHORTEST_OFFER = timedelta(seconds=30)  # the idle time that browsers offer


def test_clients_hear_from_a_gateway_that_works_for_them_before_they_give_up():
    quic = QuicTransport()

    assert quic.keepalive < SHORTEST_OFFER < quic.idle_timeout


def test_the_window_of_a_client_holds_that_of_each_of_its_requests():
    quic = QuicTransport()

    assert quic.stream_window_bytes <= quic.connection_window_bytes
