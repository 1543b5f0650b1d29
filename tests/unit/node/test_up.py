"""What the user of `mizzen up` reads."""

from typing import Any

from mizzen.node.up import _Teller, nothing_served, ready_line
from mizzen.status import Status

STATUS = Status.from_json(
    {
        "problems": [],
        "gateways": {
            "a.istio-system": {
                "listeners": [
                    {"name": "0.0.0.0_8080", "address": "0.0.0.0", "port": 8080, "transport": "tcp"},
                    {"name": "0.0.0.0_8443", "address": "0.0.0.0", "port": 8443, "transport": "tcp"},
                    {"name": "udp_0.0.0.0_8443", "address": "0.0.0.0", "port": 8443, "transport": "quic"},
                ]
            }
        },
    }
)


def test_the_ready_line_says_what_is_served_where() -> None:
    assert ready_line(STATUS) == (
        "ready: a.istio-system serves 0.0.0.0:8080 (TCP), 0.0.0.0:8443 (TCP, HTTP/3)"
    )


def test_problems_are_shown_after_the_ready_line_and_logs_not_at_all() -> None:
    lines: list[str] = []
    teller = _Teller(lines.append)

    teller.on_line("control plane", "| a.yaml:1:1: it is wrong\n")
    teller.on_line("control plane", "2026 INFO something\n")
    teller.on_line("httpbin", "| not for you\n")
    assert lines == []

    teller.on_ready(STATUS)
    teller.on_line("control plane", "| mended: a.yaml:1:1\n")

    assert lines == [ready_line(STATUS), "a.yaml:1:1: it is wrong", "mended: a.yaml:1:1"]


def test_why_nothing_can_be_served_is_shown_at_once() -> None:
    lines: list[str] = []
    teller = _Teller(lines.append)

    teller.on_line("control plane", "| ! nothing can be worked out\n")

    assert lines == ["nothing can be worked out"]


def told(*problems: dict[str, str], proxies: Any = ()) -> str:
    return nothing_served(
        Status.from_json({"problems": list(problems), "gateways": {}, "proxies": list(proxies)})
    )


def test_nothing_to_serve_says_what_is_missing() -> None:
    unserved = {
        "severity": "warning",
        "code": "GW-005",
        "resource": "Gateway/default/gw",
        "origin": "a.yaml:3:1",
        "message": "no gateway has the labels istio=ingress",
        "hint": "There is another.",
    }
    error = {"severity": "error", "code": "FLD-001"}
    proxy = {"name": "gw", "namespace": "edge", "labels": {"istio": "edge"}}
    assert told(error, unserved) == (
        "not ready, since nothing is served: a.yaml:3:1: Gateway/default/gw: no gateway has the labels istio=ingress. "
        "There is another.\nWith --wait it stays, and serves what comes."
    )
    assert "what is wrong with it is told above" in told(error)
    assert "the 2 errors are told above" in told(error, error)
    assert "There is the gateway gw.edge (istio=edge)." in told(proxies=[proxy])
    assert "There is no gateway either." in told()
