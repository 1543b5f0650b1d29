"""What is wrong, put together of the parts that know it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.plane.build_result import Made
from mizzen.plane.problems import Problems
from mizzen.plane.state import State


def problem(name: str, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(
        severity=severity, code="INT-001", resource=ResourceRef(kind="Gateway", name=name), message="broken"
    )


@dataclass
class Part:
    problems: tuple[Problem, ...] = ()


@dataclass
class Plane:
    state: State = field(default_factory=State)
    made: Made | None = None
    own_parts: tuple[Part, ...] = ()
    lost: tuple[Problem, ...] = ()
    is_local: bool = True

    def clock(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


def test_each_part_and_what_could_not_be_built_is_told_once_and_in_order() -> None:
    one, two, three = map(problem, ("a", "b", "c"))
    plane = Plane(own_parts=(Part((three, one)), Part(), Part((one,))), lost=(two,))

    assert Problems(plane).now() == (one, two, three)


def test_what_is_put_together_stays_while_nothing_has_changed() -> None:
    part = Part((problem("a"),))
    plane = Plane(own_parts=(part,))
    problems = Problems(plane)
    before = problems.now()

    assert problems.now() is before
    part.problems = ()
    assert problems.now() == ()
    assert problems.until is None
