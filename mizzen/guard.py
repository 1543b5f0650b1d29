"""A fault of ours costs the object that it meets, and no other.

What is made of one object is made in a guard: an exception becomes a problem at the object's place, and the
caller puts what closes in its stead (a request that fails, a connection that is refused). Never what opens.
"""

import traceback
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from mizzen.errors import Problem, Report, ResourceRef

CODES = {
    "INT-001": "A fault of mizzen: an object cannot be read or judged; it takes no part.",
    "INT-002": "A fault of mizzen: what an object asks for cannot be worked out; it fails closed.",
    "INT-003": "A fault of mizzen: what an object asks for cannot be told to Envoy; it fails closed.",
    "INT-004": "A fault of mizzen: a gateway cannot be worked out; it keeps what it has.",
    "INT-005": "A fault of mizzen: nothing can be worked out; all gateways keep what they have.",
}

_OURS = "/mizzen/"
_LONGEST = 160  # letters of what an exception says
_SILENT = frozenset({"Secret"})  # what an exception says of these is not shown

T = TypeVar("T")
U = TypeVar("U")


class Stage(Enum):
    """What was being done, and what became of it: the code, the words for it, the hint."""

    READ = (
        "INT-001",
        "this object cannot be read",
        "It takes no part; while mizzen runs, its last good version stays.",
    )
    RESOLVE = (
        "INT-002",
        "what this asks for cannot be worked out",
        "Its requests fail, or nobody is let in, until it is changed.",
    )
    TRANSLATE = (
        "INT-003",
        "what this asks for cannot be told to Envoy",
        "Its requests fail, or nobody is let in, until it is changed.",
    )
    GATEWAY = (
        "INT-004",
        "this gateway cannot be worked out",
        "It keeps what it has; others are served.",
    )
    EVERYTHING = (
        "INT-005",
        "the configuration cannot be worked out",
        "All gateways keep what they have; it is tried again.",
    )

    @property
    def code(self) -> str:
        return self.value[0]


def attempt(
    stage: Stage, ref: ResourceRef, make: Callable[[], T], report: Report, otherwise: U, at: str = ""
) -> T | U:
    """What `make` gives; `otherwise`, and a problem of `ref`, where it raises."""
    try:
        return run(stage, ref, make)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is not the fault of the other objects
        report(fault(stage, ref, error, at))
        return otherwise


def run(stage: Stage, ref: ResourceRef, make: Callable[[], T]) -> T:  # noqa: ARG001
    """Every guarded step passes here, so that tests can make one of them fail for one object."""
    return make()


def fault(stage: Stage, ref: ResourceRef, error: BaseException, at: str = "") -> Problem:
    """An exception as a problem of the object that was worked on."""
    return told(stage, ref, words_of(error, ref), at)


def told(stage: Stage, ref: ResourceRef, words: str, at: str = "") -> Problem:
    """The same where there are only its words."""
    code, message, hint = stage.value
    return Problem(
        code=code,
        resource=ref,
        field=at,
        message=f"{message}: {words}",
        hint=f"{hint} This is a fault of mizzen; please report it.",
    )


def is_fault(problem: Problem) -> bool:
    """Is it a fault of mizzen that one object met?"""
    return problem.code in ("INT-001", "INT-002", "INT-003")


def words_of(error: BaseException, ref: ResourceRef) -> str:
    """The kind of the exception, what it says, and where in mizzen it came from."""
    text = "" if ref.kind in _SILENT else " ".join(str(error).split())
    text = f": {text[:_LONGEST]}" if text else ""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [code for code in codes if _OURS in code.co_filename and code.co_filename != __file__]
    # Where a stack ends that was too deep differs from time to time, and this is said once.
    where = f" (in {ours[-1].co_name})" if ours and not isinstance(error, RecursionError) else ""
    return f"{type(error).__name__}{text}{where}"
