"""What replicas tell one another."""

from datetime import timedelta

from mizzen.http3.replicas import FAILURE_LASTS
from mizzen.http3.server import Server
from tests.unit.http3.harness import FAILED, H3, NOW, PROVEN, an_announcement, life


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
    assert here.next(NOW, "a") == over
    assert here.step(PROVEN, over, "a").kept().value == H3


def test_what_a_replica_says_of_itself_is_its_own_word():
    mine = life().step(FAILED, NOW, "a")
    well = mine.step(PROVEN, NOW, "a").kept()
    assert well.merged(mine, NOW, "a").step(PROVEN, NOW, "a").value == H3
