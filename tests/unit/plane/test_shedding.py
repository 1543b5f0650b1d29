"""HTTP/3 that is given up for want of CPU, in the state of the control plane."""

from mizzen.http3.shedding import Level
from mizzen.xds.resource_type import LISTENER
from tests.unit.plane.harness import CLEAR, GATEWAY, H3, Plane, https, server

SHOP = server("shop")
POLICY = """
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: all, namespace: istio-system}
spec:
  shedding: {cpuBudget: 80, recoverAt: 60, after: 10s, calm: 30s}
"""
TEXT = https("shop") + POLICY


def announced(text: str = TEXT) -> Plane:
    plane = Plane()
    plane.build(text)
    plane.connect().settle()
    plane.prove()
    plane.wait(1)
    assert plane.says(SHOP) == H3
    return plane


def refuses(plane: Plane) -> bool:
    """Do the listeners of QUIC refuse new connections, as the gateway is told?"""
    return any(b"refuse-shed" in entry.body for entry in plane.published[GATEWAY].of(LISTENER.url).values())


def test_nobody_is_asked_where_nothing_is_shed() -> None:
    plane = announced(https("shop"))
    plane.wait(60)

    assert plane.measured == 0


def test_answers_say_clear_then_quic_refuses_and_both_come_back() -> None:
    plane = announced()
    plane.cpu = 95.0
    plane.wait(12)
    assert plane.says(SHOP) == CLEAR
    assert plane.state.server(GATEWAY, SHOP).reason == "shed: CPU 95 % of a budget of 80 % for 10 s"
    assert (plane.rebuilds, plane.state.sheds.shed(GATEWAY).level) == (0, Level.CLEAR)
    plane.wait(11)
    assert plane.rebuilds == 1
    plane.build(TEXT)
    assert refuses(plane)
    assert plane.says(SHOP) == CLEAR
    plane.settle()
    plane.cpu = 10.0
    plane.wait(32)
    assert plane.rebuilds == 2
    plane.build(TEXT)
    assert not refuses(plane)
    plane.settle()
    plane.wait(32)
    assert plane.state.sheds.shed(GATEWAY).level is Level.NONE
    assert plane.says(SHOP) == H3


def test_a_policy_that_goes_ends_it_at_once() -> None:
    plane = announced()
    plane.cpu = 95.0
    plane.wait(23)
    plane.build(TEXT)
    assert refuses(plane)
    before = plane.rebuilds
    plane.build(https("shop"))
    assert plane.rebuilds == before + 1
    plane.build(https("shop"))
    assert not refuses(plane)
    plane.settle()
    plane.wait(5)
    assert plane.says(SHOP) == H3


def test_of_an_envoy_that_does_not_say_nothing_follows() -> None:
    plane = announced()
    plane.cpu = None
    plane.wait(60)

    assert plane.measured
    assert plane.says(SHOP) == H3
