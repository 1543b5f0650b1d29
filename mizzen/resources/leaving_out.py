"""What else is wrong with an object that is refused: told as if its errors were not there.

Values are judged only once they can be read, and references only of objects that take part. So that everything can be
mended in one go, the parts with errors are left out, and the rest is looked at.
"""

import copy
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from mizzen.errors import Problem, Severity
from mizzen.lazy import dataclass
from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.yaml.places import steps_of

_JUDGED = ("FLD-", "VAL-")  # codes of fields and their values
# Fields that say what those beside them, and all below these, have to be.
_DECIDING = frozenset({"action", "bind", "mode", "protocol", "resolution"})
_ROUNDS = 5  # what is judged only once the rest can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """An object without what has errors, and what is wrong with the rest."""

    raw: RawObject | None  # None: the rest is no object that could take part
    left_out: frozenset[str]  # paths of fields
    problems: tuple[Problem, ...]

    def is_about_the_rest(self, problem: Problem) -> bool:
        """Is it of no field that was left out, of none that holds one, and of none beside one (which may say what that
        one means)?"""
        return not any(_is_near(problem.field, path) for path in self.left_out)


def remainder(raw: RawObject, problems: Iterable[Problem], default_namespace: str) -> Remainder | None:
    """What is left of an object that is refused because of `problems`; None where it cannot be looked at."""
    known = list(problems)
    errors = [problem for problem in known if problem.severity is Severity.ERROR]
    if raw.unread or raw.aside or not raw.kind:
        return None
    further: list[Problem] = []
    left_out: set[str] = set()
    data: Any = copy.deepcopy(dict(raw.data))
    for _ in range(_ROUNDS):
        if not errors or not all(_leave_out(data, problem.field, left_out) for problem in errors):
            break
        rest = replace(raw, data=copy.deepcopy(data))
        decoded = decode(rest, default_namespace)
        found = Remainder(raw=rest, left_out=frozenset(left_out), problems=())
        further += [
            problem
            for problem in decoded.problems
            if problem.code.startswith(_JUDGED) and found.is_about_the_rest(problem)
        ]
        if decoded.resource is not None:
            return replace(found, problems=_new(further, known))
        errors = [problem for problem in decoded.problems if problem.severity is Severity.ERROR]
    return Remainder(raw=None, left_out=frozenset(left_out), problems=_new(further, known))


def _new(found: Iterable[Problem], known: Collection[Problem]) -> tuple[Problem, ...]:
    told = {(problem.code, problem.field) for problem in known}
    return tuple(dict.fromkeys(problem for problem in found if (problem.code, problem.field) not in told))


def _leave_out(data: Any, path: str, left_out: set[str]) -> bool:
    """Take the smallest field away that holds the error. False where that would be the whole object.

    Items of lists are not taken out, since those behind them would get other numbers: the list is.
    """
    holders: list[tuple[dict[str, Any], str, str]] = []  # a mapping, a key in it, the path there
    here, at = data, ""
    for step in steps_of(path):
        if isinstance(step, str) and isinstance(here, dict) and step in here:
            at = f"{at}.{step}" if at else step
            holders.append((here, step, at))
            here = here[step]
        elif isinstance(step, int) and isinstance(here, list) and step < len(here):
            at = f"{at}[{step}]"
            here = here[step]
        else:
            break
    if len(holders) < 2 or holders[0][1] != "spec":
        return False
    holder, key, at = holders[-1]
    del holder[key]
    left_out.update((at, path))
    return True


def _is_near(field: str, path: str) -> bool:
    if path.rpartition(".")[2] in _DECIDING:
        path = _parent(path)
    around = field == path or _is_below(field, path) or _is_below(path, field)
    return around or _parent(field) == _parent(path)


def _parent(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def _is_below(inner: str, outer: str) -> bool:
    return not outer or inner.startswith((f"{outer}.", f"{outer}["))
