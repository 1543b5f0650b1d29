"""What the user of `mizzen up` reads."""

from mizzen.node.up import _Teller, ready_line
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
