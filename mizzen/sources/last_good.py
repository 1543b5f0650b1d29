"""An edit that goes wrong does not take away what worked before it.

At a Kubernetes API server a bad edit is refused and the object stays as it was. Files have nobody who
refuses, so this does: the last version of each object that had no error stays in force, and so does what a
file held that cannot be read any more. What stands in for something else is also kept in the run-dir, for the
control plane that comes after this one; but for Secrets, which pass through memory only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from itertools import compress
from operator import not_
from typing import Any, TypeVar

import msgspec

from mizzen.errors import Problem, Severity
from mizzen.lazy import dataclass
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.listing import Difference, Listing, Moment, difference
from mizzen.sources.settling import is_below
from mizzen.sources.state_file import StateFile
from mizzen.sources.stored_objects import object_of, stored_object
from mizzen.sources.versions import Key, key_of, key_of_ref

Errors = Callable[[RawObject], tuple[Problem, ...]]  # what keeps an object from taking part

T = TypeVar("T")

_NEVER_KEPT = frozenset({"Secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted(Moment):
    """The objects that take part, and the problems of those whose place an older version took."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What becomes of the objects of one key, where not all of them are good and take part."""

    passing: tuple[RawObject, ...] = ()  # that are listed and take part, good or bad
    held: tuple[RawObject, ...] = ()  # that are bad, and whose place another one takes
    stand_in: tuple[RawObject, ...] = ()  # that one, at most
    problems: tuple[Problem, ...] = ()
    astray: frozenset[tuple[str, str]] = frozenset()  # (file, name) of objects that may have been another one


@dataclass(slots=True)
class LastGood:
    """Remembers, for each object, its last version without an error. `kept`: for the next process.

    Each listing is held against the one before: whoever did not change, and is good, is not looked at.
    """

    errors: Errors
    kept: StateFile | None = None
    good: dict[Key, RawObject] = field(default_factory=dict)
    _saved: tuple[str, ...] = ()  # the digests of what is in `kept`
    _listed: tuple[RawObject, ...] = ()  # of the latest listing
    _seen: object = None  # its token
    _raws: dict[Key, tuple[RawObject, ...]] = field(default_factory=dict)  # the same, in its order
    _keys: dict[str, Key] = field(default_factory=dict)  # the same, by digest
    _standing: dict[Key, _Standing] = field(default_factory=dict)  # of those that are not simply good
    _again: set[Key] = field(default_factory=set)  # to be judged next time
    # What the latest step has changed of `good`.
    _was_good: dict[Key, RawObject | None] = field(default_factory=dict)
    _last: Admitted | None = None
    # What the objects of that are: those that are listed, but these, and these beside (by their id).
    _made_of: tuple[tuple[RawObject, ...], frozenset[int], tuple[int, ...]] = ((), frozenset(), ())

    def __post_init__(self) -> None:
        stored = self.kept.load() if self.kept else None
        if self.kept and stored is not None:
            try:
                self.good = {key_of(raw): raw for raw in map(_restored, stored["objects"])}
            except (KeyError, TypeError, ValueError, AttributeError):
                self.kept.ignore("its content is not ours")
        self._saved = _digests(self.good.values())
        self._again = set(self.good)

    def admit(self, listing: Listing, changed: Iterable[str] = ()) -> Admitted:
        """Put the last good version in the place of each object that has gone bad.

        Args:
            listing: all there is now.
            changed: digests of objects of which `errors` says something else than before.
        """
        differing = listing.after(self._seen, self._listed)
        self._seen, self._listed = listing.token, listing.objects
        told = {key_of(raw) for some in (differing.added, differing.gone) for raw in some}
        told |= {self._keys[digest] for digest in changed if digest in self._keys}
        keys = sorted(told | self._standing.keys() | self._again)
        was = [raw for key in keys for raw in self._part(key)]
        self._take(differing, listing)
        self._again, self._was_good = set(), {}
        absent = []
        for key in keys:
            if key in self._raws:
                self._judge(key)
            else:
                absent.append(key)
        self._judge_absent(absent, listing)
        return self._admitted(listing, difference(was, (raw for key in keys for raw in self._part(key))))

    def was_good(self, key: Key) -> RawObject | None:
        """The last good version of an object before the latest listing was admitted."""
        return self._was_good[key] if key in self._was_good else self.good.get(key)

    def replaced(self) -> Mapping[Key, RawObject | None]:
        """The objects of which the latest listing has brought or taken a good version, and the good version before."""
        return self._was_good

    def replace(self, key: Key, raw: RawObject | None) -> None:
        """Let another version be the last good one of an object; None: there is none. It is judged anew."""
        self._put(self.good, key, raw)
        self._again.add(key)

    def undo(self) -> None:
        """Forget what the latest listing has made good. It is to be admitted again, with what is wrong with it."""
        for key, raw in self._was_good.items():
            self._put(self.good, key, raw)
        self._again |= self._was_good.keys()
        self._was_good = {}

    def _part(self, key: Key) -> tuple[RawObject, ...]:
        """What takes part of a key."""
        standing = self._standing.get(key)
        return (*standing.passing, *standing.stand_in) if standing else self._raws.get(key, ())

    def _take(self, differing: Difference, listing: Listing) -> None:
        """The objects by their keys."""
        several: set[Key] = set()
        for raw in differing.gone:
            key = key_of(raw)
            self._put(self._raws, key, tuple(one for one in self._raws[key] if one is not raw) or None)
            self._keys.pop(raw.digest, None)
        for raw in differing.added:
            key = key_of(raw)
            self._raws[key] = (*self._raws.get(key, ()), raw)
            self._keys[raw.digest] = key
            if len(self._raws[key]) > 1:
                several.add(key)
        if several:
            order = {id(raw): at for at, raw in enumerate(listing.objects)}
            for key in several:
                self._raws[key] = tuple(sorted(self._raws[key], key=lambda raw: order[id(raw)]))

    @staticmethod
    def _put(values: dict[Key, T], key: Key, value: T | None) -> None:
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value

    def _judge(self, key: Key) -> None:
        """Of a key that is listed."""
        raws = self._raws[key]
        wrong = {id(raw): problems for raw in raws if (problems := self._errors(raw))}
        good = [raw for raw in raws if id(raw) not in wrong]
        if not wrong:
            self._standing.pop(key, None)
            self._remember(key, good[-1])
            return
        earlier = self._good(key)
        bad = tuple(raw for raw in raws if id(raw) in wrong)
        if earlier is None:
            astray = frozenset((raw.ref.place().file, raw.name) for raw in bad)
            self._standing[key] = _Standing(passing=raws, astray=astray)
            self._remember(key, good[-1] if good else None)
            return
        self._standing[key] = _Standing(
            passing=tuple(good),
            held=bad,
            stand_in=() if good else (earlier,),
            problems=tuple(problem for raw in bad for problem in wrong[id(raw)]),
        )
        self._remember(key, good[-1] if good else earlier)

    def _judge_absent(self, keys: Iterable[Key], listing: Listing) -> None:
        """What stood where now nothing can be read stays: by name if the document still tells it, else by file."""
        broken = [problem for problem in listing.problems if problem.severity is Severity.ERROR]
        names = {key_of_ref(problem.resource) for problem in broken}
        nameless = {
            problem.origin.file for problem in broken if problem.resource.kind in ("", "File", "Document")
        }
        astray = {one for standing in self._standing.values() for one in standing.astray}
        for key in keys:
            raw = self._good(key)
            file = raw.ref.place().file if raw else ""
            is_hidden = raw and (key in names or file in nameless or (file, raw.name) in astray)
            if raw and (is_hidden or _is_unreadable(file, listing)):
                self._standing[key] = _Standing(stand_in=(raw,))
            else:
                self._standing.pop(key, None)
                self._remember(key, None)

    def _remember(self, key: Key, raw: RawObject | None) -> None:
        before = self.good.get(key)
        if before is not raw:
            self._was_good.setdefault(key, before)
            self._put(self.good, key, raw)

    def _errors(self, raw: RawObject) -> list[Problem]:
        return [problem for problem in self.errors(raw) if problem.severity is Severity.ERROR]

    def _good(self, key: Key) -> RawObject | None:
        """What an earlier process left is judged like anything else: this one may be stricter."""
        raw = self.good.get(key)
        return raw if raw is not None and not self._errors(raw) else None

    def _admitted(self, listing: Listing, changed: Difference) -> Admitted:
        before = self._last
        held = frozenset(id(raw) for standing in self._standing.values() for raw in standing.held)
        stand_in = tuple(raw for _, one in sorted(self._standing.items()) for raw in one.stand_in)
        made_of = (listing.objects, held, tuple(map(id, stand_in)))
        objects = listing.objects
        if before and made_of[0] is self._made_of[0] and made_of[1:] == self._made_of[1:]:
            objects = before.objects
        else:
            if held:
                objects = tuple(compress(objects, map(not_, map(held.__contains__, map(id, objects)))))
            if stand_in:
                objects = (*objects, *stand_in)
        self._made_of = made_of
        self._keep(stand_in, listing)
        problems = [problem for _, one in sorted(self._standing.items()) for problem in one.problems]
        if self.kept:
            problems += self.kept.problems
        self._last = Admitted(
            objects=objects,
            problems=tuple(problems),
            added=changed.added,
            gone=changed.gone,
            since=before.token if before else None,
        )
        return self._last

    def _keep(self, stand_in: tuple[RawObject, ...], listing: Listing) -> None:
        """Write down what a new process could not read in the files."""
        if self.kept is None:
            return
        hidden: list[RawObject] = []
        if listing.unreadable:
            hidden = [raw for raw in self.good.values() if _is_unreadable(raw.ref.place().file, listing)]
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
    return stored_object(raw, {path: (place.line, place.column) for path, place in raw.ref.places.items()})


def _restored(stored: Mapping[str, Any]) -> RawObject:
    """Raises as `object_of`."""
    raw = object_of(stored)
    if raw.kind in _NEVER_KEPT:
        raise ValueError(f"a {raw.kind} is never kept")
    return raw
