"""What a build has made, before it is served. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import datetime

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import is_fault
from mizzen.lazy import dataclass
from mizzen.pipeline import Build, Settings
from mizzen.plane.served_gateway import Translated
from mizzen.resources.decode import identify
from mizzen.resources.kinds import is_ours
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.named_files import Stamps
from mizzen.sources.versions import Key, key_of

# What says which gateways and sidecars there are; a document or file that cannot be read may hold any of them.
_OF_READING = ("FILE", "YML", "KIND", "META", "FLD", "VAL", "INT")
_DECLARING = frozenset({"IstioOperator", "WorkloadEntry", "Pod"})
_UNKNOWN = frozenset({"Document", "File", ""})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """A build, and what every gateway shall be told of it."""

    number: int  # a later build has a greater one
    result: Build
    gateways: Mapping[str, Translated]  # by key of the proxy
    objects: tuple[RawObject, ...]
    lost: tuple[Problem, ...]  # gateways for which it failed; they keep what they have
    is_sound: bool  # a gateway that is not among `gateways` is not declared
    problems: tuple[Problem, ...] = ()  # of all objects, at the time of the build
    valid_until: datetime | None = None  # when a certificate begins or ends, and `problems` are others
    named: Stamps = field(default_factory=dict)  # files that objects name, as they were read
    found: tuple[Problem, ...] = ()  # in reading the objects
    settings: Settings = field(default_factory=Settings)

    def at_fault(
        self, good: Callable[[Key], RawObject | None], namespace: str
    ) -> dict[str, tuple[Problem, ...]]:
        """By digest, the objects that raised and of which `good` knows an earlier version."""
        found: dict[object, list[Problem]] = {}
        translated = [problem for one in self.gateways.values() for problem in one.config.problems]
        for problem in filter(is_fault, (*self.result.problems, *translated)):
            found.setdefault(problem.resource, []).append(problem)
        at_fault: dict[str, tuple[Problem, ...]] = {}
        for raw in self.objects if found else ():
            problems = found.get(identify(raw, namespace))
            before = good(key_of(raw)) if problems else None
            if problems and before is not None and before.digest != raw.digest:
                at_fault[raw.digest] = tuple(dict.fromkeys(problems))
        return at_fault


def declares_all(problems: Iterable[Problem]) -> bool:
    """Has everything been read that may declare gateways and sidecars? `problems`: without those of objects whose
    last good version takes part."""
    return not any(
        problem.severity is Severity.ERROR
        and _may_declare(problem.resource)
        and problem.code.startswith(_OF_READING)
        for problem in problems
    )


def _may_declare(ref: ResourceRef) -> bool:
    return ref.kind in _UNKNOWN or (ref.kind in _DECLARING and is_ours(ref))
