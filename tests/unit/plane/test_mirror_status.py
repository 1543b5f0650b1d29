"""What is told of each HTTPS server."""

from mizzen.http3.life import PROVEN
from mizzen.plane.mirror_status import mirrors
from mizzen.status import MirrorStatus
from tests.unit.plane.harness import BAD, CLEAR, GATEWAY, H3, Plane, https


def told(plane: Plane) -> dict[str, MirrorStatus]:
    found = mirrors(plane.state, plane.state.gateways[GATEWAY], lambda problem: problem, plane.now)
    return {one.server: one for one in found}


def test_what_became_of_a_mirror_and_when_is_told() -> None:
    plane = Plane()
    plane.build(https("shop"))
    plane.connect().settle()
    (one,) = told(plane).values()
    assert (one.state, one.stage, one.stages, one.promised_until) == ("withheld", 0, 1, "")
    plane.prove()
    (one,) = told(plane).values()
    assert (one.announced, one.state, one.stage, one.next_stage) == (H3, "announced", 1, "")
    assert (one.since, one.promised_until) == ("2026-01-01T12:00:00Z", "2026-01-02T13:00:00Z")
    assert [(turn.at, turn.state, turn.stage, turn.reason) for turn in one.history] == [
        (one.since, "announced", 1, PROVEN)
    ]
    plane.wait(31, BAD)
    (one,) = told(plane).values()
    assert (one.announced, one.state, one.stage, one.reason) == (CLEAR, "withdrawn", 0, "no QUIC handshake")
    assert one.history[-1].reason == "no QUIC handshake"


def test_a_server_that_is_gone_is_told_while_clients_remember_it() -> None:
    plane = Plane()
    plane.build(https("shop") + "---" + https("other"))
    plane.connect().settle()
    plane.prove()
    plane.wait(1)
    plane.build(https("other"))
    plane.settle()
    gone = told(plane)["https.443.https.shop.istio-system"]
    assert (gone.state, gone.reason) == ("withdrawn", "the configuration has no such server any more")
    assert gone.promised_until == "2026-01-02T13:00:00Z"
    plane.wait(26 * 3600)
    assert told(plane).keys() == {"https.443.https.other.istio-system"}
