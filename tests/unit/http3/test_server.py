"""When answers promise HTTP/3, when they take it back, and when they say nothing."""

import json
from datetime import timedelta

from mizzen.http3.announcement import Phase
from mizzen.http3.evidence import Evidence
from mizzen.http3.life import GRACE, SLACK
from mizzen.http3.server import Server
from mizzen.http3.written import from_json, to_json
from tests.unit.http3.harness import (
    DAY,
    FAILED,
    H3,
    NOW,
    PROVEN,
    SOON,
    TRYING,
    UNKNOWN,
    an_announcement,
    life,
)


def test_nothing_is_said_before_a_proof():
    for evidence in (UNKNOWN, TRYING, FAILED, Evidence(acked=False, proven=True)):
        assert life(evidence).value is None


def test_a_proven_mirror_is_announced_for_a_day():
    found = life(UNKNOWN, TRYING, PROVEN)
    assert found.value == H3
    assert found.phase is Phase.ANNOUNCED
    assert found.reason == ""


def test_a_promise_is_not_given_before_it_is_written_down():
    found = life(TRYING).step(PROVEN, NOW)
    assert (found.value, found.reason) == (None, "what it promises is not written down yet")
    assert found.is_pending
    assert from_json(to_json(found)).follow((an_announcement(),), NOW).value == H3  # what is written
    assert found.kept().value == H3
    assert found.step(FAILED, NOW).kept().value is None  # nobody has heard it


def test_what_is_taken_back_stays_so_until_the_new_promise_is_written_down():
    found = life(PROVEN, FAILED).step(PROVEN, NOW)
    assert found.value == "clear"
    assert found.kept().value == H3


def test_a_failed_proof_takes_an_announcement_back():
    found = life(PROVEN, FAILED)
    assert found.value == "clear"
    assert found.phase is Phase.WITHDRAWN
    assert found.reason == "no answer"


def test_a_withdrawn_announcement_comes_back_with_a_new_proof():
    assert life(PROVEN, FAILED, TRYING).value == "clear"
    assert life(PROVEN, FAILED, PROVEN).value == H3


def test_clear_is_said_until_the_last_client_has_forgotten():
    found = life(PROVEN).follow((an_announcement(port=None),), NOW)
    assert found.value == "clear"
    assert found.step(UNKNOWN, NOW + DAY).value == "clear"
    assert found.step(UNKNOWN, NOW + DAY + SLACK).value is None


def test_why_it_was_taken_back_is_remembered():
    off = "HTTP/3 is switched off"
    found = life(PROVEN).follow((an_announcement(port=None, why=off),), NOW)
    assert [turn.reason for turn in found.shown.history] == ["proven by a request over HTTP/3", off]
    gone = life(PROVEN).follow((), NOW)
    assert gone.shown.history[-1].reason == "the configuration has no mirror for it any more"


def test_a_promise_that_was_made_for_longer_lasts_longer():
    week = 7 * DAY
    found = Server().follow((an_announcement(max_age=week),), NOW).step(PROVEN, NOW).kept()
    assert found.value == 'h3=":443"; ma=604800'
    shorter = found.follow((an_announcement(),), NOW).step(PROVEN, NOW + SOON)
    assert shorter.value == H3
    gone = from_json(json.loads(json.dumps(to_json(shorter)))).follow((an_announcement(port=None),), NOW)
    assert gone.step(UNKNOWN, NOW + week).value == "clear"


def test_a_server_that_was_never_announced_says_nothing_when_its_mirror_goes():
    assert life(TRYING).follow((an_announcement(port=None),), NOW).value is None


def test_a_promise_lasts_from_the_last_time_it_was_given():
    found = life(PROVEN)
    later = NOW + timedelta(hours=20)
    found = found.step(PROVEN, later).step(FAILED, later)
    assert found.step(FAILED, later + DAY).value == "clear"


def test_an_announcement_stays_while_it_is_proven_anew():
    found = life(PROVEN, TRYING)
    assert found.value == H3
    assert found.step(TRYING, NOW + DAY).value == H3


def test_an_announcement_stays_for_a_while_when_envoy_confirms_nothing():
    found = life(PROVEN, UNKNOWN)
    assert found.value == H3
    assert found.step(UNKNOWN, NOW + GRACE).value == H3
    gone = found.step(UNKNOWN, NOW + GRACE + SOON)
    assert gone.value == "clear"
    assert "not confirmed" in gone.reason


def test_a_confirmation_in_between_begins_the_wait_anew():
    found = life(PROVEN, UNKNOWN).step(TRYING, NOW + GRACE)
    assert found.step(UNKNOWN, NOW + 2 * GRACE).value == H3


def test_another_listener_must_be_proven_itself():
    found = life(PROVEN).follow((an_announcement(listener="udp_0.0.0.0_9443"),), NOW)
    assert found.value == "clear"
    assert found.step(PROVEN, NOW).kept().value == H3


def test_another_port_must_be_proven_itself_and_what_was_promised_of_the_first_stays_known():
    found = life(PROVEN).follow((an_announcement(port=444),), NOW)
    assert found.value == "clear"
    moved = found.step(PROVEN, NOW).kept()
    assert moved.value == 'h3=":444"; ma=86400'
    back = moved.follow((an_announcement(port=None),), NOW + DAY + 3 * SLACK)
    assert back.value is None
    assert set(moved.states) == {443, 444}


def test_pods_that_do_not_agree_on_a_port_announce_none():
    both = (an_announcement(), an_announcement(port=None))
    assert life(PROVEN).follow(both, NOW).value == "clear"
    assert life(PROVEN).follow((an_announcement(), an_announcement()), NOW).value == H3


def test_a_promise_is_remembered_while_its_server_is_gone():
    gone = life(PROVEN).follow((), NOW)
    assert gone.follow((an_announcement(port=None),), NOW).value == "clear"
    assert gone.follow((), NOW + 2 * DAY).states == {}


def test_looking_again_changes_nothing():
    found = life(PROVEN)
    assert found.step(PROVEN, NOW + timedelta(seconds=30)) is found
    assert found.follow((an_announcement(),), NOW) is found


def test_only_a_first_proof_that_runs_is_waited_for():
    assert not life(UNKNOWN).is_unsettled
    assert life(TRYING).is_unsettled
    assert not life(FAILED).is_unsettled
    assert not life(PROVEN).is_unsettled
    assert not life(PROVEN, TRYING).is_unsettled


def test_until_when_a_client_may_come_is_that_of_the_longest_promise() -> None:
    assert Server().promised_until is None
    moved = (
        life(PROVEN)
        .follow((an_announcement(port=444),), NOW + 5 * SLACK)
        .step(PROVEN, NOW + 5 * SLACK)
        .kept()
    )
    assert moved.promised_until == moved.states[444].promised_until
    assert moved.promised_until > moved.states[443].promised_until
