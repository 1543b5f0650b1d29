"""All objects of a source at one moment, and what differs from the moment before."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field
from itertools import chain

from mizzen.errors import Problem, Severity
from mizzen.lazy import dataclass
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.ordered import Ordered
from mizzen.sources.versions import Key, Version, key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Objects by identity: one that was changed is among both."""

    added: tuple[RawObject, ...] = ()
    gone: tuple[RawObject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """All objects at one moment. What has not changed since an earlier one is the very same object in both."""

    objects: tuple[RawObject, ...]
    added: tuple[RawObject, ...] = ()  # what differs from the moment `since`
    gone: tuple[RawObject, ...] = ()
    since: object = None  # the `token` of the moment before; None: there was none
    token: object = field(default_factory=object)

    def after(self, token: object, objects: Iterable[RawObject]) -> Difference:
        """What differs from the moment with this token, whose objects those were: no walk where that was the one
        before, or this one."""
        if token is self.token:
            return Difference()
        if token is not None and token is self.since:
            return Difference(added=self.added, gone=self.gone)
        return difference(objects, self.objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Moment):
    """All objects of a source, and what could not be read."""

    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()  # every file that takes part
    unreadable: frozenset[str] = frozenset()  # files and folders that exist and could not be read


def difference(before: Iterable[RawObject], now: Iterable[RawObject]) -> Difference:
    """Of any two sets of objects, each in its order."""
    old, new = {id(raw): raw for raw in before}, {id(raw): raw for raw in now}
    return Difference(
        added=tuple(raw for at, raw in new.items() if at not in old),
        gone=tuple(raw for at, raw in old.items() if at not in new),
    )


_FEW = 64  # files that change at once: beyond that all is joined anew

Stamp = Callable[[Difference], Mapping[int, RawObject]]  # what becomes of the objects that are added, by id()


@dataclass(slots=True)
class Parts:
    """What each file gives to a listing: kept, and made anew for those alone that have changed."""

    stamp: Stamp | None = None
    broken: set[str] = field(default_factory=set)  # files that may hold objects that cannot be read
    _raws: dict[str, tuple[RawObject, ...]] = field(default_factory=dict)
    _objects: Ordered[tuple[RawObject, ...]] = field(default_factory=Ordered)  # the same, stamped
    _lengths: list[int] = field(default_factory=list)  # how many each file gives
    _flat: list[RawObject] = field(default_factory=list)  # all of them
    _all: tuple[RawObject, ...] = ()
    _problems: Ordered[tuple[Problem, ...]] = field(default_factory=Ordered)  # of files that have any

    def follow(
        self, touched: Mapping[str, Version | None], withheld: Collection[str], moved: Collection[Key]
    ) -> Difference:
        """Take in what is believed of these files. Of what is `withheld`, objects that have `moved` take no part."""
        raws: dict[str, tuple[RawObject, ...]] = {}
        problems: dict[str, tuple[Problem, ...] | None] = {}
        for name, version in touched.items():
            objects, wrong = (version.objects, version.problems) if version else ((), ())
            if name in withheld and moved:
                objects = tuple(raw for raw in objects if key_of(raw) not in moved)
            raws[name], problems[name] = objects, wrong or None
            is_broken = any(problem.severity is Severity.ERROR for problem in wrong)
            (self.broken.add if is_broken else self.broken.discard)(name)
        before = [raw for name in raws for raw in self._raws.get(name, ())]
        changed = difference(before, chain.from_iterable(raws.values()))
        stamped = self.stamp(changed) if self.stamp else {}
        old: list[RawObject] = []
        new: list[RawObject] = []
        parts: dict[str, tuple[RawObject, ...] | None] = {}
        for name, some in raws.items():
            known = dict(zip(map(id, self._raws.get(name, ())), self._objects.get(name) or (), strict=True))
            part = tuple(known.get(id(raw)) or stamped.get(id(raw), raw) for raw in some)
            old += known.values()
            new += part
            parts[name] = part or None
            if some:
                self._raws[name] = some
            else:
                self._raws.pop(name, None)
        self._problems.update(problems)
        result = difference(old, new)
        if result.added or result.gone:
            self._join(parts)
        return result

    def _join(self, parts: Mapping[str, tuple[RawObject, ...] | None]) -> None:
        """Put these in the place of what the files gave before."""
        if len(parts) > _FEW:
            self._objects.update(parts)
            self._lengths = list(map(len, self._objects.values))
            self._flat = list(chain.from_iterable(self._objects.values))
        else:
            for name, part in parts.items():
                at, is_there = self._objects.find(name)
                begin, length = sum(self._lengths[:at]), self._lengths[at] if is_there else 0
                self._flat[begin : begin + length] = part or ()
                self._lengths[at : at + is_there] = [len(part)] if part else []
                self._objects.update({name: part})
        self._all = tuple(self._flat)

    @property
    def objects(self) -> tuple[RawObject, ...]:
        """All of them, by file. The very same as long as nothing changes."""
        return self._all

    def problems(self) -> Iterable[Problem]:
        """Those of all files."""
        return chain.from_iterable(self._problems.values)
