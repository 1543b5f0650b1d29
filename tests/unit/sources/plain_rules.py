"""The rules by which files are believed and objects admitted, written plainly: each step walks through everything.

What the product remembers from step to step is held against these.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from mizzen.errors import Problem, Severity
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.listing import Listing
from mizzen.sources.reading import Directory, Seen, Text, Unreadable, Writer
from mizzen.sources.settling import NAMED_SECONDS, SAY_SECONDS, WRITER_SECONDS, is_below, problem_of
from mizzen.sources.versions import SETTLING_SECONDS, Doubt, Key, Version, doubt, key_of, key_of_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainBelief:
    files: tuple[tuple[str, Version], ...] = ()
    moved: frozenset[Key] = frozenset()
    unreadable: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    withheld: frozenset[str] = frozenset()
    directories: frozenset[Directory] = field(default=frozenset(), compare=False)
    look_in: float | None = None


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


@dataclass(slots=True)
class PlainSettling:
    """Believes or doubts, step by step. `paths`: what the user named."""

    paths: Collection[str]
    _files: dict[str, _File] = field(default_factory=dict)
    _seen: Seen | None = None
    _last: PlainBelief = field(default_factory=PlainBelief)

    @property
    def doubtful(self) -> frozenset[str]:
        """The files that are to be read anew although nothing about them seems to have changed."""
        return frozenset(name for name, file in self._files.items() if file.doubt and file.seen)

    def step(self, seen: Seen, now: float) -> PlainBelief:
        """What is believed once `seen` was seen. `now`: seconds of a clock that only goes forward."""
        if seen == self._seen and not any(file.doubt for file in self._files.values()):
            return self._last
        for name in seen.files:
            self._files.setdefault(name, _File())
        stated, empty = self._read(seen), self._empty(seen)
        for name, file in self._files.items():
            self._judge(name, file, seen, stated, empty, now)
        self._let_time_work(now)
        self._let_objects_move()
        self._forget()
        self._seen, self._last = seen, self._belief(seen, now)
        return self._last

    def _empty(self, seen: Seen) -> tuple[str, ...]:
        """The named paths under which there is no file, and nothing that could not be read."""
        around = [*seen.files, *seen.folders]
        return tuple(path for path in self.paths if not any(is_below(one, path) for one in around))

    def _read(self, seen: Seen) -> Counter[Key]:
        """Take in the latest versions. How many files state each object now?"""
        stated: Counter[Key] = Counter()
        for name, file in self._files.items():
            text = seen.files.get(name)
            if not isinstance(text, Text):
                file.seen = file.seen_text = None
                continue
            if file.seen is None or file.seen.content != text.content:
                same = file.believed is not None and file.believed.content == text.content
                file.seen = file.believed if same else Version.of(text.content, name)
            file.seen_text = text
            if file.seen is not None:
                stated.update(file.seen.keys)
        return stated

    def _judge(
        self, name: str, file: _File, seen: Seen, stated: Counter[Key], empty: tuple[str, ...], now: float
    ) -> None:
        """Believe what may be believed at once; else note the doubt, and since when it stands."""
        found: Doubt | None
        about: object
        if file.seen is None or file.seen_text is None:
            found = self._absence(name, file, seen, empty)
            about = found
        elif file.seen is file.believed or self._seen is None:
            found, about = None, None
        else:
            text, before = file.seen_text, file.text
            is_other = before is None or text.stamp[:2] != before.stamp[:2]
            text = replace(text, is_renamed=text.is_renamed and is_other)
            found = doubt(file.believed, file.seen, text, {key for key in file.seen.keys if stated[key] > 1})
            about = (text.stamp, file.seen)
        if found is None:
            file.believe()
            return
        if file.doubt is None:  # what is so from the start is said at once
            file.doubtful_since = now if self._seen else -math.inf
        if about != file.about:
            file.since = now
        file.doubt, file.about = found, about

    def _absence(self, name: str, file: _File, seen: Seen, empty: tuple[str, ...]) -> Doubt | None:
        """What is to be thought of a file that could not be read, or is not there."""
        read = seen.files.get(name)
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

    def _let_objects_move(self) -> None:
        """What has gone from one file and stands in another was moved: nothing is lost."""
        lossy = [file for file in self._files.values() if file.doubt and file.doubt.lost]
        present = self._stated() if lossy else frozenset[Key]()
        for file in lossy:
            if file.doubt and file.doubt.lost <= present:
                file.believe()

    def _stated(self) -> frozenset[Key]:
        """What the files hold that are not doubtful."""
        return frozenset(
            key
            for file in self._files.values()
            if file.doubt is None and file.believed is not None
            for key in file.believed.keys
        )

    def _let_time_work(self, now: float) -> None:
        for file in self._files.values():
            if file.doubt and file.doubt.seconds is not None and now - file.since >= file.doubt.seconds:
                file.believe()

    def _forget(self) -> None:
        gone = [name for name, file in self._files.items() if not (file.believed or file.seen or file.doubt)]
        for name in gone:
            del self._files[name]

    # --- what is told -------------------------------------------------------------------------------

    def _belief(self, seen: Seen, now: float) -> PlainBelief:
        unreadable = {name for name, read in seen.files.items() if isinstance(read, Unreadable)}
        withheld = [name for name, file in self._files.items() if file.doubt]
        kept = {key for name in withheld if (was := self._files[name].believed) for key in was.keys}
        return PlainBelief(
            files=tuple((name, file.believed) for name, file in sorted(self._files.items()) if file.believed),
            withheld=frozenset(withheld),
            moved=self._stated() & kept if kept else frozenset(),
            unreadable=frozenset(unreadable | seen.folders.keys()),
            problems=tuple(self._problems(seen, now)),
            directories=seen.directories,
            look_in=self._look_in(now),
        )

    def _problems(self, seen: Seen, now: float) -> list[Problem]:
        """What is doubtful for long enough, and what was named and is not there; each place once."""
        doubts: dict[str, tuple[Doubt, bool]] = {}  # by place; is something of it served?
        waiting: set[str] = set()
        for name, file in sorted(self._files.items()):
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
        for file in self._files.values():
            if file.doubt is None:
                continue
            if file.doubt.seconds is not None:
                due.append(file.since + file.doubt.seconds - now)
            if not self._is_to_be_said(file, now):
                due.append(file.doubtful_since + SAY_SECONDS - now)
            if file.seen_text and file.seen_text.writer is Writer.SOMEBODY:
                due.append(WRITER_SECONDS)
        return max(0.0, min(due)) if due else None


@dataclass(slots=True)
class PlainLastGood:
    """`mizzen.sources.last_good` without its file."""

    errors: Callable[[RawObject], tuple[Problem, ...]]
    good: dict[Key, RawObject] = field(default_factory=dict)

    def admit(self, listing: Listing) -> tuple[list[RawObject], list[RawObject], list[Problem]]:
        """What is listed and takes part, what stands in for something, and the problems of what does not take part."""
        objects: list[RawObject] = []
        problems: list[Problem] = []
        now: dict[Key, RawObject] = {}
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
        self.good = now
        return objects, [raw for raw in now.values() if id(raw) not in listed], problems

    def _errors(self, raw: RawObject) -> list[Problem]:
        return [problem for problem in self.errors(raw) if problem.severity is Severity.ERROR]

    def _has_good(self, key: Key) -> bool:
        return key in self.good and not self._errors(self.good[key])

    def _of_broken_documents(self, listing: Listing, astray: set[tuple[str, str]]) -> dict[Key, RawObject]:
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
            is_unreadable = any(is_below(file, path) for path in listing.unreadable)
            if (is_hidden or is_unreadable) and self._has_good(key):
                found[key] = raw
        return found
