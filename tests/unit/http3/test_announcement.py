"""When answers promise HTTP/3, when they take it back, and when they say nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizzen.errors import ResourceRef
from mizzen.http3.announcement import (
    FAILURE_LASTS,
    GRACE,
    SLACK,
    Evidence,
    Phase,
    Server,
    State,
    from_json,
    header_value,
    kept,
    step,
    to_json,
    together,
)
from mizzen.model.listener import Announcement

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SOON = timedelta(seconds=1)
NAME = "alt-svc/https.443.https.gw.ns"
PROVEN = Evidence(acked=True, proven=True)
FAILED = Evidence(acked=True, proven=False, detail="no answer")
TRYING = Evidence(acked=True, proven=None)
UNKNOWN = Evidence(acked=False, proven=None)
H3 = 'h3=":443"; ma=86400'


def an_announcement(port=443, listener="udp_0.0.0.0_8443", name=NAME, max_age=DAY):
    origin = ResourceRef(kind="Gateway", namespace="ns", name="gw")
    return Announcement(
        name=name, port=port, listener=listener if port else "", origin=origin, max_age=max_age
    )


def life(*evidence, start=None, now=NOW):
    """A server after looks at its mirror; every promise is written down at once."""
    found = (start or Server()).follow((an_announcement(),), now)
    for one in evidence:
        found = found.step(one, now).kept()
    return found


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


def test_a_later_control_plane_takes_up_where_the_former_was():
    stored = json.loads(json.dumps(to_json(life(PROVEN))))
    found = from_json(stored).follow((an_announcement(),), NOW + timedelta(minutes=5))
    assert found.value == H3
    assert found.step(FAILED, NOW + timedelta(minutes=5)).value == "clear"


def test_what_was_written_before_promises_had_ports_is_understood():
    until = (NOW + DAY).isoformat()
    old = {"phase": "announced", "promisedUntil": until, "port": 443, "listener": "udp_0.0.0.0_8443"}
    assert from_json(old).follow((an_announcement(),), NOW).value == H3
    without = from_json({**old, "phase": "withdrawn", "port": None})
    assert without.follow((an_announcement(),), NOW).value == "clear"


@pytest.mark.parametrize(
    "stored",
    [
        {"443": {}},
        {"443": {"phase": "merry", "promisedUntil": None, "listener": ""}},
        {"443": {"phase": "announced", "promisedUntil": "soon", "listener": ""}},
        {"443": {"phase": "announced", "promisedUntil": None, "listener": "", "maxAge": "1"}},
        {"a": {"phase": "announced", "promisedUntil": None, "listener": ""}},
        {"phase": "announced", "promisedUntil": None, "port": "443", "listener": ""},
        {"443": None},
        [],
        None,
    ],
)
def test_what_was_not_stored_by_us_is_refused(stored):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        from_json(stored)


# --- several Envoys, several replicas ---------------------------------------------------------------


def test_of_several_envoys_one_that_fails_counts_for_all():
    assert together([PROVEN, FAILED, TRYING]) is FAILED
    assert together([UNKNOWN, TRYING, PROVEN]) is PROVEN
    assert together([UNKNOWN, TRYING]) is TRYING
    assert together([]) == UNKNOWN


def test_a_promise_lasts_as_long_as_the_longest_that_a_replica_has_given():
    here, there = life(PROVEN), life(PROVEN, now=NOW + timedelta(hours=5))
    merged = here.merged(there, NOW, "a")
    assert merged.states[443].promised_until == there.states[443].promised_until
    assert merged.value == H3
    assert there.merged(here, NOW, "b") == there
    assert merged.merged(there, NOW, "a") is merged


def test_who_has_seen_nothing_takes_over_what_was_said_and_who_has_says_what_it_sees():
    there = life(PROVEN)
    assert Server().merged(there, NOW, "b").follow((an_announcement(),), NOW).value == H3
    assert life(FAILED).merged(there, NOW, "b").value == "clear"  # some client has heard it


def test_a_mirror_that_fails_at_another_replica_fails_here_until_that_is_over():
    there = life().step(FAILED, NOW, "b")
    here = life(PROVEN).merged(there, NOW, "a").step(PROVEN, NOW, "a")
    assert here.value == "clear"
    assert here.reason == "it fails at a gateway of the replica b"
    over = NOW + FAILURE_LASTS
    assert here.next("a") == over
    assert here.step(PROVEN, over, "a").kept().value == H3


def test_what_a_replica_says_of_itself_is_its_own_word():
    mine = life().step(FAILED, NOW, "a")
    well = mine.step(PROVEN, NOW, "a").kept()
    assert well.merged(mine, NOW, "a").step(PROVEN, NOW, "a").value == H3


LOOKS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([None, True, False]),
        st.booleans(),
        st.integers(0, 60 * 24 * 3),
        st.booleans(),
    ),
    max_size=30,
)


@given(LOOKS)
def test_whatever_happens_h3_follows_proof_and_a_promise_is_taken_back(looks):
    announcement = an_announcement()
    state, now, proven_once, remembered = State(), NOW, False, NOW - DAY
    for acked, proven, wanted, minutes, is_written in looks:
        now += timedelta(minutes=minutes)
        state = step(state, Evidence(acked=acked, proven=proven), wanted=wanted, now=now)
        if is_written:
            state = kept(state)
        proven_once = proven_once or (acked and proven is True and wanted)
        value = header_value(announcement, state)
        if value is not None and value.startswith("h3"):
            assert proven_once and wanted
            assert proven is not False
            remembered = now + DAY
        elif now < remembered:
            assert value == "clear"
        assert (state.phase is Phase.WITHHELD) == (value is None)


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
