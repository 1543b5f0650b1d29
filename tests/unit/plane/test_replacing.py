"""QUIC listeners that are emptied before they are replaced."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mizzen._api import pb
from mizzen.envoy.config import envoy_config
from mizzen.model.quic import QuicTransport
from mizzen.plane.replacing import replacing
from mizzen.xds.resource_type import LISTENER
from mizzen.xds.snapshot import Snapshot
from tests.harness import small_models as small
from tests.harness.snapshots import held
from tests.unit.plane.harness import CLEAR, GATEWAY, H3, Plane, https, server

SHOP = server("shop")
NAME = "udp_0.0.0.0_8443"
NOW, DRAIN = datetime(2026, 1, 1, tzinfo=UTC), timedelta(seconds=20)
POLICY = """
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: all, namespace: istio-system}
spec:
  transport: {idleTimeout: 30s}
"""


def snapshot(*hosts: str, quic: QuicTransport | None = None) -> Snapshot:
    model = small.mirrored(*hosts)
    tcp, udp = model.listeners
    return held(envoy_config(replace(model, listeners=(tcp, replace(udp, quic=quic or QuicTransport()))), {}))


def told(plane: Plane) -> tuple[int, list[str]]:
    """Idle time and chains of the QUIC listener, as its Envoy is told."""
    found = pb.Listener.FromString(plane.published[GATEWAY].of(LISTENER.url)[NAME].body)
    idle = found.udp_listener_config.quic_options.idle_timeout.seconds
    return idle, [chain.name for chain in found.filter_chains]


def announced() -> Plane:
    plane = Plane()
    plane.build(https("shop"))
    plane.connect().settle()
    plane.prove()
    plane.wait(1)
    assert plane.says(SHOP) == H3
    return plane


def test_chains_come_and_go_in_place() -> None:
    assert replacing(None, snapshot(), snapshot("a.test", "b.test"), NOW, DRAIN) is None


def test_of_another_idle_time_connections_drain_first() -> None:
    old, new = snapshot(), snapshot(quic=QuicTransport(idle_timeout=timedelta(seconds=30)))
    found = replacing(None, old, new, NOW, DRAIN)

    assert found is not None
    assert found.until > NOW + DRAIN
    meanwhile = found.offered(new)
    # The next change does not begin anew, and to go back to what there was is a change in place.
    assert replacing(found, meanwhile, new, NOW + DRAIN, DRAIN) == found
    assert replacing(found, meanwhile, old, NOW + DRAIN, DRAIN) is None


def test_the_old_listener_is_emptied_and_then_replaced_and_announced_again() -> None:
    plane = announced()
    _, chains = told(plane)
    plane.build(https("shop") + POLICY)
    assert told(plane) == (120, ["refuse-not-mirrored"])
    assert plane.says(SHOP) == CLEAR
    assert "replaced" in plane.state.server(GATEWAY, SHOP).reason
    plane.settle()
    plane.wait(20)
    assert told(plane) == (120, ["refuse-not-mirrored"])
    plane.wait(3)
    assert told(plane) == (30, chains)
    plane.settle()
    plane.wait(2)
    assert plane.says(SHOP) == H3


def test_to_think_better_of_it_ends_it_at_once() -> None:
    plane = announced()
    before = told(plane)
    plane.build(https("shop") + POLICY)
    plane.settle()
    plane.build(https("shop"))
    assert told(plane) == before
    plane.settle()
    plane.wait(2)
    assert plane.says(SHOP) == H3


def test_where_nobody_is_connected_nobody_is_waited_for() -> None:
    plane = Plane()
    plane.build(https("shop"))
    plane.build(https("shop") + POLICY)

    assert told(plane)[0] == 30
