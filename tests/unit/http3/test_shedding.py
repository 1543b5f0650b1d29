"""When HTTP/3 is given up for want of CPU, and when it comes back."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mizzen.http3.shedding import CALM, INTERVAL, Level, Shed, Sheds
from mizzen.model.shedding import Shedding

START = datetime(2026, 1, 1, tzinfo=UTC)
WANTED = Shedding(cpu_budget=80, recover_at=60, after=timedelta(seconds=10), calm=timedelta(seconds=30))


def levels(loads: list[float | None], wanted: Shedding = WANTED) -> list[Level]:
    """After each look, a second apart."""
    shed, found = CALM, []
    for second, cpu in enumerate(loads):
        shed = shed.judged(cpu, wanted, START + timedelta(seconds=second))
        found.append(shed.level)
    return found


def changes(found: list[Level]) -> list[tuple[int, Level]]:
    before = [Level.NONE, *found]
    return [(at, now) for at, (was, now) in enumerate(zip(before, found, strict=False)) if was is not now]


def test_it_goes_and_comes_back_step_by_step() -> None:
    loads: list[float | None] = [95.0] * 30 + [10.0] * 90

    assert changes(levels(loads)) == [
        (10, Level.CLEAR),
        (20, Level.REFUSE),
        (60, Level.CLEAR),
        (90, Level.NONE),
    ]


def test_a_peak_is_no_reason_and_a_lull_is_none_to_come_back() -> None:
    assert changes(levels([95.0] * 9 + [79.0] + [95.0] * 9)) == []
    assert changes(levels([95.0] * 11 + ([10.0] * 29 + [60.0]) * 3)) == [(10, Level.CLEAR)]


def test_between_the_two_nothing_changes() -> None:
    assert changes(levels([95.0] * 11 + [70.0] * 200)) == [(10, Level.CLEAR)]


def test_of_what_nobody_could_tell_nothing_follows() -> None:
    assert changes(levels([95.0] * 9 + [None] + [95.0] * 10)) == []
    assert changes(levels([95.0] * 11 + [None] * 100)) == [(10, Level.CLEAR)]


def test_the_reason_is_told() -> None:
    shed = Shed(over_since=START).judged(92.3, WANTED, START + timedelta(seconds=10))

    assert shed.reason == "shed: CPU 92 % of a budget of 80 % for 10 s"


@given(st.lists(st.one_of(st.none(), st.floats(0, 200)), max_size=300))
def test_each_change_is_one_step_and_was_long_in_coming(loads: list[float | None]) -> None:
    found = levels(loads)
    for at, now in changes(found):
        before = found[at - 1] if at else Level.NONE
        assert abs(now - before) == 1
        span = 10 if now > before else 30
        assert at >= span
        window = loads[at - span : at + 1]
        if now > before:
            assert all(cpu is not None and cpu >= WANTED.cpu_budget for cpu in window)
        else:
            assert all(cpu is not None and cpu < WANTED.recover_at for cpu in window)


def test_only_those_that_may_shed_are_looked_at() -> None:
    sheds = Sheds().want({}, START)
    assert sheds.next is None
    sheds = sheds.want({"edge.shop": WANTED}, START)
    assert sheds.next == START
    assert sheds.begin().next is None
    sheds = sheds.begin().end({"edge.shop": 99.0}, {"edge.shop": WANTED}, START)
    assert sheds.next == START + INTERVAL
    assert sheds.want({}, START).next is None


def test_whoever_may_shed_no_more_is_forgotten() -> None:
    refusing = Sheds(of={"edge.shop": Shed(level=Level.REFUSE, reason="shed: ...")}, due=START)
    assert refusing.refusing == {"edge.shop"}
    assert refusing.want({}, START).refusing == frozenset()
