"""When to renew, by a clock that the test turns."""

from datetime import datetime, timedelta

import pytest

from mizzen.authority.renewal import failed, received

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)


def test_a_certificate_is_renewed_around_the_half_of_its_life(now: datetime) -> None:
    times = [received(now=now, ends=now + DAY, jitter=jitter).at - now for jitter in (0.0, 0.5, 0.999999)]

    assert times[0] == timedelta(hours=10.8)
    assert times[1] == timedelta(hours=12)
    assert timedelta(hours=13.1) < times[2] < timedelta(hours=13.2)


def test_a_life_of_seconds_has_a_half_too(now: datetime) -> None:
    renewal = received(now=now, ends=now + 4 * SECOND, jitter=0.5)

    assert renewal.wait(now) == 2 * SECOND
    assert not renewal.is_due(now + SECOND)
    assert renewal.is_due(now + 2 * SECOND) and renewal.wait(now + 3 * SECOND) == timedelta()


def test_a_certificate_that_has_ended_is_renewed_at_once(now: datetime) -> None:
    assert received(now=now, ends=now - SECOND, jitter=0.9).is_due(now)


def test_tries_after_failures_grow_apart_up_to_five_minutes(now: datetime) -> None:
    renewal = received(now=now, ends=now + DAY, jitter=0.5)
    delays = []
    for _ in range(12):
        renewal = failed(renewal, now=now, jitter=1.0)
        delays.append((renewal.at - now) / SECOND)

    assert delays[:4] == [1, 2, 4, 8]
    assert delays[-1] == 300
    assert renewal.failures == 12


@pytest.mark.parametrize("jitter", [0.0, 0.3, 0.999])
def test_half_of_a_wait_is_left_to_chance(now: datetime, jitter: float) -> None:
    renewal = failed(received(now=now, ends=now + DAY, jitter=0.5), now=now, jitter=jitter)

    assert 0.5 * SECOND <= renewal.at - now <= SECOND


def test_a_short_life_has_several_tries(now: datetime) -> None:
    renewal = received(now=now, ends=now + 4 * SECOND, jitter=0.5)
    at, tries = renewal.at, 0
    while at < renewal.ends:
        tries += 1
        renewal = failed(renewal, now=at, jitter=0.5)
        at = renewal.at

    assert tries > 8


def test_trying_goes_on_after_the_end(now: datetime) -> None:
    renewal = received(now=now, ends=now, jitter=0.5)
    for _ in range(100):
        renewal = failed(renewal, now=now + DAY, jitter=0.0)

    assert renewal.wait(now + DAY) == timedelta(seconds=150)


def test_an_authority_that_is_away_for_an_hour_is_not_missed(now: datetime) -> None:
    renewal = received(now=now, ends=now + DAY, jitter=0.999)
    back = renewal.at + timedelta(hours=1)
    at = renewal.at
    while at < back:
        renewal = failed(renewal, now=at, jitter=0.999)
        at = renewal.at

    assert at < back + timedelta(minutes=5)
    assert at < renewal.ends - timedelta(hours=9)
