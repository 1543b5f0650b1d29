"""An edit that goes wrong does not take away what worked before it.

At a Kubernetes API server a bad edit is refused and the object stays as it was. Files have nobody who
refuses, so this does: the last version of each object that had no error stays in force, and so does what a
file held that cannot be read any more. What stands in for something else is also kept in the run-dir, for the
control plane that comes after this one; but for Secrets, which pass through memory only.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.resources.kinds import group_of
from mizzen.resources.places import Places
from mizzen.resources.yaml import RawObject
from mizzen.sources.files import Listing
from mizzen.sources.settling import is_below
from mizzen.sources.state_file import StateFile
from mizzen.sources.versions import Key, key_of, key_of_ref

Errors = Callable[[RawObject], tuple[Problem, ...]]  # what keeps an object from taking part

_NEVER_KEPT = frozenset({"Secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The objects that take part, and the problems of those whose place an older version took."""

    objects: tuple[RawObject, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class LastGood:
    """Remembers, for each object, its last version without an error. `kept`: for the next process."""

    errors: Errors
    kept: StateFile | None = None
    good: dict[Key, RawObject] = field(default_factory=dict)
    _saved: tuple[str, ...] = ()  # the digests of what is in `kept`

    def __post_init__(self) -> None:
        stored = self.kept.load() if self.kept else None
        if self.kept and stored is not None:
            try:
                self.good = {key_of(raw): raw for raw in map(_restored, stored["objects"])}
            except (KeyError, TypeError, ValueError, AttributeError):
                self.kept.ignore("its content is not ours")
        self._saved = _digests(self.good.values())

    def admit(self, listing: Listing) -> Admitted:
        """Put the last good version in the place of each object that has gone bad."""
        objects: list[RawObject] = []
        problems: list[Problem] = []
        now: dict[Key, RawObject] = {}
        # (file, name) of objects that went bad in their kind or namespace
        astray: set[tuple[str, str]] = set()
        for raw in listing.objects:
            key = key_of(raw)
            wrong = self._errors(raw)
            if not wrong:
                now[key] = raw
            elif self._has_good(key):
                now.setdefault(key, self.good[key])
                problems += wrong
                continue
            else:
                astray.add((raw.ref.place().file, raw.name))
            objects.append(raw)
        for key, raw in self._of_broken_documents(listing, astray).items():
            now.setdefault(key, raw)
        listed = {id(raw) for raw in objects}
        stand_in = [raw for raw in now.values() if id(raw) not in listed]
        self.good = now
        self._keep(stand_in, listing)
        if self.kept:
            problems += self.kept.problems
        return Admitted(objects=(*objects, *stand_in), problems=tuple(problems))

    def _errors(self, raw: RawObject) -> list[Problem]:
        return [problem for problem in self.errors(raw) if problem.severity is Severity.ERROR]

    def _has_good(self, key: Key) -> bool:
        """What an earlier process left is judged like anything else: this one may be stricter."""
        return key in self.good and not self._errors(self.good[key])

    def _of_broken_documents(self, listing: Listing, astray: set[tuple[str, str]]) -> dict[Key, RawObject]:
        """What stood where now nothing can be read: by name if the document still tells it, else by file."""
        broken = [problem for problem in listing.problems if problem.severity is Severity.ERROR]
        names = {key_of_ref(problem.resource) for problem in broken}
        nameless = {
            problem.origin.file for problem in broken if problem.resource.kind in ("", "File", "Document")
        }
        present = {key_of(raw) for raw in listing.objects}
        found: dict[Key, RawObject] = {}
        for key, raw in self.good.items():
            file = raw.ref.place().file
            if key in present:
                continue
            is_hidden = key in names or file in nameless or (file, raw.name) in astray
            if (is_hidden or _is_unreadable(file, listing)) and self._has_good(key):
                found[key] = raw
        return found

    def _keep(self, stand_in: list[RawObject], listing: Listing) -> None:
        """Write down what a new process could not read in the files."""
        if self.kept is None:
            return
        hidden: list[RawObject] = []
        if listing.unreadable:
            hidden = [raw for raw in listing.objects if _is_unreadable(raw.ref.place().file, listing)]
        wanted = {id(raw): raw for raw in (*stand_in, *hidden) if raw.kind not in _NEVER_KEPT}.values()
        digests = _digests(wanted)
        if digests != self._saved or self.kept.is_behind:
            self._saved = digests
            self.kept.save({"objects": [_stored(raw) for raw in wanted if _can_be_stored(raw)]})


def _digests(objects: Iterable[RawObject]) -> tuple[str, ...]:
    return tuple(sorted(raw.digest for raw in objects))


def _is_unreadable(file: str, listing: Listing) -> bool:
    return any(is_below(file, path) for path in listing.unreadable)


def _can_be_stored(raw: RawObject) -> bool:
    """JSON has no words for some numbers of YAML (.inf, .nan)."""
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(raw.data)) == raw.data)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        return False


def _stored(raw: RawObject) -> dict[str, Any]:
    places = {path: [place.line, place.column] for path, place in raw.ref.places.items()}
    return {
        "kind": raw.kind,
        "apiVersion": raw.api_version,
        "namespace": raw.namespace,
        "name": raw.name,
        "file": raw.ref.place().file,
        "places": places,
        "data": raw.data,
    }


def _restored(stored: Mapping[str, Any]) -> RawObject:
    """ValueError, TypeError, KeyError, AttributeError: this was not written by `_stored`."""
    texts = [stored[key] for key in ("kind", "apiVersion", "namespace", "name", "file")]
    if not all(isinstance(text, str) for text in texts) or not isinstance(stored["data"], dict):
        raise TypeError("no object")
    kind, api_version, namespace, name, file = texts
    if kind in _NEVER_KEPT:
        raise ValueError(f"a {kind} is never kept")
    found = {path: (int(line), int(column)) for path, (line, column) in stored["places"].items()}
    content = msgspec.json.encode(stored, order="deterministic")
    return RawObject(
        kind=kind,
        api_version=api_version,
        namespace=namespace,
        name=name,
        data=stored["data"],
        ref=ResourceRef(
            kind=kind,
            group=group_of(kind, api_version),
            namespace=namespace,
            name=name,
            places=Places(file, found),
        ),
        digest=f"kept/{hashlib.blake2b(content, digest_size=16).hexdigest()}",
    )
