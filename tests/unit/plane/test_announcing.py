"""What is announced in one step of the state; the whole of it is in test_state."""

from dataclasses import replace
from datetime import timedelta

from mizzen.http3.life import SLACK
from mizzen.plane.announcement_file import from_value, to_value
from mizzen.xds.resource_type import LISTENER
from tests.unit.plane.harness import BAD, CLEAR, GATEWAY, GOOD, H3, Plane, https, server

SHOP, UDP = server("shop"), "udp_0.0.0.0_8443"
OFF = {"PILOT_ENABLE_QUIC_LISTENERS": "false"}
DAY, DRAIN = timedelta(days=1), timedelta(seconds=20)


def test_only_servers_with_a_mirror_are_tried() -> None:
    plane = Plane()
    plane.build(https("shop") + "---" + https("plain").replace("mode: SIMPLE", "mode: PASSTHROUGH"))
    plane.connect().settle()
    assert {effect.key for effect in plane.proving} == {(GATEWAY, server("shop"))}


def test_who_serves_a_server_is_followed_as_builds_come_and_go() -> None:
    plane = Plane()
    plane.build(https("shop"))
    plane.connect().settle()
    plane.prove(GOOD)
    key = (GATEWAY, server("shop"))
    assert plane.state.holders[key] == (GATEWAY,)
    plane.build(https("other"))
    assert key not in plane.state.holders
    assert plane.state.servers[key].value == "clear"  # while clients remember it
    plane.build(https("shop"))
    plane.settle()
    plane.wait(1, GOOD)
    assert plane.says(server("shop")) == H3


# --- through the public address ------------------------------------------------------------------------

PUBLIC = """
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: all, namespace: istio-system}
spec: {announcement: {publicAddress: 203.0.113.9}}
"""


def test_where_there_is_a_public_address_a_mirror_is_proven_through_it_too() -> None:
    plane = Plane()
    plane.build(https("shop") + PUBLIC)
    plane.connect()
    assert not plane.proving
    plane.settle()
    own, outside = plane.proving
    assert (own.subject.address, outside.subject.address) == ("127.0.0.1", "203.0.113.9")
    assert outside.subject == replace(own.subject, address="203.0.113.9", port=8443)
    plane.proving.clear()
    plane.take(plane.state.on_proof(own.key, own.subject, GOOD, plane.now))
    assert plane.says(SHOP) is None
    plane.take(plane.state.on_proof(outside.key, outside.subject, BAD, plane.now))
    assert plane.state.server(GATEWAY, SHOP).reason == "through 203.0.113.9: no QUIC handshake"
    plane.wait(5, GOOD)
    assert plane.says(SHOP) == H3

    plane.build(https("shop"))
    plane.settle()
    assert plane.says(SHOP) == H3
    assert plane.state.trials.of_envoy.keys() == {GATEWAY}
    plane.build(https("shop") + PUBLIC)
    plane.settle()
    plane.number += 1
    plane.serve({})
    assert not plane.state.trials.of_envoy


# --- a mirror that nobody wants any more --------------------------------------------------------------


def announced() -> Plane:
    plane = Plane()
    plane.build(https("shop"))
    plane.connect().settle()
    plane.prove()
    assert plane.says(SHOP) == H3
    return plane


def listens(plane: Plane) -> bool:
    return UDP in plane.published[GATEWAY].of(LISTENER.url)


def chains(plane: Plane) -> int:
    (quic,) = (
        one for one in plane.state.gateways[GATEWAY].translated.build.model.listeners if one.name == UDP
    )
    return len(quic.chains)


def rebuilt(plane: Plane, text: str) -> bool:
    """Was another build asked for? Then it has been made."""
    asked, plane.rebuilds = plane.rebuilds, 0
    if asked:
        plane.build(text)
        plane.settle()
    return bool(asked)


def test_switched_off_it_is_served_on_until_all_have_forgotten_it_then_refuses_then_goes() -> None:
    plane = announced()
    plane.environment = OFF
    plane.build(https("shop"))
    plane.settle()
    assert (plane.says(SHOP), listens(plane), chains(plane)) == (CLEAR, True, 1)
    before = plane.published[GATEWAY].of(LISTENER.url)[UDP]

    plane.wait((DAY - timedelta(seconds=1)).total_seconds(), None)
    assert not rebuilt(plane, https("shop"))
    assert plane.published[GATEWAY].of(LISTENER.url)[UDP] == before  # not touched
    plane.wait((2 * SLACK).total_seconds(), None)
    assert plane.says(SHOP) is None
    assert rebuilt(plane, https("shop"))
    assert listens(plane) is False  # so late that it is drained too


def test_the_listener_refuses_for_a_drain_time_after_its_chains_have_gone() -> None:
    plane = announced()
    plane.environment = OFF
    plane.build(https("shop"))
    plane.settle()
    until = plane.state.server(GATEWAY, SHOP).promised_until
    assert until is not None
    plane.wait((until - plane.now).total_seconds(), None)
    assert rebuilt(plane, https("shop"))
    assert (plane.says(SHOP), listens(plane), chains(plane)) == (None, True, 0)
    plane.wait((DRAIN - timedelta(seconds=1)).total_seconds(), None)
    assert not rebuilt(plane, https("shop"))
    plane.wait(1, None)
    assert rebuilt(plane, https("shop"))
    assert not listens(plane)
    assert not plane.state.lingering[GATEWAY].open


def test_of_a_server_that_is_deleted_the_listener_stays_and_refuses() -> None:
    plane = announced()
    plane.build(https("other", port=80).replace("HTTPS}", "HTTP}").replace("tls:", "# "))
    plane.settle()
    assert (listens(plane), chains(plane)) == (True, 0)


def test_a_control_plane_that_is_started_again_goes_on_with_it() -> None:
    first, second = announced(), Plane(environment=OFF)
    second.take(second.state.on_promises(from_value(to_value(first.keeping[-1].promises)), second.now))
    second.build(https("shop"))
    second.connect().settle()
    assert (second.says(SHOP), listens(second), chains(second)) == (CLEAR, True, 1)


def test_a_promise_that_another_replica_tells_of_brings_the_mirror_back_until_it_is_forgotten() -> None:
    first, second = announced(), Plane(environment=OFF)
    second.build(https("shop"))
    second.connect().settle()
    assert not listens(second)
    second.take(second.state.on_promises(from_value(to_value(first.keeping[-1].promises)), second.now))
    assert rebuilt(second, https("shop"))
    assert (second.says(SHOP), listens(second), chains(second)) == (CLEAR, True, 1)


def test_switched_on_again_the_very_same_listener_is_announced_again() -> None:
    plane = announced()
    before = plane.published[GATEWAY].of(LISTENER.url)[UDP]
    plane.environment = OFF
    plane.build(https("shop"))
    plane.settle()
    plane.environment = {}
    plane.build(https("shop"))
    plane.settle()
    plane.wait(1)
    assert plane.says(SHOP) == H3
    assert plane.published[GATEWAY].of(LISTENER.url)[UDP] == before


def test_no_build_is_asked_for_while_all_is_wanted() -> None:
    plane = announced()
    plane.wait(100, GOOD)
    plane.wait(31, BAD)
    plane.wait((2 * DAY).total_seconds(), BAD)
    assert plane.says(SHOP) is None
    assert plane.rebuilds == 0
    assert listens(plane)
