"""One version of a file, and what speaks against it when it is held against the one before. Pure.

A file that is rewritten in place passes through states that nobody meant: empty, then cut off somewhere. Such
a state differs from an ordinary edit in what it lacks: whole objects, or the end of the last one.
"""

from collections.abc import Collection
from typing import Any

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.resources.kinds import group_of
from mizzen.resources.raw_objects import RawObject, parse_documents
from mizzen.resources.yaml.documents import split
from mizzen.sources.reading import Text, Writer

Key = tuple[str, str, str, str]  # group, kind, namespace, name

SETTLING_SECONDS = 2.0  # what takes something away must have been so for this long
WRITING_SECONDS = 10.0  # what somebody has open for writing, and does not change any more
BRIEF_SECONDS = 0.25  # what may be half-written, and takes nothing away as it stands
_UNPARSEABLE = frozenset({"YML-001", "YML-002"})


def key_of(raw: RawObject) -> Key:
    """Which object it is."""
    return (group_of(raw.kind, raw.api_version), raw.kind, raw.namespace, raw.name)


def key_of_ref(ref: ResourceRef) -> Key:
    """The same, of an object that could not be read."""
    return (ref.group, ref.kind, ref.namespace, ref.name)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Version:
    """What a file said at one moment. Each is equal to itself alone."""

    content: bytes
    objects: tuple[RawObject, ...]
    problems: tuple[Problem, ...]
    keys: frozenset[Key]
    is_cut: bool  # its last document cannot be parsed

    @classmethod
    def of(cls, content: bytes, file: str, before: "Version | None" = None) -> "Version":
        """Parse `content`. What stands in it as it stood in `before` is the very same object."""
        objects, problems = parse_documents(content, file)
        if before is not None:
            known = {raw.digest: raw for raw in before.objects}
            objects = tuple(known.get(raw.digest, raw) for raw in objects)
        return cls(
            content=content,
            objects=objects,
            problems=problems,
            keys=frozenset(map(key_of, objects)),
            is_cut=_is_cut(content, problems),
        )

    @property
    def broken(self) -> frozenset[Key]:
        """The objects that its broken documents seem to be."""
        return frozenset(key_of_ref(one.resource) for one in self.problems if one.severity is Severity.ERROR)


def _is_cut(content: bytes, problems: tuple[Problem, ...]) -> bool:
    lines = [one.origin.line for one in problems if one.code in _UNPARSEABLE]
    if not lines:
        return False
    last = max((piece.line for piece in split(content)), default=0)
    return max(lines) > last


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a state of a file is not believed yet."""

    why: str
    seconds: float | None  # how long it must have been so to be believed; None: it never is
    lost: frozenset[Key] = frozenset()  # the objects that are missing, where nothing else is doubtful
    place: str = ""  # the folder that is the reason; "" is the file itself


def doubt(
    before: Version | None, now: Version, text: Text, elsewhere: Collection[Key] = frozenset()
) -> Doubt | None:
    """What speaks against believing `now` at once; None when nothing does.

    `before` is what is believed of the file. `elsewhere`: objects that other files state as well.
    """
    if text.writer is Writer.SOMEBODY:
        return Doubt(why="somebody is writing this file", seconds=WRITING_SECONDS)
    lost = (before.keys | before.broken) - now.keys - now.broken if before else frozenset[Key]()
    if lost:
        return Doubt(why=_without(lost, now), seconds=SETTLING_SECONDS, lost=lost)
    twice = now.keys.intersection(elsewhere) - (before.keys if before else frozenset())
    if twice:
        why = f"this file holds {_names(twice)}, which another file holds too"
        return Doubt(why=why, seconds=SETTLING_SECONDS)
    if text.is_renamed:
        return None
    if before and ends_early(before, now):
        return Doubt(why="this file may have been cut off at its end", seconds=SETTLING_SECONDS)
    if _ends_anew(before, now, is_enough=text.writer is Writer.UNKNOWN):
        return Doubt(why="this file has just been written", seconds=BRIEF_SECONDS)
    return None


def _without(lost: frozenset[Key], now: Version) -> str:
    return (
        f"this file no longer holds {_names(lost)}" if now.objects else "there is no object left in this file"
    )


def _names(keys: frozenset[Key]) -> str:
    first, *more = sorted("/".join(filter(None, key[1:])) for key in keys)  # kind/namespace/name
    return f"{first} and {len(more)} more" if more else first


def _ends_anew(before: Version | None, now: Version, *, is_enough: bool) -> bool:
    """Does it end with an object that was not there (half a policy may forbid everything), or, if that
    `is_enough`, with one that has changed?"""
    if before is None or now.is_cut or not now.objects:
        return True
    last = now.objects[-1]
    earlier = _same(before, last)
    return earlier is None or (is_enough and earlier.data != last.data)


def _same(version: Version, raw: RawObject) -> RawObject | None:
    """The object of a version that is the same one as `raw`."""
    return next((one for one in version.objects if key_of(one) == key_of(raw)), None)


def ends_early(before: Version, now: Version) -> bool:
    """May `now` be the beginning of a longer text? Judged by the end of its last object alone: what stands
    before that is followed by something, so it is complete."""
    if now.is_cut:
        return True
    if before.content.endswith(b"\n") and not now.content.endswith(b"\n"):
        return True
    if not now.objects:
        return False
    last = now.objects[-1]
    earlier = _same(before, last)
    return earlier is not None and lacks_end(earlier.data, last.data)


def lacks_end(before: Any, now: Any) -> bool:
    """Does `now` lack something of `before` at or behind the place where its own text ends?"""
    while True:
        if isinstance(now, dict) and isinstance(before, dict):
            if before.keys() - now.keys():
                return True
            key = next(reversed(now), None)
            if key is None or key not in before:
                return False
            before, now = before[key], now[key]
        elif isinstance(now, list) and isinstance(before, list):
            if len(now) < len(before):
                return True
            if not now or len(now) > len(before):
                return False
            before, now = before[-1], now[-1]
        elif isinstance(now, str) and isinstance(before, str):
            return now != before and before.startswith(now)
        else:
            return now in (None, "") and before not in (None, "")
