"""What is announced in one step of the state; the whole of it is in test_state."""

from tests.unit.plane.harness import GATEWAY, GOOD, H3, Plane, https, server


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
