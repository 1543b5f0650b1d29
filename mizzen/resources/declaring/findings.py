"""What is found wrong with one object while it is decoded and validated."""

from dataclasses import field

from mizzen.errors import MOST_OF_ONE, Problem, ResourceRef, Severity, more_of
from mizzen.lazy import dataclass


@dataclass(slots=True)
class Findings:
    """Collects the problems of one object."""

    ref: ResourceRef
    problems: list[Problem] = field(default_factory=list)
    beyond: int = 0  # problems that are only counted: an object may have a hundred thousand
    refused: bool = False

    @property
    def is_full(self) -> bool:
        """Has enough been found? What else is wrong need not be worded well."""
        return len(self.problems) >= MOST_OF_ONE

    def all(self) -> tuple[Problem, ...]:
        """Every problem, and the number of those that were only counted."""
        if not self.beyond:
            return tuple(self.problems)
        severity = Severity.ERROR if self.refused else Severity.WARNING
        return (*self.problems, more_of(self.ref, self.beyond, severity))

    def error(self, code: str, at: str, message: str, hint: str = "") -> None:
        """The object is refused because of the field at the path `at`."""
        self.add(Severity.ERROR, code, at, message, hint)

    def warning(self, code: str, at: str, message: str, hint: str = "") -> None:
        """The object is kept; its author may be surprised."""
        self.add(Severity.WARNING, code, at, message, hint)

    def info(self, code: str, at: str, message: str, hint: str = "") -> None:
        """The object is kept; this is worth knowing."""
        self.add(Severity.INFO, code, at, message, hint)

    def has_error(self, at: str) -> bool:
        """Is there an error at the path or in what is below it?"""
        below = (f"{at}.", f"{at}[")
        errors = (problem for problem in self.problems if problem.severity is Severity.ERROR)
        return any(problem.field == at or problem.field.startswith(below) for problem in errors)

    def add(self, severity: Severity, code: str, at: str, message: str, hint: str) -> None:
        self.refused |= severity is Severity.ERROR
        if self.is_full:
            self.beyond += 1
            return
        self.problems.append(
            Problem(severity=severity, code=code, resource=self.ref, field=at, message=message, hint=hint)
        )
