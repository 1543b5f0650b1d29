"""Any set of culprits among any number of suspects is found, and nobody else is blamed."""

import math
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from mizzen.blame.search import Search


def searched(
    row: tuple[int, ...], is_well: Callable[[frozenset[int]], bool], *, is_explained: bool | None = None
) -> tuple[Search[int], int]:
    """The end of a search, and how many trials it took."""
    search, trials = Search.over(row, is_explained=is_explained), 0
    while (aside := search.next()) is not None:
        trials += 1
        search = search.hear(is_well=is_well(aside))
    return search, trials


rows = st.integers(min_value=1, max_value=200).map(lambda number: tuple(range(number)))


@given(
    rows.flatmap(lambda row: st.tuples(st.just(row), st.sets(st.sampled_from(row), min_size=1, max_size=6)))
)
def test_all_culprits_are_found_and_nobody_else(case: tuple[tuple[int, ...], set[int]]) -> None:
    row, culprits = case
    search, trials = searched(row, lambda aside: culprits <= aside)

    assert set(search.blamed) == culprits
    assert search.is_explained
    assert trials <= 2 + len(culprits) * (1 + math.ceil(math.log2(max(len(row), 2))))


@given(
    rows.flatmap(
        lambda row: st.tuples(
            st.just(row),
            st.lists(st.sets(st.sampled_from(row), min_size=1, max_size=3), min_size=1, max_size=4),
        )
    )
)
def test_of_those_that_are_ill_only_together_enough_are_blamed_and_none_in_vain(
    case: tuple[tuple[int, ...], list[set[int]]],
) -> None:
    """Each of some groups is ill when all of it takes part."""
    row, groups = case

    def is_well(aside: frozenset[int]) -> bool:
        return all(group & aside for group in groups)

    search, _ = searched(row, is_well)
    blamed = frozenset(search.blamed)

    assert is_well(blamed)
    for one in blamed:
        assert not is_well(blamed - {one})
        assert any(one == max(group) or group & blamed for group in groups)


@given(rows)
def test_who_is_no_reason_is_not_blamed(row: tuple[int, ...]) -> None:
    search, trials = searched(row, lambda _: False)

    assert (search.blamed, search.is_explained, trials) == ((), False, 1)


def test_one_suspect_who_explains_it_needs_no_second_trial() -> None:
    search, trials = searched((7,), lambda aside: 7 in aside)

    assert (search.blamed, trials) == ((7,), 1)
    assert searched((7,), lambda aside: 7 in aside, is_explained=True)[1] == 0


def test_nobody_is_no_suspect() -> None:
    search, trials = searched((), lambda _: True)

    assert (search.blamed, search.is_explained, trials) == ((), False, 0)
