"""Requests by protocol, from Envoy's own counters."""

from mizzen.cli.http3 import requests, row, server_value
from mizzen.status import MirrorStatus


def stat(name: str, value: int) -> dict[str, object]:
    return {"name": name, "value": value}


def test_tcp_and_udp_of_a_port_are_counted_together() -> None:
    stats = {
        "stats": [
            stat("http.outbound_0.0.0.0_8443;.downstream_rq_http2_total", 5),
            stat("http.outbound_udp_0.0.0.0_8443;.downstream_rq_http3_total", 7),
            stat("http.admin.downstream_rq_http1_total", 9),
            {"histograms": {}},
        ]
    }
    assert requests(stats) == {"0.0.0.0_8443": {"http1": 0, "http2": 5, "http3": 7}}


def test_a_server_without_a_mirror_says_why_and_counts_nothing() -> None:
    mirror = MirrorStatus(server="https.443", reason="the Service does not open UDP")
    shown = row(server_value("gw", mirror, {}))
    assert shown == ("gw", "https.443", "none", "-", "-", "-", "-", "the Service does not open UDP")
