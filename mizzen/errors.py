"""What is wrong with the user's configuration, as values: reported, never raised.

Everything that finds a fault says so with a `Problem`. A problem points at the user's own words: the
object, the path of the field inside it, and the place in the file where that field stands.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from enum import Enum

from mizzen.istio_codes import istio_code
from mizzen.lazy import dataclass
from mizzen.redaction import hidden_text


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
    """One object of the user: what it is called and where each of its fields is written.

    As text it goes without its group: what is told of an object whose kind is not ours names its apiVersion.
    """

    kind: str
    # Of its apiVersion; "" for the core of Kubernetes, and for what is no object. Two groups may each have a
    # kind of one name (Gateway, Service): their objects are never the same.
    group: str = ""
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

    def __post_init__(self) -> None:
        """Whatever words a message quotes, it tells no secret: it goes into logs, statuses and reports."""
        for name in ("message", "hint"):
            object.__setattr__(self, name, hidden_text(getattr(self, name)))

    @property
    def origin(self) -> Place:
        """Where the field (or its nearest written ancestor) stands."""
        return self.resource.place(self.field)

    @property
    def istio(self) -> str:
        """The code that `istioctl analyze` tells the same by; "" where it has none."""
        is_error = self.severity is Severity.ERROR
        return istio_code(self.code, self.resource.kind, self.field, is_error=is_error)

    def value(self) -> dict[str, str]:
        """As JSON values; `origin` is file:line:column. Each is one line, whatever the user wrote."""
        said = {
            "severity": self.severity.value,
            "code": self.code,
            "istio": self.istio,
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
        istio = f" ({said['istio']})" if said["istio"] else ""
        text = f"{where}: {said['severity']} {said['code']}{istio}: {said['message']}"
        return f"{text}\n  hint: {said['hint']}" if said["hint"] else text


Report = Callable[[Problem], None]

MOST_OF_ONE = 50  # problems of one object that are kept; what else is wrong with it is only counted
MOST_SHOWN = 1000  # problems that are shown at once to somebody who reads
MORE = "META-003"  # the code of their number
CODES = {MORE: "An object has more problems than are shown."}


def capped(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The same in their order, with at most `MOST_OF_ONE` of each object, and the number of its others."""
    counts: dict[ResourceRef, int] = {}
    kept: list[Problem] = []
    beyond: dict[ResourceRef, list[Severity]] = {}
    for problem in problems:
        count = counts[problem.resource] = counts.get(problem.resource, 0) + (problem.code != MORE)
        if count <= MOST_OF_ONE or problem.code == MORE:
            kept.append(problem)
        else:
            beyond.setdefault(problem.resource, []).append(problem.severity)
    for ref, some in beyond.items():
        is_error = Severity.ERROR in some
        kept.append(more_of(ref, len(some), Severity.ERROR if is_error else Severity.WARNING))
    return tuple(kept)


def first_of(problems: Sequence[Problem], number: int) -> tuple[tuple[Problem, ...], int]:
    """The first `number` in their order, errors before all others, and how many are left."""
    if len(problems) <= number:
        return tuple(problems), 0
    worst = sorted(range(len(problems)), key=lambda at: problems[at].severity is not Severity.ERROR)
    return tuple(problems[at] for at in sorted(worst[:number])), len(problems) - number


def more_of(ref: ResourceRef, number: int, severity: Severity) -> Problem:
    """That an object has so many problems more."""
    return Problem(
        severity=severity,
        code=MORE,
        resource=ref,
        message=f"this object has more problems: {number} are not shown",
        hint="Mend the others first.",
    )


def sort_key(problem: Problem) -> tuple[Place, str, str, str, str]:
    """The order in which problems are shown: by place, then by object and field."""
    return (problem.origin, str(problem.resource), problem.field, problem.code, problem.message)
