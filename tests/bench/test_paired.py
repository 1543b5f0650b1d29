"""Turns and ratios; nothing is measured."""

import math
import os

import pytest

from bench.paired import Subject, figures, on, turns


def subject(name: str) -> Subject:
    return Subject(name=name, pids=(), port=0)


def test_each_round_begins_with_another_subject() -> None:
    asked: list[str] = []

    def measured(one: Subject) -> int:
        asked.append(one.name)
        return len(asked)

    rows = turns([subject("a"), subject("b"), subject("c")], measured, 4)

    assert "".join(asked) == "abcbcacababc"
    assert rows == [[1, 6, 8, 10], [2, 4, 9, 11], [3, 5, 7, 12]]


def test_ratios_are_of_one_round_so_that_drift_is_not_in_them() -> None:
    """The machine becomes four times slower, and the second subject still costs one and a half times the first."""
    base, other = figures([[10.0, 20.0, 40.0], [15.0, 30.0, 60.0]])

    assert (base.value, base.ratio) == (20.0, 1.0)
    assert (other.value, other.ratio) == (30.0, 1.5)


def test_one_disturbed_round_does_not_count() -> None:
    _, other = figures([[10.0, 10.0, 10.0], [11.0, 90.0, 11.0]])

    assert other.ratio == pytest.approx(1.1)


def test_nothing_has_no_ratio() -> None:
    assert math.isnan(figures([[0.0, 1.0], [1.0, 1.0]])[1].ratio)


def test_the_cores_are_as_before_after_a_block() -> None:
    before = os.sched_getaffinity(0)
    with on({min(before)}):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
