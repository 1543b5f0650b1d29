"""What is found wrong with one object while it is decoded and validated."""

from dataclasses import dataclass, field

from mizzen.errors import Problem, ResourceRef, Severity


@dataclass(slots=True)
class Findings:
    """Collects the problems of one object."""

    ref: ResourceRef
    problems: list[Problem] = field(default_factory=list)

    def error(self, code: str, at: str, message: str, hint: str = "") -> None:
        """The object is refused because of the field at the path `at`."""
        self.add(Severity.ERROR, code, at, message, hint)

    def warning(self, code: str, at: str, message: str, hint: str = "") -> None:
        """The object is kept; its author may be surprised."""
        self.add(Severity.WARNING, code, at, message, hint)

    def info(self, code: str, at: str, message: str, hint: str = "") -> None:
        """The object is kept; this is worth knowing."""
        self.add(Severity.INFO, code, at, message, hint)

    def add(self, severity: Severity, code: str, at: str, message: str, hint: str) -> None:
        self.problems.append(
            Problem(severity=severity, code=code, resource=self.ref, field=at, message=message, hint=hint)
        )

    @property
    def refused(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)
