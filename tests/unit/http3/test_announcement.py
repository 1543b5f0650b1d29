"""When answers promise HTTP/3, when they take it back, and when they say nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizzen.errors import ResourceRef
from mizzen.http3.announcement import GRACE, SLACK, Announcements, Evidence, Phase, State, header_value, step
from mizzen.model.listener import Announcement

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAME = "alt-svc/https.443.https.gw.ns"
PROVEN = Evidence(acked=True, proven=True)
FAILED = Evidence(acked=True, proven=False, detail="no answer")
TRYING = Evidence(acked=True, proven=None)
UNKNOWN = Evidence(acked=False, proven=None)


def an_announcement(port=443, listener="udp_0.0.0.0_8443", name=NAME):
    origin = ResourceRef(kind="Gateway", namespace="ns", name="gw")
    return Announcement(name=name, port=port, listener=listener if port else "", origin=origin)


def life(*evidence, start=None, now=NOW):
    found = (start or Announcements()).follow((an_announcement(),), now)
    for one in evidence:
        found = found.step({NAME: one}, now)
    return found


def test_nothing_is_said_before_a_proof():
    for evidence in (UNKNOWN, TRYING, FAILED, Evidence(acked=False, proven=True)):
        assert life(evidence).values() == {NAME: None}


def test_a_proven_mirror_is_announced_for_a_day():
    found = life(UNKNOWN, TRYING, PROVEN)
    assert found.values() == {NAME: 'h3=":443"; ma=86400'}
    assert found.state_name(NAME) == "announced"
    assert found.reason(NAME) == ""


def test_a_failed_proof_takes_an_announcement_back():
    found = life(PROVEN, FAILED)
    assert found.values() == {NAME: "clear"}
    assert found.state_name(NAME) == "withdrawn"
    assert found.reason(NAME) == "no answer"


def test_a_withdrawn_announcement_comes_back_with_a_new_proof():
    assert life(PROVEN, FAILED, TRYING).values() == {NAME: "clear"}
    assert life(PROVEN, FAILED, PROVEN).values()[NAME].startswith("h3=")


def test_clear_is_said_until_the_last_client_has_forgotten():
    found = life(PROVEN).follow((an_announcement(port=None),), NOW)
    assert found.values() == {NAME: "clear"}
    assert found.step({}, NOW + DAY).values() == {NAME: "clear"}
    assert found.step({}, NOW + DAY + SLACK).values() == {NAME: None}


def test_a_server_that_was_never_announced_says_nothing_when_its_mirror_goes():
    assert life(TRYING).follow((an_announcement(port=None),), NOW).values() == {NAME: None}


def test_a_promise_lasts_from_the_last_time_it_was_given():
    found = life(PROVEN)
    later = NOW + timedelta(hours=20)
    found = found.step({NAME: PROVEN}, later).step({NAME: FAILED}, later)
    assert found.step({NAME: FAILED}, later + DAY).values() == {NAME: "clear"}


def test_an_announcement_stays_while_it_is_proven_anew():
    found = life(PROVEN, TRYING)
    assert found.values()[NAME].startswith("h3=")
    assert found.step({NAME: TRYING}, NOW + DAY).values()[NAME].startswith("h3=")


def test_an_announcement_stays_for_a_while_when_envoy_confirms_nothing():
    found = life(PROVEN, UNKNOWN)
    assert found.values()[NAME].startswith("h3=")
    assert found.step({NAME: UNKNOWN}, NOW + GRACE).values()[NAME].startswith("h3=")
    gone = found.step({NAME: UNKNOWN}, NOW + GRACE + timedelta(seconds=1))
    assert gone.values() == {NAME: "clear"}
    assert "not confirmed" in gone.reason(NAME)


def test_a_confirmation_in_between_begins_the_wait_anew():
    found = life(PROVEN, UNKNOWN).step({NAME: TRYING}, NOW + GRACE)
    late = NOW + 2 * GRACE
    assert found.step({NAME: UNKNOWN}, late).values()[NAME].startswith("h3=")


@pytest.mark.parametrize("other", [an_announcement(port=444), an_announcement(listener="udp_0.0.0.0_9443")])
def test_another_port_or_listener_must_be_proven_itself(other):
    found = life(PROVEN).follow((other,), NOW)
    assert found.values() == {NAME: "clear"}
    assert found.step({NAME: PROVEN}, NOW).values() == {NAME: f'h3=":{other.port}"; ma=86400'}


def test_a_promise_is_remembered_while_its_server_is_gone():
    gone = life(PROVEN).follow((), NOW)
    assert gone.values() == {}
    assert gone.follow((an_announcement(port=None),), NOW).values() == {NAME: "clear"}
    forgotten = gone.follow((), NOW + 2 * DAY)
    assert forgotten.states == {}


def test_looking_again_changes_nothing():
    found = life(PROVEN)
    assert found.step({NAME: PROVEN}, NOW + timedelta(seconds=30)) == found
    assert found.follow((an_announcement(),), NOW) == found


def test_only_a_first_proof_that_runs_is_waited_for():
    assert life(UNKNOWN).unsettled() == ""
    assert "https.443.https.gw.ns" in life(TRYING).unsettled()
    assert life(FAILED).unsettled() == ""
    assert life(PROVEN).unsettled() == ""
    assert life(PROVEN, TRYING).unsettled() == ""


def test_a_later_control_plane_takes_up_where_the_former_was():
    stored = json.loads(json.dumps(life(PROVEN).to_json()))
    found = Announcements.from_json(stored).follow((an_announcement(),), NOW + timedelta(minutes=5))
    assert found.values() == {NAME: 'h3=":443"; ma=86400'}
    assert found.step({NAME: FAILED}, NOW + timedelta(minutes=5)).values() == {NAME: "clear"}


@pytest.mark.parametrize(
    "stored",
    [
        {NAME: {}},
        {NAME: {"phase": "merry", "promisedUntil": None, "port": None, "listener": ""}},
        {NAME: {"phase": "announced", "promisedUntil": "soon", "port": None, "listener": ""}},
        {NAME: {"phase": "announced", "promisedUntil": None, "port": "443", "listener": ""}},
        {NAME: None},
        [],
    ],
)
def test_what_was_not_stored_by_us_is_refused(stored):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        Announcements.from_json(stored)


LOOKS = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from([None, True, False]), st.booleans(), st.integers(0, 60 * 24 * 3)
    ),
    max_size=30,
)


@given(LOOKS)
def test_whatever_happens_h3_follows_proof_and_a_promise_is_taken_back(looks):
    announcement = an_announcement()
    state, now, proven_once, remembered = State(), NOW, False, NOW - DAY
    for acked, proven, wanted, minutes in looks:
        now += timedelta(minutes=minutes)
        state = step(state, acked=acked, proven=proven, wanted=wanted, now=now)
        proven_once = proven_once or (acked and proven is True and wanted)
        value = header_value(announcement, state)
        if value is not None and value.startswith("h3"):
            assert proven_once and wanted
            assert proven is not False
            remembered = now + DAY
        elif now < remembered:
            assert value == "clear"
        assert (state.phase is Phase.WITHHELD) == (value is None)
