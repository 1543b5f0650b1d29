"""What is believed of files that flicker. Pure: what was seen and the time are handed in.

What a file says is believed at once where that is a positive statement: it can be read, it is whole, and takes
nothing away. What is missing, empty, cut off or being written changes nothing until it has been so, without
any change, for some seconds. What cannot be read says nothing at all: what was believed stays for as long.

A step judges what has changed and what is doubtful. Of every other file the latest version is believed, and
nothing that happens elsewhere changes that.
"""

import math
import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import field, replace

from mizzen.errors import Place, Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.sources.kustomize import BUILT, NAMES
from mizzen.sources.ordered import Ordered
from mizzen.sources.reading import Directory, Seen, Text, Unreadable, Writer
from mizzen.sources.versions import SETTLING_SECONDS, Doubt, Key, Version, doubt

NAMED_SECONDS = 5.0  # until a folder is taken for removed that the user named, or for emptied
SAY_SECONDS = 1.0  # how long something is doubtful before it is said: renames take less
WRITER_SECONDS = 0.05  # how often it is asked whether somebody is still writing: nothing announces that

Texts = Mapping[str, Text | Unreadable | None]  # by file; None: it is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What takes part. Two of one `Settling` are equal when everything that follows from them is."""

    serial: int = 0  # counts the states of what is believed of files
    names: tuple[str, ...] = field(default=(), compare=False)  # of the files of which something is
    moved: frozenset[Key] = frozenset()  # what a file held that is withheld, and another one holds now
    unreadable: frozenset[str] = frozenset()  # files and folders of which nothing is known
    problems: tuple[Problem, ...] = ()
    withheld: frozenset[str] = field(default=frozenset(), compare=False)  # files whose state is not believed
    directories: frozenset[Directory] = field(default=frozenset(), compare=False)
    look_in: float | None = field(default=None, compare=False)  # seconds until something may have settled
    # Files of which the step before believed something else, or withheld another part: all that differs.
    touched: Mapping[str, Version | None] = field(default_factory=dict, compare=False, repr=False)


@dataclass(slots=True)
class _File:
    """One file that was ever seen and is not gone for good."""

    believed: Version | None = None
    text: Text | None = None  # what `believed` was read from
    seen: Version | None = None  # the latest version
    seen_text: Text | None = None
    doubt: Doubt | None = None
    about: object = None  # the state that is doubtful: its doubt begins anew when this changes
    since: float = 0.0  # for how long that state has been the same
    doubtful_since: float = 0.0  # for how long this file has been doubtful at all

    def believe(self) -> None:
        self.believed, self.text, self.doubt, self.about = self.seen, self.seen_text, None, None

    @property
    def stated(self) -> Collection[Key]:
        """What it holds, where nothing about it is doubtful."""
        return self.believed.keys if self.doubt is None and self.believed is not None else ()


@dataclass(slots=True)
class Settling:
    """Believes or doubts, step by step. `paths`: what the user named."""

    paths: Collection[str]
    _files: dict[str, _File] = field(default_factory=dict)
    _seen: Seen | None = None  # at the last look at everything; its files are in `_texts`
    _texts: dict[str, Text | Unreadable] = field(default_factory=dict)
    _there: Ordered[bool] = field(default_factory=Ordered)  # the names of `_texts`
    _doubtful: set[str] = field(default_factory=set)
    _unreadable: set[str] = field(default_factory=set)  # files
    # How many files state an object, believed or not.
    _seen_keys: Counter[Key] = field(default_factory=Counter)
    _stated: Counter[Key] = field(default_factory=Counter)  # the same of those that are not doubtful
    _believed: Ordered[Version] = field(default_factory=Ordered)
    _names: tuple[str, ...] = ()  # of the same
    _last: Belief = field(default_factory=Belief)
    _stepped_at: float = 0.0

    @property
    def files(self) -> tuple[tuple[str, Version], ...]:
        """What is believed of each file, by name."""
        return tuple(zip(self._believed.names, self._believed.values, strict=True))

    @property
    def doubtful(self) -> frozenset[str]:
        """The files that are there, and whose state is not believed."""
        return frozenset(name for name in self._doubtful if self._files[name].seen)

    def to_be_read(self, now: float) -> frozenset[str]:
        """The files that are to be looked at anew although nothing told of a change: before time alone decides, and
        while somebody writes."""
        return frozenset(name for name in self._doubtful if self._is_due(self._files[name], now))

    def is_due(self, now: float) -> bool:
        """May something follow from the time alone?"""
        return self._last.look_in is not None and now >= self._stepped_at + self._last.look_in

    def _is_due(self, file: _File, now: float) -> bool:
        if file.seen_text is not None and file.seen_text.writer is Writer.SOMEBODY:
            return True
        return bool(file.doubt and file.doubt.seconds is not None and now - file.since >= file.doubt.seconds)

    def step(self, seen: Seen, now: float) -> Belief:
        """What is believed once `seen` was seen, which is everything. `now`: seconds of a clock that only goes
        forward."""
        is_first = self._seen is None
        changes = self._differences(seen)
        self._seen = replace(seen, files={})
        return self._step(changes, now, is_first=is_first)

    def follow(self, changes: Texts, now: float) -> Belief:
        """The same where nothing but these files may have changed since the step before."""
        return self._step(changes, now, is_first=False)

    def _differences(self, seen: Seen) -> Texts:
        changes: dict[str, Text | Unreadable | None] = {
            name: text for name, text in seen.files.items() if self._texts.get(name) is not text
        }
        return changes | dict.fromkeys(self._texts.keys() - seen.files.keys())

    def _step(self, changes: Texts, now: float, *, is_first: bool) -> Belief:
        assert self._seen is not None
        self._read(changes)
        judged = self._files.keys() if is_first else self._doubtful | (self._files.keys() & changes.keys())
        was = {name: self._part(name, self._last.moved) for name in judged}
        is_any_away = any(self._files[name].seen is None for name in judged)
        empty = self._empty(self._seen) if is_any_away else ()
        for name in was:
            self._judge(name, self._seen, empty, now, is_first=is_first)
        self._let_time_work(now)
        self._let_objects_move()
        self._last, self._stepped_at = self._belief(was, now), now
        return self._last

    def awaited(self, seen: Seen, known: Mapping[Key, str]) -> Doubt | None:
        """Before the first step: may objects be missing that an earlier process knew? `known`: in which files."""
        self._read(self._differences(seen))
        there = {
            key for file in self._files.values() if file.seen for key in (*file.seen.keys, *file.seen.broken)
        }
        gone = {key: file for key, file in known.items() if key not in there}
        unreadable = {
            **seen.folders,
            **{name: read for name, read in seen.files.items() if isinstance(read, Unreadable)},
        }
        for file in gone.values():
            for place, error in unreadable.items():
                if is_below(file, place):
                    return Doubt(why=error.why, seconds=None, place=place)
        for path in self._empty(seen):
            if any(is_below(file, path) for file in gone.values()):
                return Doubt(why="this file or folder is gone", seconds=NAMED_SECONDS, place=path)
        return Doubt(why="objects are gone", seconds=SETTLING_SECONDS) if gone else None

    def _empty(self, seen: Seen) -> tuple[str, ...]:
        """The named paths under which there is no file, and nothing that could not be read."""
        return tuple(
            path
            for path in self.paths
            if not self._there.has_below(path) and not any(is_below(one, path) for one in seen.folders)
        )

    def _read(self, changes: Texts) -> None:
        """Take in the latest versions."""
        for name, text in changes.items():
            if text is None:
                self._texts.pop(name, None)
            else:
                self._texts[name] = text
            (self._unreadable.add if isinstance(text, Unreadable) else self._unreadable.discard)(name)
            if text is not None or name in self._files:
                self._take_in(name, self._files.setdefault(name, _File()), text)
        self._there.update({name: None if text is None else True for name, text in changes.items()})

    def _take_in(self, name: str, file: _File, text: Text | Unreadable | None) -> None:
        before = file.seen
        if not isinstance(text, Text):
            file.seen = file.seen_text = None
        else:
            if file.seen is None or file.seen.content != text.content:
                same = file.believed is not None and file.believed.content == text.content
                file.seen = file.believed if same else Version.of(text.content, name, file.believed)
            file.seen_text = text
        if file.seen is not before:
            _count(self._seen_keys, before.keys if before else (), -1)
            _count(self._seen_keys, file.seen.keys if file.seen else (), 1)

    def _judge(self, name: str, seen: Seen, empty: tuple[str, ...], now: float, *, is_first: bool) -> None:
        """Believe what may be believed at once; else note the doubt, and since when it stands."""
        file = self._files[name]
        found: Doubt | None
        about: object
        if file.seen is None or file.seen_text is None:
            found = self._absence(name, file, seen, empty)
            about = found
        elif file.seen is file.believed or is_first:
            found, about = None, None
        else:
            text, before = file.seen_text, file.text
            is_other = before is None or text.stamp[:2] != before.stamp[:2]
            text = replace(text, is_renamed=text.is_renamed and is_other)
            elsewhere = {key for key in file.seen.keys if self._seen_keys[key] > 1}
            found = doubt(file.believed, file.seen, text, elsewhere)
            about = (text.stamp, file.seen)
        if found is None:
            self._believe(name)
            return
        if file.doubt is None:  # what is so from the start is said at once
            file.doubtful_since = -math.inf if is_first else now
        if about != file.about:
            file.since = now
        _count(self._stated, file.stated, -1)
        file.doubt, file.about = found, about
        self._doubtful.add(name)

    def _believe(self, name: str) -> None:
        file = self._files[name]
        _count(self._stated, file.stated, -1)
        file.believe()
        _count(self._stated, file.stated, 1)
        self._doubtful.discard(name)

    def _absence(self, name: str, file: _File, seen: Seen, empty: tuple[str, ...]) -> Doubt | None:
        """What is to be thought of a file that could not be read, or is not there."""
        read = self._texts.get(name)
        if isinstance(read, Unreadable):
            return Doubt(why=read.why, seconds=None)
        for folder, error in seen.folders.items():
            if is_below(name, folder):
                return Doubt(why=error.why, seconds=None, place=folder)
        if file.believed is None:
            return None
        lost = file.believed.keys
        for path in empty:
            if is_below(name, path):
                why = (
                    "this file or folder is gone"
                    if path in seen.missing
                    else "there is no file left in this folder"
                )
                return Doubt(why=why, seconds=NAMED_SECONDS, lost=lost, place=path)
        return Doubt(why="this file is gone", seconds=SETTLING_SECONDS, lost=lost)

    def _let_time_work(self, now: float) -> None:
        for name in tuple(self._doubtful):
            file = self._files[name]
            if file.doubt and file.doubt.seconds is not None and now - file.since >= file.doubt.seconds:
                self._believe(name)

    def _let_objects_move(self) -> None:
        """What has gone from one file and stands in another was moved: nothing is lost."""
        moved = []
        for name in self._doubtful:
            doubt_of = self._files[name].doubt
            lost = doubt_of.lost if doubt_of else frozenset[Key]()
            if lost and all(key in self._stated for key in lost):
                moved.append(name)
        for name in moved:
            self._believe(name)

    # --- what is told -------------------------------------------------------------------------------

    def _part(self, name: str, moved: frozenset[Key]) -> tuple[Version | None, bool, frozenset[Key]]:
        """What a file gives to a listing: its version, whether that is an old one, and what of it is elsewhere now."""
        believed, is_old = self._files[name].believed, name in self._doubtful
        return believed, is_old, believed.keys & moved if believed and is_old else frozenset()

    def _belief(self, was: Mapping[str, tuple[Version | None, bool, frozenset[Key]]], now: float) -> Belief:
        """What is believed now. `was`: what the files that were judged gave before."""
        assert self._seen is not None
        held = [believed for name in self._doubtful if (believed := self._files[name].believed)]
        moved = frozenset(key for version in held for key in version.keys if key in self._stated)
        parts = {name: self._part(name, moved) for name in was}
        others = {name: part[0] for name, part in parts.items() if part[0] is not was[name][0]}
        self._believed.update(others)
        if any((version is None) != (was[name][0] is None) for name, version in others.items()):
            self._names = tuple(self._believed.names)
        for name in was:
            file = self._files[name]
            if not (file.believed or file.seen or file.doubt):
                del self._files[name]
        return Belief(
            serial=self._last.serial + bool(others),
            names=self._names,
            withheld=frozenset(self._doubtful),
            moved=moved,
            unreadable=frozenset(self._unreadable | self._seen.folders.keys()),
            problems=tuple(self._problems(self._seen, now)),
            directories=self._seen.directories,
            look_in=self._look_in(now),
            touched={name: part[0] for name, part in parts.items() if part != was[name]},
        )

    def _problems(self, seen: Seen, now: float) -> list[Problem]:
        """What is doubtful for long enough, and what was named and is not there; each place once."""
        doubts: dict[str, tuple[Doubt, bool]] = {}  # by place; is something of it served?
        waiting: set[str] = set()
        for name in sorted(self._doubtful):
            file = self._files[name]
            if file.doubt is None:
                continue
            place = file.doubt.place or name
            if self._is_to_be_said(file, now):
                doubts.setdefault(place, (file.doubt, file.believed is not None))
            else:
                waiting.add(place)
        for folder, error in seen.folders.items():
            if folder not in waiting:
                doubts.setdefault(folder, (Doubt(why=error.why, seconds=None), False))
        for path in seen.missing:
            if path not in waiting:
                doubts.setdefault(
                    path, (Doubt(why="there is no such file or directory", seconds=None), False)
                )
        return [problem_of(place, why, is_kept=is_kept) for place, (why, is_kept) in sorted(doubts.items())]

    def _is_to_be_said(self, file: _File, now: float) -> bool:
        return now - file.doubtful_since >= SAY_SECONDS

    def _look_in(self, now: float) -> float | None:
        """Seconds until a doubt ends by itself, or is to be said."""
        due: list[float] = []
        for file in (self._files[name] for name in self._doubtful):
            if file.doubt is None:
                continue
            if file.doubt.seconds is not None:
                due.append(file.since + file.doubt.seconds - now)
            if not self._is_to_be_said(file, now):
                due.append(file.doubtful_since + SAY_SECONDS - now)
            if file.seen_text and file.seen_text.writer is Writer.SOMEBODY:
                due.append(WRITER_SECONDS)
        return max(0.0, min(due)) if due else None


def _count(counter: Counter[Key], keys: Collection[Key], by: int) -> None:
    for key in keys:
        counter[key] += by
        if not counter[key]:
            del counter[key]


def is_below(name: str, path: str) -> bool:
    """Is `name` the path, or something in it?"""
    return name == path or name.startswith(path if path.endswith("/") else f"{path}/")


def problem_of(place: str, why: Doubt, *, is_kept: bool) -> Problem:
    ref = ResourceRef(kind="File", name=place, places={"": Place(place)})
    if why.seconds is None:
        kept = "; what it held before is still served" if is_kept else ""
        folder, name = os.path.split(place)
        if name == BUILT or name in NAMES:
            hint = (
                f"'kubectl kustomize {folder}' shows the same."
                if name == BUILT
                else f"Name the folder that is meant: -k {folder}."
            )
            return Problem(
                code="FILE-005",
                resource=ref,
                message=f"this folder of Kustomize is not built: {why.why}{kept}",
                hint=hint,
            )
        return Problem(
            code="FILE-001",
            resource=ref,
            message=f"this file cannot be read: {why.why}{kept}",
            hint="Check the path given with -f and the permissions of the file.",
        )
    return Problem(
        severity=Severity.WARNING,
        code="FILE-002",
        resource=ref,
        message=f"{why.why}; {'what it held before is still served' if is_kept else 'nothing of it is served yet'}",
        hint=f"It counts when it has been so for {why.seconds:g} seconds without a change.",
    )
