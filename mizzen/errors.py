"""What is wrong with the user's configuration, as values: reported, never raised.

Everything that finds a fault says so with a `Problem`. A problem points at the user's own words: the
object, the path of the field inside it, and the place in the file where that field stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum


class Severity(Enum):
    """How bad a problem is. Only errors make `mizzen analyze` exit with 1."""

    ERROR = "error"  # the element takes no part, or what it asks for does not happen
    WARNING = "warning"  # it was kept, and may surprise its author
    INFO = "info"  # worth knowing


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something is written: a file (or "stdin", or a cluster object), line and column from 1."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place()


_LONGEST_SHOWN = 1_000
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROL |= {ord(sign): repr(sign)[1:-1] for sign in "\t\n\r"}


def printable(text: str) -> str:
    """What a user wrote may be in `text`: on one line, without control characters, cut where it is very long."""
    shown = text.translate(_CONTROL)
    half = _LONGEST_SHOWN // 2
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:half]}...{shown[-half:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRef:
    """One object of the user: what it is called and where each of its fields is written."""

    kind: str
    namespace: str = ""
    name: str = ""
    # Field path -> place of its key (for list items: of the item). "" is where the object begins.
    # Not part of the identity: the same object at another line is the same object.
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def place(self, path: str = "") -> Place:
        """The place of a field; of its nearest written ancestor when the field itself is absent."""
        while path and path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.places.get(path, NOWHERE)

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with the user's configuration."""

    severity: Severity = Severity.ERROR
    code: str  # stable, documented in docs/problems.md, never reused: "REF-001"
    resource: ResourceRef
    field: str = ""  # as its author would write it: "spec.http[0].route[1].weight"
    message: str  # one sentence: what is wrong
    hint: str = ""  # one sentence: what to do about it

    @property
    def origin(self) -> Place:
        """Where the field (or its nearest written ancestor) stands."""
        return self.resource.place(self.field)

    def value(self) -> dict[str, str]:
        """As JSON values; `origin` is file:line:column. Each is one line, whatever the user wrote."""
        said = {
            "severity": self.severity.value,
            "code": self.code,
            "resource": str(self.resource),
            "field": self.field,
            "origin": str(self.origin),
            "message": self.message,
            "hint": self.hint,
        }
        return {key: printable(text) for key, text in said.items()}

    def __str__(self) -> str:
        said = self.value()
        where = " ".join(
            filter(None, (said["origin"] and f"{said['origin']}:", said["resource"], said["field"]))
        )
        text = f"{where}: {said['severity']} {said['code']}: {said['message']}"
        return f"{text}\n  hint: {said['hint']}" if said["hint"] else text


Report = Callable[[Problem], None]


def sort_key(problem: Problem) -> tuple[Place, str, str, str, str]:
    """The order in which problems are shown: by place, then by object and field."""
    return (problem.origin, str(problem.resource), problem.field, problem.code, problem.message)
