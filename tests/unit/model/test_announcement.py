from datetime import timedelta

from mizzen.model.announcement import Rollout, StepBack


def test_without_a_choice_it_is_a_day_at_once_and_nothing_is_judged() -> None:
    usual = Rollout()
    assert [(stage.max_age, stage.duration) for stage in usual.stages] == [(timedelta(days=1), None)]
    assert usual.step_back is None
    assert usual.dns_ttl == timedelta(0)


def test_what_is_judged_asks_for_more_than_a_few() -> None:
    wanted = StepBack()
    assert wanted.good > wanted.bad > 1  # back sooner than on again, and never for one interval
    assert wanted.min_requests >= 20
    assert wanted.min_connections >= 10
