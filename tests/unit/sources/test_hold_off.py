"""When a burst of changes is over, by a clock that the test moves."""

import itertools

import pytest

from mizzen.sources.hold_off import LONE_SECONDS, LONGEST_SECONDS, QUIET_SECONDS, SHORTEST_SECONDS, HoldOff


def rebuilds(changes: list[float], cost: float = 0.0, fixed: float = 0.0) -> list[tuple[float, int]]:
    """When a rebuild begins, and of how many changes, where each change costs so much, and each rebuild more."""
    hold_off, now, made = HoldOff(), 0.0, []
    waiting = sorted(changes)
    while waiting or hold_off.seconds(now) is not None:
        wait = hold_off.seconds(now)
        if wait is not None and (not waiting or now + wait < waiting[0]):
            now += wait
            number = hold_off._pending
            hold_off.begin(now)
            made.append((now, number))
            now += fixed + cost * number
            hold_off.on_cost(fixed + cost * number)
            late = [one for one in waiting if one <= now]
            waiting = waiting[len(late) :]
            if late:
                hold_off.on_change(now, len(late))
        else:
            now = max(now, waiting.pop(0))
            hold_off.on_change(now)
    return made


def test_nothing_is_waited_for_where_nothing_has_changed() -> None:
    assert HoldOff().seconds(5.0) is None
    assert rebuilds([]) == []


def test_a_lone_change_goes_at_once() -> None:
    (first, second) = rebuilds([1.0, 2.0])

    assert first == (pytest.approx(1.0 + LONE_SECONDS), 1)
    assert second == (pytest.approx(2.0 + LONE_SECONDS), 1)
    assert LONE_SECONDS <= 0.002


def test_the_writes_of_one_file_are_a_lone_change() -> None:
    ((at, number),) = rebuilds([1.0, 1.0002, 1.0004])

    assert (at, number) == (pytest.approx(1.0004 + LONE_SECONDS), 3)


def test_a_storm_is_one_rebuild_at_its_end() -> None:
    storm = [1.0 + 0.0001 * number for number in range(5000)]
    hold_off = HoldOff(cost=0.001)
    for at in storm:
        hold_off.on_change(at)

    assert hold_off.seconds(storm[-1]) == pytest.approx(QUIET_SECONDS)
    (first, *others) = rebuilds([0.0, *storm], cost=0.001)
    assert (first[1], [number for _, number in others]) == (1, [5000])


def test_a_trickle_that_never_ends_is_served() -> None:
    trickle = [0.01 * number for number in range(1000)]
    made = rebuilds(trickle, cost=0.0001)
    pauses = [after[0] - before[0] for before, after in itertools.pairwise(made)]

    assert max(pauses) <= SHORTEST_SECONDS + 0.02
    assert sum(number for _, number in made) == 1000


@pytest.mark.parametrize("fixed", [0.01, 0.1])
def test_a_trickle_of_dear_changes_leaves_time_for_others(fixed: float) -> None:
    made = rebuilds([0.002 * number for number in range(10000)], cost=0.0001, fixed=fixed)
    pauses = [after[0] - before[0] for before, after in itertools.pairwise(made)]

    assert max(pauses) <= LONGEST_SECONDS + 0.2
    assert sum(fixed + 0.0001 * number for _, number in made) < 0.25 * made[-1][0]
    assert sum(number for _, number in made) == 10000


def test_after_a_rest_a_lone_change_goes_at_once_again() -> None:
    busy = [0.002 * number for number in range(1000)]
    *_, last = rebuilds([*busy, 5.0], cost=0.0001, fixed=0.01)

    assert last == (pytest.approx(5.0 + LONE_SECONDS), 1)
