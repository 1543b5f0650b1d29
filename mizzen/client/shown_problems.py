"""Which problems `mizzen analyze` shows and fails for, in the words of `istioctl analyze`. Pure."""

import fnmatch
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.istio_codes import istio_codes
from mizzen.lazy import dataclass

# An annotation of an object: codes, separated by commas, that are not told of it; "*" is all.
SUPPRESSED = "galley.istio.io/analyze-suppress"
LEVELS: Mapping[str, Severity] = {
    "Info": Severity.INFO,
    "Warning": Severity.WARNING,
    "Error": Severity.ERROR,
}
_COLORS = {Severity.ERROR: 31, Severity.WARNING: 33, Severity.INFO: 36}  # red, yellow, cyan
_RANK = {severity: rank for rank, severity in enumerate(LEVELS.values())}
_CODE = re.compile(r"[A-Z][A-Z0-9]+-?[0-9]{3,4}")
_UNREAD = ("YML-", "KIND-004")  # documents that are none, or no objects of Kubernetes


@dataclass(frozen=True, slots=True)
class Suppression:
    """`CODE=KIND NAME.NAMESPACE`, with asterisks: of such objects, nothing is told by that code (ours, or Istio's)."""

    code: str
    pattern: str

    @classmethod
    def of(cls, text: str) -> "Suppression":
        """Raises ValueError where it is none."""
        code, equals, pattern = text.partition("=")
        if not equals or not pattern or not _CODE.fullmatch(code):
            raise ValueError(
                f'{text!r} is not CODE=KIND NAME.NAMESPACE, such as "IST0101=VirtualService shop.*"'
            )
        return cls(code, pattern)

    def takes(self, problem: Problem) -> bool:
        # Brackets are no pattern to istioctl.
        pattern = self.pattern.replace("[", "[[]")
        return self.code in (problem.code, problem.istio) and fnmatch.fnmatchcase(
            friendly_name(problem.resource), pattern
        )


def friendly_name(ref: ResourceRef) -> str:
    """An object as istioctl calls it: `Gateway shop.default`; without a namespace `Namespace shop`."""
    return f"{ref.kind} {'.'.join(filter(None, (ref.name, ref.namespace)))}"


def annotated(objects: Iterable[tuple[ResourceRef, Any]]) -> dict[ResourceRef, frozenset[str]]:
    """Objects (by name, with their data) that say themselves what is not to be told of them, and what that is."""
    found = {}
    for ref, data in objects:
        metadata = data.get("metadata") if isinstance(data, Mapping) else None
        annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
        codes = annotations.get(SUPPRESSED) if isinstance(annotations, Mapping) else None
        if isinstance(codes, str) and codes:
            found[ref] = frozenset(code.strip() for code in codes.split(","))
    return found


def kept(
    problems: Iterable[Problem],
    suppressions: Sequence[Suppression] = (),
    by_objects: Mapping[ResourceRef, Collection[str]] | None = None,
    *,
    ignore_unknown: bool = False,
) -> tuple[Problem, ...]:
    """Those that nobody asked not to be told of."""
    return tuple(
        problem
        for problem in problems
        if not any(one.takes(problem) for one in suppressions)
        and not {"*", problem.code, problem.istio}.intersection((by_objects or {}).get(problem.resource, ()))
        and not (ignore_unknown and problem.code.startswith(_UNREAD))
    )


def at_least(problems: Iterable[Problem], level: Severity) -> tuple[Problem, ...]:
    """Those of a severity or a worse one."""
    return tuple(problem for problem in problems if _RANK[problem.severity] >= _RANK[level])


def unknown_codes(suppressions: Iterable[Suppression], catalogue: Collection[str]) -> list[str]:
    """Codes that no problem has, neither ours nor Istio's."""
    known = {*catalogue, "IST0106", "IST0133", *(istio for some in istio_codes().values() for istio in some)}
    return sorted({one.code for one in suppressions} - known)


def in_color(problem: Problem) -> str:
    """As text, with its severity in color (ANSI)."""
    word = problem.severity.value
    return str(problem).replace(f": {word} ", f": \x1b[{_COLORS[problem.severity]}m{word}\x1b[0m ", 1)
