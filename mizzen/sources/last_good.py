"""An edit that goes wrong does not take away what worked before it.

At a Kubernetes API server a bad edit is refused and the object stays as it was. Files have nobody who
refuses, so this does: the last version of each object that had no error stays in force, and so does what a
file held that cannot be read any more. Only a running instance remembers; a new one has nothing to go by.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mizzen.errors import Problem, Severity
from mizzen.resources.yaml import RawObject
from mizzen.sources.files import Listing

Key = tuple[str, str, str]  # kind, namespace, name
Errors = Callable[[RawObject], tuple[Problem, ...]]  # what keeps an object from taking part


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The objects that take part, and the problems of those whose place an older version took."""

    objects: tuple[RawObject, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class LastGood:
    """Remembers, for each object, its last version without an error."""

    errors: Errors
    good: dict[Key, RawObject] = field(default_factory=dict)

    def admit(self, listing: Listing) -> Admitted:
        """Put the last good version in the place of each object that has gone bad."""
        objects: list[RawObject] = []
        problems: list[Problem] = []
        now: dict[Key, RawObject] = {}
        astray: set[tuple[str, str]] = (
            set()
        )  # (file, name) of objects that went bad in their kind or namespace
        for raw in listing.objects:
            key = (raw.kind, raw.namespace, raw.name)
            wrong = [problem for problem in self.errors(raw) if problem.severity is Severity.ERROR]
            if not wrong:
                now[key] = raw
            elif key in self.good:
                now.setdefault(key, self.good[key])
                problems += wrong
                continue
            else:
                astray.add((raw.ref.place().file, raw.name))
            objects.append(raw)
        for key, raw in self._of_broken_documents(listing, astray).items():
            now.setdefault(key, raw)
        listed = {id(raw) for raw in objects}
        objects += [raw for raw in now.values() if id(raw) not in listed]
        self.good = now
        return Admitted(objects=tuple(objects), problems=tuple(problems))

    def _of_broken_documents(self, listing: Listing, astray: set[tuple[str, str]]) -> dict[Key, RawObject]:
        """What stood where now nothing can be read: by name if the document still tells it, else by file."""
        broken = [problem for problem in listing.problems if problem.severity is Severity.ERROR]
        names = {(p.resource.kind, p.resource.namespace, p.resource.name) for p in broken}
        nameless = {
            problem.origin.file for problem in broken if problem.resource.kind in ("", "File", "Document")
        } | listing.unreadable
        present = {(raw.kind, raw.namespace, raw.name) for raw in listing.objects}
        return {
            key: raw
            for key, raw in self.good.items()
            if key not in present
            and (
                key in names or raw.ref.place().file in nameless or (raw.ref.place().file, raw.name) in astray
            )
        }
