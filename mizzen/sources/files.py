"""YAML files, directories of them and standard input: what is believed of them, and that it changed.

A change is anything that makes a listing different: a write in place, an atomic rename (editors), a
checkout (git), a swapped symbolic link (Kubernetes mounts ConfigMaps and Secrets so). What flickers is no
change (`settling` decides).
"""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.resources.yaml import RawObject, parse_documents
from mizzen.sources.ages import Ages
from mizzen.sources.reading import Reader
from mizzen.sources.settling import Belief, Settling, is_below, problem_of
from mizzen.sources.versions import Key, key_of
from mizzen.sources.watching import POLL_SECONDS, RETRY_SECONDS, Watcher

CATALOGUE = {
    "FILE-001": "A file or directory cannot be read. What it held before stays in force for as long as that lasts.",
    "FILE-002": "A file is missing, empty, shorter than before or being written: what it held before stays in "
    "force until it has been so for some seconds.",
    "FILE-003": "The kernel does not tell of changes (its limit of watches is reached): they are looked for.",
    "FILE-004": "What is remembered for the next control plane cannot be written to the run-dir, or read there.",
}

STDIN = "-"
STDIN_NAME = "stdin"  # how places in it are told
LOOK_SHARE = 4  # while something has to settle, a look at many files is paid for with a pause so much longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All objects of some files, and what could not be read. `files`: every file that takes part."""

    objects: tuple[RawObject, ...]
    problems: tuple[Problem, ...]
    files: tuple[str, ...]
    unreadable: frozenset[str]  # files and folders that exist and could not be read


@dataclass(slots=True)
class Files:
    """The files that a user named with -f. Threads may ask for listings at the same time."""

    paths: Sequence[str]
    stdin: bytes | None = None  # what "-" holds; read once
    ages: Ages | None = None  # for who serves: what appears later is younger
    now: Callable[[], datetime] | None = None  # for `ages`
    clock: Callable[[], float] = time.monotonic
    _reader: Reader = field(init=False)
    _settling: Settling = field(init=False)
    _watcher: Watcher = field(default_factory=Watcher)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _told: tuple[Belief, str] | None = None  # what whoever listens knows, or will ask for
    _of_stdin: tuple[tuple[RawObject, ...], tuple[Problem, ...]] | None = None

    def __post_init__(self) -> None:
        named = tuple(path for path in self.paths if path != STDIN)
        self._reader, self._settling = Reader(named), Settling(named)

    def reader(self) -> Callable[[], Listing]:
        """What lists all objects, in whatever thread."""
        return self.listing

    def listing(self) -> Listing:
        """All objects there are now; of files that flicker, what they held before."""
        belief = self._look()
        self._told = (belief, self._watcher.trouble)
        of_stdin, wrong_in_stdin = self._stdin_objects()
        objects, problems = list(of_stdin), list(wrong_in_stdin)
        for name, version in belief.files:
            is_old = name in belief.withheld
            objects += [raw for raw in version.objects if not (is_old and key_of(raw) in belief.moved)]
            problems += version.problems
        problems += belief.problems
        if self._watcher.trouble:
            problems.append(_unwatched(self._watcher.trouble))
        if self.ages and self.now:
            with self._lock:
                objects = list(self.ages.stamp(objects, _hidden(belief), self.now()))
            problems += self.ages.kept.problems
        return Listing(
            objects=tuple(objects),
            problems=tuple(problems),
            files=tuple(name for name, _ in belief.files),
            unreadable=belief.unreadable,
        )

    def _look(self) -> Belief:
        with self._lock:
            return self._settling.step(self._reader.look(self._settling.doubtful), self.clock())

    def _stdin_objects(self) -> tuple[tuple[RawObject, ...], tuple[Problem, ...]]:
        if STDIN not in self.paths:
            return (), ()
        if self._of_stdin is None:
            if self.stdin is None:
                self.stdin = sys.stdin.buffer.read()
            self._of_stdin = parse_documents(self.stdin, STDIN_NAME)
        return self._of_stdin

    async def return_of(self, known: Mapping[Key, str], say: Callable[[str], None]) -> None:
        """Before the first listing, where another process has served these files: until nothing flickers.

        An Envoy goes on with what it has while nobody answers. So the next control plane waits for what the
        one before it knew and it cannot find: for ever where that cannot be read, else until it is settled.

        Args:
            known: objects, and the file in which each was last.
            say: hears why it waits for ever.
        """
        begin, told = self.clock(), ""
        known = {key: file for key, file in known.items() if file != STDIN_NAME}
        while True:
            awaited = self._settling.awaited(await asyncio.to_thread(self._reader.look), known)
            if awaited is None or (awaited.seconds is not None and self.clock() - begin >= awaited.seconds):
                return
            if awaited.seconds is None and awaited.place != told:
                told = awaited.place
                say(str(problem_of(told, awaited, is_kept=True)))
            await asyncio.sleep(POLL_SECONDS)

    async def changes(self) -> AsyncIterator[None]:
        """One item whenever a listing would differ from the one before."""
        try:
            while True:
                begin = self.clock()
                belief = await asyncio.to_thread(self._look)
                pause = LOOK_SHARE * (self.clock() - begin)
                state = (belief, self._watcher.trouble)
                if state != self._told:
                    self._told = state
                    yield
                if not self._watcher.follow(belief.directories, self.clock()):
                    due = belief.look_in
                    await self._watcher.wait(due if due is None else max(due, pause))
        finally:
            self._watcher.close()


def _hidden(belief: Belief) -> Callable[[str], bool]:
    """May a file hold objects that cannot be read?"""
    broken = {
        name
        for name, version in belief.files
        if any(problem.severity is Severity.ERROR for problem in version.problems)
    }
    return lambda file: file in broken or any(is_below(file, path) for path in belief.unreadable)


def _unwatched(why: str) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        code="FILE-003",
        resource=ResourceRef(kind="File", name="inotify"),
        message=f"the kernel does not tell of changes ({why}); they are looked for every {POLL_SECONDS:g} seconds",
        hint="Raise fs.inotify.max_user_instances or max_user_watches (sysctl), or the limit of open files; "
        f"it is tried again every {RETRY_SECONDS:g} seconds.",
    )
