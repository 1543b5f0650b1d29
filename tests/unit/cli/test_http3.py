"""Requests by protocol, from Envoy's own counters."""

from mizzen.cli.http3 import requests, row, server_value
from mizzen.status import MirrorStatus, Turn, to_json


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
    assert shown == ("gw", "https.443", "none", *"-------", "the Service does not open UDP")


def test_what_was_chosen_stands_beside_the_reason() -> None:
    def reason(**told: str) -> str:
        mirror = MirrorStatus(server="https.443", listener="udp_0.0.0.0_8443", **told)
        value = server_value("gw", mirror, {})
        assert value["choice"] == told.get("choice", "")
        return row(value)[-1]

    by = "HTTP3Policy/shop/web"
    assert reason(choice=f"without TCP by {by}") == f"without TCP by {by}"
    assert reason(reason="it is being tried", choice=f"a.test switched off by {by}") == (
        f"it is being tried; a.test switched off by {by}"
    )
    assert reason() == "-"


def test_how_far_an_announcement_has_come_is_shown() -> None:
    turn = Turn(at="2026-01-01T12:00:00Z", state="announced", stage=2, reason="it has held for 600 s")
    mirror = MirrorStatus(
        server="https.443",
        listener="udp_0.0.0.0_8443",
        announced='h3=":443"; ma=300',
        state="announced",
        stage=2,
        stages=4,
        since="2026-01-01T12:00:00Z",
        promised_until="2026-01-01T12:10:00Z",
        next_stage="2026-01-01T13:00:00Z",
        history=(turn,),
    )
    value = server_value("gw", mirror, {})
    assert row(value)[4:7] == ("2/4", "2026-01-01T12:00:00Z", "2026-01-01T12:10:00Z")
    assert value["nextStage"] == "2026-01-01T13:00:00Z"
    assert value["history"] == [to_json(turn)]
    withdrawn = MirrorStatus(server="https.443", announced="clear", state="withdrawn")
    assert row(server_value("gw", withdrawn, {}))[4] == "withdrawn"
