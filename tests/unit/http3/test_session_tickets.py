"""When keys of session tickets come, count and go."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from mizzen.http3.session_tickets import (
    AHEAD,
    KEY_BYTES,
    LIFE,
    ROTATION,
    SEED_BYTES,
    Seeds,
    from_json,
    ticket_key,
    to_json,
)

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def fresh(number: int) -> bytes:
    return bytes([number]) * SEED_BYTES


def test_the_first_key_counts_at_once() -> None:
    seeds = Seeds().advanced(START, fresh(1))
    assert seeds.served(START) == (fresh(1),)
    assert seeds.advanced(START + timedelta(hours=1), fresh(2)) is seeds


def test_a_key_is_known_before_tickets_are_made_with_it() -> None:
    seeds = Seeds().advanced(START, fresh(1))
    then = START + ROTATION
    seeds = seeds.advanced(then - AHEAD, fresh(2))
    assert seeds.served(then - MINUTE) == (fresh(1), fresh(2))
    assert seeds.served(then) == (fresh(2), fresh(1))


def test_a_key_goes_when_no_ticket_of_it_can_be_left() -> None:
    seeds = Seeds().advanced(START, fresh(1)).advanced(START + ROTATION - AHEAD, fresh(2))
    last_ticket = START + ROTATION
    assert fresh(1) in seeds.advanced(last_ticket + LIFE - MINUTE, fresh(3)).served(last_ticket + LIFE)
    later = seeds.advanced(last_ticket + LIFE, fresh(3))
    assert later.served(last_ticket + LIFE) == (fresh(2), fresh(3))


def test_after_a_long_sleep_a_new_key_is_known_before_it_counts_all_the_same() -> None:
    now = START + timedelta(days=30)
    seeds = Seeds().advanced(START, fresh(1)).advanced(now, fresh(2))
    assert seeds.served(now) == (fresh(1), fresh(2))
    assert seeds.served(now + AHEAD) == (fresh(2), fresh(1))


def test_a_clock_that_is_set_back_takes_no_key_away() -> None:
    seeds = Seeds().advanced(START, fresh(1))
    before = START - timedelta(days=400)
    assert seeds.advanced(before, fresh(2)).served(before) == (fresh(1),)


def test_followed_by_its_own_times_every_ticket_is_read_for_its_life() -> None:
    seeds, now = Seeds().advanced(START, fresh(0)), START
    given: list[tuple[datetime, bytes]] = []
    for number in range(1, 40):
        at = seeds.next(now)
        assert at is not None
        assert now < at <= now + ROTATION
        now = at
        seeds = seeds.advanced(now, fresh(number))
        served = seeds.served(now)
        given.append((now, served[0]))
        assert all(key in served for at, key in given if now < at + LIFE)
        assert len(served) <= 4
    assert all(one <= other for (_, one), (_, other) in pairwise(given))


def test_each_gateway_has_a_key_of_its_own() -> None:
    one, other = ticket_key(fresh(1), "a.shop"), ticket_key(fresh(1), "b.shop")
    assert len(one) == len(other) == KEY_BYTES
    assert len({one, other, ticket_key(fresh(2), "a.shop")}) == 3
    assert len({one[:16], other[:16]}) == 2  # the name by which Envoy finds a key
    assert one == ticket_key(fresh(1), "a.shop")


def test_it_is_kept_and_read_again() -> None:
    seeds = Seeds().advanced(START, fresh(1)).advanced(START + ROTATION, fresh(2))
    assert from_json(to_json(seeds)) == seeds
    assert "\\x01" not in repr(seeds)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"seeds": [{}]},
        {"seeds": [{"since": "2026-01-01", "content": "YQ=="}]},
        {"seeds": [{"since": "x", "content": ""}]},
        {"seeds": [{"since": "2026-01-01", "content": 1}]},
    ],
)
def test_what_is_not_ours_is_refused(value: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        from_json(value)
