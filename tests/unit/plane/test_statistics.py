"""Envoy's statistics, as it writes them for Prometheus."""

from mizzen.http3.health import RX, TX, Counters
from mizzen.plane.statistics import Meters, readings

UDP, TCP = "udp_0.0.0.0_8443", "0.0.0.0_8443"
MINE = Meters(listener=UDP, prefix="mine", tcp_listener=TCP, tcp_prefix="mine")
OTHER = Meters(listener=UDP, prefix=f"outbound_{UDP};", tcp_listener=TCP, tcp_prefix=f"outbound_{TCP};")
# As Envoy 1.40 answers, with the tags of our bootstrap.
TEXT = f"""\
# TYPE envoy_http_downstream_cx_total counter
envoy_http_downstream_cx_total{{envoy_http_conn_manager_prefix="refuse-unknown"}} 2
envoy_listener_downstream_cx_total{{envoy_listener_address="{TCP}"}} 7
envoy_listener_downstream_cx_total{{envoy_listener_address="admin"}} 14
envoy_listener_downstream_cx_total{{envoy_listener_address="{UDP}"}} 16
envoy_listener_http_downstream_rq_completed{{envoy_http_conn_manager_prefix="mine",envoy_listener_address="{TCP}"}} 100
envoy_listener_http_downstream_rq_completed{{envoy_http_conn_manager_prefix="mine",envoy_listener_address="{UDP}"}} 40
envoy_listener_http_downstream_rq_xx{{envoy_response_code_class="5",envoy_http_conn_manager_prefix="mine",envoy_listener_address="{UDP}"}} 4
envoy_listener_http_downstream_rq_xx{{envoy_response_code_class="4",envoy_http_conn_manager_prefix="mine",envoy_listener_address="{UDP}"}} 9
envoy_listener_http_downstream_rq_xx{{envoy_response_code_class="5",envoy_http_conn_manager_prefix="mine",envoy_listener_address="{TCP}"}} 1
envoy_listener_http_downstream_rq_completed{{envoy_http_conn_manager_prefix="outbound_{UDP};",envoy_listener_address="{UDP}"}} 3
envoy_listener_http3_downstream_rx_quic_connection_close_error_code_QUIC_NO_ERROR{{envoy_listener_address="{UDP}"}} 4
envoy_listener_http3_downstream_tx_quic_connection_close_error_code_QUIC_HANDSHAKE_FAILED{{envoy_listener_address="{UDP}"}} 2
envoy_listener_worker_downstream_cx_total{{envoy_worker_id="1",envoy_listener_address="{UDP}"}} 16
envoy_listener_quic_stats_cx_rtt_us_bucket{{envoy_listener_address="{UDP}",le="1000"}} 3
envoy_listener_quic_stats_cx_rtt_us_bucket{{envoy_listener_address="{UDP}",le="+Inf"}} 6
envoy_listener_quic_stats_cx_rtt_us_sum{{envoy_listener_address="{UDP}"}} 213817.430058313359040766954422
something else
"""


def test_a_server_is_counted_at_its_own_prefix_and_its_connections_at_its_listener() -> None:
    found = readings(TEXT, (MINE, OTHER))
    assert found[MINE] == Counters(
        connections=14,
        refused=2,
        closes={(RX, "QUIC_NO_ERROR"): 4, (TX, "QUIC_HANDSHAKE_FAILED"): 2},
        requests=40,
        errors=4,
        tcp_requests=100,
        tcp_errors=1,
        round_trips={1000.0: 3, float("inf"): 6},
    )
    assert (found[OTHER].requests, found[OTHER].tcp_requests, found[OTHER].connections) == (3, 0, 14)


def test_of_what_has_not_come_envoy_says_nothing() -> None:
    assert readings("", (MINE,)) == {MINE: Counters()}


def test_an_ipv6_listener_has_no_colons_in_its_statistics() -> None:
    six = Meters(listener="udp_::_8443", prefix="mine", tcp_listener="::_8443", tcp_prefix="mine")
    for written in ("udp____8443", "udp_::_8443"):
        assert readings(TEXT.replace(UDP, written), (six,))[six].requests == 40
