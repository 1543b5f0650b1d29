"""How far an announcement has come."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from mizzen.http3.announcement import Phase, Word
from mizzen.http3.health import UNSEEN, Verdict
from mizzen.http3.server import Server
from mizzen.http3.stages import FORGIVEN
from mizzen.model.announcement import Rollout, Stage, StepBack
from tests.unit.http3.harness import FAILED, NOW, PROVEN, SOON, TRYING, an_announcement

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STEP_BACK = StepBack(bad=3, good=4, interval=timedelta(seconds=30), pause=10 * MINUTE)
STAGES = (
    Stage(max_age=MINUTE, duration=10 * MINUTE),
    Stage(max_age=5 * MINUTE, duration=HOUR),
    Stage(max_age=HOUR, duration=24 * HOUR),
    Stage(max_age=24 * HOUR),
)
GRADUAL = Rollout(stages=STAGES, step_back=STEP_BACK)
BAD, WELL = Verdict(bad="half of it fails"), Verdict()


class Watched:
    """A server under a clock, every promise of which is written down at once."""

    def __init__(self, rollout: Rollout = GRADUAL) -> None:
        self.now, self.announcement = NOW, an_announcement(rollout=rollout)
        self.server = Server().follow((self.announcement,), NOW).step(PROVEN, NOW).kept()

    def wait(self, span: timedelta, evidence=PROVEN) -> "Watched":
        end = self.now + span
        while (at := self.server.next(self.now)) is not None and at <= end:
            before, self.now = self.now, max(at, self.now)
            stepped = self.server.step(evidence, self.now).kept()
            if stepped is self.server and before == self.now:
                break
            self.server = stepped
        self.now = end
        self.server = self.server.step(evidence, self.now).kept()
        return self

    def judge(self, *verdicts: Verdict) -> "Watched":
        for verdict in verdicts:
            self.wait(STEP_BACK.interval)
            self.server = self.server.judged(verdict, self.now).kept()
        return self

    @property
    def age(self) -> int | None:
        value = self.server.value or ""
        return int(value.rpartition("=")[2]) if value.startswith("h3") else None


def test_a_promise_grows_stage_by_stage():
    one = Watched()
    ages = [one.age]
    for span in (10 * MINUTE - SOON, SOON, HOUR - SOON, SOON, 24 * HOUR - SOON, SOON, 99 * HOUR):
        ages.append(one.wait(span).age)
    assert ages == [60, 60, 300, 300, 3600, 3600, 86400, 86400]
    assert [turn.stage for turn in one.server.state.history] == [0, 1, 2, 3]
    assert one.server.state.history[1].reason == "it has held for 600 s"


def test_when_the_next_stage_may_begin_is_told():
    one = Watched()
    assert one.server.next_stage(one.now) == NOW + 10 * MINUTE
    one.judge(BAD)
    assert one.server.next_stage(one.now) is None  # first it must be well
    assert one.server.reason == "half of it fails"


def test_the_larger_promise_is_written_down_before_it_is_given():
    one = Watched()
    at = NOW + 10 * MINUTE
    stepped = one.server.step(PROVEN, at)
    assert stepped.value == 'h3=":443"; ma=60'
    assert stepped.is_pending
    assert stepped.kept().value == 'h3=":443"; ma=300'
    assert stepped.kept().state.promised_until >= at + 5 * MINUTE


def test_it_does_not_go_on_while_it_is_not_proven():
    one = Watched().wait(HOUR, TRYING)
    assert one.age == 60
    assert one.wait(SOON).age == 300


def test_bad_for_some_intervals_goes_back_a_stage_and_well_in_between_counts_anew():
    one = Watched().wait(11 * MINUTE)
    assert one.judge(BAD, BAD, WELL, BAD, BAD, UNSEEN).age == 300
    assert one.judge(BAD).age == 60
    assert one.server.state.history[-1].reason == "half of it fails"
    assert one.server.state.promised_until >= one.now + 4 * MINUTE - 3 * STEP_BACK.interval


def test_what_went_back_goes_on_after_twice_the_time_and_only_when_well():
    one = Watched().wait(11 * MINUTE).judge(BAD, BAD, BAD)
    back = one.now
    assert one.judge(WELL, WELL, WELL, BAD).wait(30 * MINUTE).age == 60
    assert one.judge(WELL, WELL, WELL, WELL).age == 300
    again = Watched().wait(11 * MINUTE).judge(BAD, BAD, BAD, WELL, WELL, WELL, WELL)
    assert again.server.next_stage(again.now) == back + 20 * MINUTE
    assert again.wait(back + 20 * MINUTE - SOON - again.now).age == 60
    assert again.wait(SOON).age == 300


def test_after_a_day_it_is_as_if_it_had_never_gone_back():
    one = Watched().wait(11 * MINUTE)
    for _ in range(3):
        one.judge(BAD, BAD, BAD)  # back, then withdrawn, then again after the pause
        one.wait(2 * HOUR)
    assert one.server.state.setbacks >= 2
    one.wait(FORGIVEN)
    assert one.server.next_stage(one.now) is not None or one.server.state.stage == 3


def test_bad_at_the_first_stage_withdraws_and_pauses_for_longer_each_time():
    one = Watched().judge(BAD, BAD, BAD)
    assert one.server.value == "clear"
    assert one.server.state.paused_until == one.now + 10 * MINUTE
    assert "it is tried again at" in one.server.reason
    assert one.wait(10 * MINUTE - SOON).age is None
    assert one.wait(SOON).age == 60
    one.judge(BAD, BAD, BAD)
    assert one.server.state.paused_until == one.now + 20 * MINUTE


def test_without_stages_it_is_withdrawn_where_it_is_judged_at_all():
    day = Rollout(step_back=STEP_BACK)
    assert Watched(day).judge(BAD, BAD, BAD).server.value == "clear"
    assert Watched(Rollout()).judge(BAD, BAD, BAD, BAD).age == 86400


def test_a_failed_proof_withdraws_at_once_and_begins_at_the_first_stage():
    one = Watched().wait(2 * HOUR)
    assert one.age == 3600
    one.server = one.server.step(FAILED, one.now)
    assert one.server.value == "clear"
    assert one.wait(SOON).age == 60


def test_another_rollout_goes_on_from_what_is_promised():
    one = Watched().wait(2 * HOUR)
    shorter = an_announcement(rollout=Rollout(stages=STAGES[:2]))
    one.server = one.server.follow((shorter,), one.now)
    assert (one.age, one.server.state.stage) == (300, 1)
    at_once = one.server.follow((an_announcement(),), one.now)
    assert at_once.value == 'h3=":443"; ma=300'
    assert at_once.step(PROVEN, one.now).kept().value == 'h3=":443"; ma=86400'


def test_where_another_replica_is_not_well_nothing_goes_on():
    one = Watched()
    words = {(Word.ILL, "b"): NOW + 2 * HOUR}
    state = replace(one.server.state, words=words)
    one.server = replace(one.server, states={443: state})
    one.now = NOW + HOUR
    assert one.server.step(PROVEN, one.now, "a").kept().value == 'h3=":443"; ma=60'
    assert one.server.step(PROVEN, NOW + 3 * HOUR, "a").kept().value == 'h3=":443"; ma=300'


@given(st.lists(st.sampled_from([BAD, WELL, UNSEEN]), max_size=60))
def test_within_the_hysteresis_nothing_flaps(verdicts):
    """It goes back only after `bad` bad intervals in a row, and up only after as many good ones as are asked for."""
    one = Watched().wait(2 * HOUR)
    run, back, turns = 0, False, len(one.server.state.history)
    good = 0
    for verdict in verdicts:
        before = one.age
        one.judge(verdict)
        run = run if verdict is UNSEEN else run + 1 if verdict is BAD else 0
        good = good if verdict is UNSEEN else 0 if verdict is BAD else good + 1
        went_back = (one.age or 0) < (before or 0)
        if went_back:
            assert run >= STEP_BACK.bad
            run, back, good = 0, True, 0
        elif (one.age or 0) > (before or 0) and before is not None:
            assert not back or good >= STEP_BACK.good
        if one.server.phase is Phase.ANNOUNCED:
            stage = one.server.state.stage
            assert one.age <= STAGES[stage].max_age.total_seconds()
    assert len(one.server.state.history) >= min(turns, 1)
