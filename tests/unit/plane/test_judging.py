"""What Envoy's counters say is taken in by the state."""

from datetime import timedelta

from mizzen.http3.health import Counters
from mizzen.plane.statistics import Meters
from tests.unit.plane.harness import CLEAR, GATEWAY, Plane, https, server

SHOP = server("shop")
POLICY = """
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: all, namespace: istio-system}
spec:
  announcement:
    rollout: Gradual
    stages: [{maxAge: 10s, duration: 60s}, {maxAge: 1h}]
    stepBack: {interval: 10s, badIntervals: 2, goodIntervals: 3, pause: 60s}
"""
TEXT = https("shop") + POLICY
UDP, TCP = "udp_0.0.0.0_8443", "0.0.0.0_8443"


def announced(text: str = TEXT) -> Plane:
    plane = Plane()
    plane.build(text)
    plane.connect().settle()
    plane.prove()
    plane.wait(1)
    return plane


def age(plane: Plane) -> str:
    value = plane.state.server(GATEWAY, SHOP).value or ""
    return value.rpartition("=")[2] if value.startswith("h3") else value


def test_nobody_is_asked_where_nothing_is_judged() -> None:
    plane = announced(https("shop"))
    plane.wait(600)
    assert plane.watched == 0


def test_envoys_are_asked_for_what_is_judged_once_in_each_interval() -> None:
    plane = announced()
    plane.wait(100)
    assert 10 <= plane.watched <= 12
    assert plane.asked == {
        GATEWAY: (
            "127.0.0.1",
            frozenset(
                {
                    Meters(
                        listener=UDP,
                        prefix=f"outbound_{UDP};",
                        tcp_listener=TCP,
                        tcp_prefix=f"outbound_{TCP};",
                    )
                }
            ),
        )
    }


def test_it_goes_on_by_time_and_back_where_it_is_bad_and_on_again() -> None:
    plane = announced()
    assert age(plane) == "10"
    plane.wait(61)
    assert age(plane) == "3600"
    plane.counters = lambda number: Counters(requests=100 * number, errors=50 * number)
    plane.wait(31)
    assert age(plane) == "10"
    assert "50% of 100 requests over HTTP/3 failed" in plane.state.server(GATEWAY, SHOP).reason
    plane.wait(20)
    assert age(plane) == CLEAR
    plane.counters = lambda number: Counters(requests=100 * number)
    plane.wait(130)
    assert age(plane) == "10"
    plane.wait(300)
    assert age(plane) == "3600"


def test_an_envoy_that_tells_nothing_keeps_nobody_back() -> None:
    plane = announced()
    plane.counters = None
    plane.wait(61)
    assert age(plane) == "3600"


def test_a_server_that_is_gone_is_not_looked_at_any_more() -> None:
    plane = announced()
    plane.build(https("other"))
    plane.settle()
    before = plane.watched
    plane.wait(100)
    assert plane.watched - before <= 1
    assert not plane.state.watches.counted


def test_what_is_judged_is_followed_as_policies_change() -> None:
    plane = announced(https("shop"))
    plane.build(TEXT)
    plane.settle()
    plane.wait(timedelta(seconds=25).total_seconds())
    assert plane.watched >= 2
    plane.build(https("shop"))
    plane.settle()
    before = plane.watched
    plane.wait(100)
    assert plane.watched - before <= 1
