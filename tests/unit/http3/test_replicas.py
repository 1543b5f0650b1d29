"""What replicas tell one another."""

from dataclasses import replace
from datetime import timedelta

from mizzen.http3.health import Verdict
from mizzen.http3.replicas import FAILURE_LASTS
from mizzen.http3.server import Server
from mizzen.model.announcement import Rollout, Stage, StepBack
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


def test_where_one_replica_has_withdrawn_it_all_do():
    rollout = Rollout(step_back=StepBack(bad=1, pause=timedelta(minutes=3)))
    wanted = (an_announcement(rollout=rollout),)
    here, there = (Server().follow(wanted, NOW).step(PROVEN, NOW, name).kept() for name in "ab")
    there = there.judged(Verdict(bad="bad"), NOW, "b").step(PROVEN, NOW, "b")
    assert there.value == "clear"
    here = here.merged(there, NOW, "a").step(PROVEN, NOW, "a")
    assert (here.value, here.reason) == ("clear", "it fails at a gateway of the replica b")
    over = NOW + timedelta(minutes=3)
    assert there.step(PROVEN, over, "b").kept().value == H3
    assert here.merged(there.step(PROVEN, over, "b"), over, "a").step(PROVEN, over, "a").kept().value == H3


def test_an_envoy_of_another_replica_that_waits_keeps_a_first_announcement_back_and_breaks_none():
    waiting = life().step(replace(PROVEN, everywhere=False), NOW, "b")
    here = life().merged(waiting, NOW, "a").step(PROVEN, NOW, "a")
    assert not here.is_pending
    assert here.reason == "not every Envoy has confirmed the mirror yet"
    announced = life(PROVEN).merged(waiting, NOW, "a").step(PROVEN, NOW, "a")
    assert announced.value == H3
    proven = waiting.step(PROVEN, NOW, "b")
    assert here.merged(proven, NOW, "a").step(PROVEN, NOW, "a").kept().value == H3
    assert here.step(PROVEN, NOW + FAILURE_LASTS, "a").kept().value == H3  # it is gone, and says nothing


def test_who_turned_it_last_counts_for_all():
    stages = (
        Stage(max_age=timedelta(minutes=1), duration=timedelta(minutes=2)),
        Stage(max_age=timedelta(hours=1)),
    )
    rollout = Rollout(stages=stages, step_back=StepBack(bad=1, good=1))
    wanted = (an_announcement(rollout=rollout),)
    later, last = NOW + timedelta(minutes=2), NOW + timedelta(minutes=3)
    here, there = (Server().follow(wanted, NOW).step(PROVEN, NOW, name).kept() for name in "ab")
    here = here.step(PROVEN, later, "a").kept()
    there = there.merged(here, later, "b")
    assert there.value == here.value == 'h3=":443"; ma=3600'
    there = there.judged(Verdict(bad="bad"), last, "b").step(PROVEN, last, "b")
    here = here.merged(there, last, "a").step(PROVEN, last, "a")
    assert here.value == there.value == 'h3=":443"; ma=60'
    assert here.state.history[-1].reason == "bad"
    assert here.next_stage(last, "a") is None  # not before it is well there
