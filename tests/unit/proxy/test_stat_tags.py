import re

import pytest

from mizzen.proxy.stat_tags import stats_config


def taken_apart(name: str) -> tuple[str, dict[str, str]]:
    """What is left of a name, and its labels by our own rules, in Envoy's way: the first rule of a label that fits."""
    labels: dict[str, str] = {}
    spans = []
    for tag in stats_config()["stats_tags"]:
        match = re.search(tag["regex"], name) if "regex" in tag and tag["tag_name"] not in labels else None
        if match:
            labels[tag["tag_name"]] = match[2]
            spans.append(match.span(1))
    for start, end in sorted(spans, reverse=True):
        name = name[:start] + name[end:]
    return name, {key.removeprefix("envoy."): value for key, value in labels.items()}


@pytest.mark.parametrize(
    ("name", "rest", "labels"),
    [
        (
            "http.outbound_udp_0.0.0.0_8443;.downstream_rq_http3_total",
            "http.downstream_rq_http3_total",
            {"http_conn_manager_prefix": "outbound_udp_0.0.0.0_8443;"},
        ),
        (
            "http.agent.downstream_rq_total",
            "http.downstream_rq_total",
            {"http_conn_manager_prefix": "agent"},
        ),
        (
            "listener.udp_0.0.0.0_8443.http3.downstream.rx.quic_connection_close_error_code_QUIC_NO_ERROR",
            "listener.http3.downstream.rx.quic_connection_close_error_code_QUIC_NO_ERROR",
            {"listener_address": "udp_0.0.0.0_8443"},
        ),
        (
            "listener.udp_0.0.0.0_8443.worker_11.downstream_cx_total",
            "listener.worker.downstream_cx_total",
            {"listener_address": "udp_0.0.0.0_8443", "worker_id": "11"},
        ),
        (
            "listener.[::]_443.downstream_cx_total",
            "listener.downstream_cx_total",
            {"listener_address": "[::]_443"},
        ),
        (
            "listener.udp_2001:db8::1_443.downstream_cx_total",
            "listener.downstream_cx_total",
            {"listener_address": "udp_2001:db8::1_443"},
        ),
        (
            "listener.agent.worker_0.downstream_cx_total",
            "listener.worker_0.downstream_cx_total",  # Envoy's own rule takes the number out
            {"listener_address": "agent"},
        ),
        (
            "listener.10.0.0.1_80.http.outbound_10.0.0.1_80;.downstream_rq_2xx",
            "listener.http.downstream_rq_2xx",
            {"listener_address": "10.0.0.1_80", "http_conn_manager_prefix": "outbound_10.0.0.1_80;"},
        ),
        ("cluster.outbound|80||a.b.downstream", "cluster.outbound|80||a.b.downstream", {}),
    ],
)
def test_names_of_listeners_are_labels_as_a_whole(name: str, rest: str, labels: dict[str, str]) -> None:
    assert taken_apart(name) == (rest, labels)
