"""Token buckets, by a clock that the test turns."""

from datetime import datetime, timedelta

from mizzen.authority.limit import Limiter

SECOND = timedelta(seconds=1)


def test_a_burst_passes_and_then_a_steady_rate(now: datetime) -> None:
    limiter = Limiter(burst=3, per_second=0.5)

    assert [limiter.allows("a", now) for _ in range(4)] == [True, True, True, False]
    assert not limiter.allows("a", now + SECOND)
    assert limiter.allows("a", now + 2 * SECOND)
    assert not limiter.allows("a", now + 3 * SECOND)


def test_one_caller_does_not_use_up_what_is_for_another(now: datetime) -> None:
    limiter = Limiter(burst=1, per_second=1)

    assert limiter.allows("a", now) and limiter.allows("b", now) and not limiter.allows("a", now)


def test_a_bucket_never_holds_more_than_a_burst(now: datetime) -> None:
    limiter = Limiter(burst=2, per_second=1)
    limiter.allows("a", now)

    assert [limiter.allows("a", now + 1000 * SECOND) for _ in range(3)] == [True, True, False]


def test_a_clock_that_is_set_back_locks_nobody_out(now: datetime) -> None:
    limiter = Limiter(burst=1, per_second=1)
    limiter.allows("a", now)

    assert not limiter.allows("a", now - 1000 * SECOND)
    assert limiter.allows("a", now - 999 * SECOND)


def test_who_was_quiet_longest_is_forgotten(now: datetime) -> None:
    limiter = Limiter(burst=1, per_second=0.001, names=2)
    for name in ("a", "b", "c"):
        limiter.allows(name, now)

    assert not limiter.allows("c", now)
    assert limiter.allows("a", now)
