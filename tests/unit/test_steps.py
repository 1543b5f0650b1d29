"""Steps give what they would give if nothing were remembered, and run only where something has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage, fault
from mizzen.persistent import PersistentMap
from mizzen.steps import Observed, Steps

Numbers = PersistentMap[str, int]


@dataclass
class Context:
    """Some numbers, and how often each step ran."""

    steps: Steps
    numbers: Numbers
    ran: list[str] = field(default_factory=list)

    @property
    def seen(self) -> Observed:
        return Observed("number", self.numbers, self.steps.look)


def parity(ctx: Context, key: str) -> int:
    ctx.ran.append(f"parity {key}")
    number = int(ctx.seen.get(key, 0))
    if number > 7:
        ctx.steps.report(
            Problem(code="T-001", resource=ResourceRef(kind="Number", name=key), message="large")
        )
    return number % 2


def sum_of_parities(ctx: Context) -> int:
    ctx.ran.append("sum")
    return sum(ctx.steps.value(parity, ctx, key) for key in "abc")


def double(ctx: Context, key: str, number: int) -> int:
    ctx.ran.append(f"double {key}")
    return 2 * number + int(ctx.seen.get("shift", 0))


def by_parity(ctx: Context, key: str, number: int) -> Mapping[str, int]:
    ctx.ran.append(f"group {key}")
    return {"odd" if number % 2 else "even": number} if number else {}


def named(ctx: Context, key: str, number: int) -> Mapping[str, int]:
    return {f"{key}{index}": number for index in range(number % 3)}


def placed(ctx: Context, key: str, number: int) -> Mapping[tuple[str, str], int]:
    return {(str(number % 2), key): number}


def everything(ctx: Context) -> tuple[object, ...]:
    steps, numbers = ctx.steps, ctx.numbers
    steps.look(("number",))
    view = steps.published("parities", steps.mapped(double, ctx, numbers))
    return (
        steps.value(sum_of_parities, ctx),
        dict(view),
        {key: dict(some) for key, some in steps.grouped(by_parity, ctx, numbers).items()},
        dict(steps.flattened(named, ctx, numbers)),
        {key: dict(some) for key, some in steps.nested(placed, ctx, numbers).items()},
        list(steps.united("both", numbers, numbers)),
        list(steps.keys_of("keys", numbers)),
    )


def moved(steps: Steps, before: Numbers, after: Numbers) -> None:
    difference = after.difference(before)
    keys = (*difference.changed, *difference.removed)
    steps.begin([("number",), *(("number", key) for key in keys)])


EDITS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["a", "b", "c", "d", "shift"]), st.integers(0, 9)),
        st.frozensets(st.sampled_from("abcd")),
    ),
    max_size=8,
)


@given(EDITS)
def test_what_is_remembered_changes_no_result(edits: list[tuple[dict[str, int], frozenset[str]]]) -> None:
    steps, numbers = Steps(), Numbers()
    for changed, removed in edits:
        before, numbers = numbers, numbers.updated(changed, removed)
        moved(steps, before, numbers)
        remembered = Context(steps, numbers)
        anew = Context(Steps(), numbers)
        assert steps.root(everything, remembered) == anew.steps.root(everything, anew)
        assert set(steps.problems()) == set(anew.steps.problems())


def test_a_step_runs_only_where_something_has_changed() -> None:
    steps, numbers = Steps(), Numbers({"a": 1, "b": 2, "c": 3})
    steps.root(everything, Context(steps, numbers))
    edited = numbers.updated({"b": 4})
    moved(steps, numbers, edited)
    ctx = Context(steps, edited)
    steps.root(everything, ctx)
    # Its parity is the same, so their sum is not worked out again.
    assert ctx.ran == ["double b", "parity b", "group b"]


def test_nothing_runs_where_nothing_has_changed() -> None:
    steps, numbers = Steps(), Numbers({"a": 1})
    steps.root(everything, Context(steps, numbers))
    ctx = Context(steps, numbers)
    moved(steps, numbers, numbers)
    steps.root(everything, ctx)
    assert ctx.ran == []


def test_problems_go_with_what_they_are_of() -> None:
    steps, numbers = Steps(), Numbers({"a": 9})
    steps.root(everything, Context(steps, numbers))
    assert [problem.resource.name for problem in steps.problems()] == ["a"]
    without = numbers.updated({}, ["a"])
    moved(steps, numbers, without)
    steps.root(everything, Context(steps, without))
    assert list(steps.problems()) == []


def failing(ctx: Context) -> None:
    ctx.ran.append("failing")
    ctx.steps.report(fault(Stage.RESOLVE, ResourceRef(kind="Number", name="a"), MemoryError()))


def root_of_failing(ctx: Context) -> None:
    ctx.steps.value(failing, ctx)


def test_what_met_a_fault_is_tried_again() -> None:
    steps, numbers = Steps(), Numbers()
    steps.root(root_of_failing, Context(steps, numbers))
    assert steps.has_faults
    steps.begin(())
    ctx = Context(steps, numbers)
    steps.root(root_of_failing, ctx)
    assert ctx.ran == ["failing"]
