"""YAML files, directories of them and standard input: what is believed of them, and that it changed.

A change is anything that makes a listing different: a write in place, an atomic rename (editors), a
checkout (git), a swapped symbolic link (Kubernetes mounts ConfigMaps and Secrets so). What flickers is no
change (`settling` decides).

The kernel tells which file has changed, and that file alone is read. Everything is looked at where it cannot tell
(links, folders, more events than it keeps), and now and then, since network file systems tell nothing at all.
"""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.ages import STDIN_NAME, Ages
from mizzen.sources.hold_off import HoldOff
from mizzen.sources.listing import Difference, Listing, Parts
from mizzen.sources.reading import Reader
from mizzen.sources.settling import Belief, Settling, is_below, problem_of
from mizzen.sources.versions import Key, Version
from mizzen.sources.watching import POLL_SECONDS, RETRY_SECONDS, Watcher

CATALOGUE = {
    "FILE-001": "A file or directory cannot be read. What it held before stays in force for as long as that lasts.",
    "FILE-002": "A file is missing, empty, shorter than before or being written: what it held before stays in "
    "force until it has been so for some seconds.",
    "FILE-003": "The kernel does not tell of changes (its limit of watches is reached): they are looked for.",
    "FILE-005": "A folder of Kustomize is not built: the tool is missing or refuses it, or it lies below a folder that was "
    "named. What was built of it last stays in force.",
    "FILE-004": "What is remembered for the next control plane cannot be written to the run-dir, or read there.",
}

STDIN = "-"
LOOK_SHARE = 4  # a look at everything, or at much that has to settle, is paid for with a pause so much longer
# How often everything is looked at although nothing was told (network file systems tell nothing): what that
# costs is this share of the time at most, and more while something cannot be read or is not there.
RESCAN_SHARE, TROUBLED_SHARE = 0.004, 0.02
RESCAN_SECONDS, LONGEST_RESCAN_SECONDS = 1.0, 60.0
KEEP_SECONDS, KEEP_SHARE = (
    1.0,
    0.02,
)  # how often ages are written down at most, and for what share of the time


@dataclass(slots=True)
class Files:
    """The files that a user named with -f. Threads may ask for listings at the same time."""

    paths: Sequence[str]
    stdin: bytes | None = None  # what "-" holds; read once
    ages: Ages | None = None  # for who serves: what appears later is younger
    now: Callable[[], datetime] | None = None  # for `ages`
    clock: Callable[[], float] = time.monotonic
    # Whoever builds of a listing may tell it what that costs.
    hold_off: HoldOff = field(default_factory=HoldOff)
    _reader: Reader = field(init=False)
    _settling: Settling = field(init=False)
    _watcher: Watcher = field(default_factory=Watcher)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _belief: Belief | None = None
    _told: tuple[Belief, str] | None = None  # what whoever listens knows, or will ask for
    _parts: Parts = field(init=False)
    # What the latest listing does not know of.
    _touched: dict[str, Version | None] = field(default_factory=dict)
    _last: Listing | None = None
    _names: set[str] = field(default_factory=set)  # files that are to be read anew
    _is_unclear: bool = True  # everything is to be looked at
    _scan_at: float = 0.0  # when that is due in any case
    _place_at: float = 0.0  # when it is looked whether the named paths are where they were
    _keep_at: float = 0.0  # when ages may be written down again
    _cost: float = 0.0  # of the latest look, in seconds of CPU
    _spent: float = 0.0  # on looks, of which the hold-off does not know yet

    def __post_init__(self) -> None:
        named = tuple(path for path in self.paths if path != STDIN)
        self._reader, self._settling = Reader(named), Settling(named)
        self._parts = Parts(self._stamp if self.ages and self.now else None)

    def reader(self) -> Callable[[], Listing]:
        """What lists all objects, in whatever thread."""
        return self.listing

    def listing(self) -> Listing:
        """All objects there are now; of files that flicker, what they held before."""
        with self._lock:
            if self._watcher.is_on:
                self._watcher.hear(self.clock())
            else:
                self._is_unclear = True
            belief = self._look()
            self._told = (belief, self._watcher.trouble)
            if self._last is None and STDIN in self.paths:
                self._touched[""] = self._of_stdin()
            touched, self._touched = self._touched, {}
            changed = self._parts.follow(touched, belief.withheld, belief.moved)
            self._last = self._listing(belief, changed)
            return self._last

    def _listing(self, belief: Belief, changed: Difference) -> Listing:
        before = self._last
        problems = [*self._parts.problems(), *belief.problems]
        if self._watcher.trouble:
            problems.append(_unwatched(self._watcher.trouble))
        if self.ages:
            problems += self.ages.kept.problems
        return Listing(
            objects=self._parts.objects,
            problems=tuple(problems),
            files=belief.names,
            unreadable=belief.unreadable,
            added=changed.added,
            gone=changed.gone,
            since=before.token if before else None,
        )

    def _of_stdin(self) -> Version:
        if self.stdin is None:
            self.stdin = sys.stdin.buffer.read()
        return Version.of(self.stdin, STDIN_NAME)

    def _stamp(self, changed: Difference) -> Mapping[int, RawObject]:
        return self.ages.follow(changed, self._is_hidden, self.now()) if self.ages and self.now else {}

    def _is_hidden(self, file: str) -> bool:
        """May a file hold objects that cannot be read?"""
        assert self._belief
        return file in self._parts.broken or any(is_below(file, path) for path in self._belief.unreadable)

    # --- looking ------------------------------------------------------------------------------------

    def _look(self) -> Belief:
        """What is believed now. With the lock."""
        now, begin = self.clock(), time.thread_time()
        self._take_in(now)
        known = self._belief
        changes = None
        if known is not None and not self._is_unclear:
            names = self._names | self._settling.to_be_read(now)
            if not names and not self._settling.is_due(now):
                return known
            changes = self._reader.look_at(names)
        if changes is not None:
            belief = self._settling.follow(changes, now)
            self._cost = time.thread_time() - begin
        else:
            self._is_unclear = False  # from here on: somebody may want another look before this one ends
            seen = self._reader.look(self._settling.doubtful | self._names)
            belief = self._settling.step(seen, now)
            self._cost = time.thread_time() - begin
            share = TROUBLED_SHARE if belief.unreadable or seen.missing else RESCAN_SHARE
            pause = min(LONGEST_RESCAN_SECONDS, max(RESCAN_SECONDS, self._cost / share))
            self._scan_at, self._place_at = now + pause, now + RESCAN_SECONDS
        self._names, self._belief = set(), belief
        self._spent += self._cost
        self._touched.update(belief.touched)
        return belief

    def _take_in(self, now: float) -> None:
        """What the kernel has told, and what is due."""
        told = self._watcher.take(now)
        names = None if told is None else self._reader.names_of(told)
        if names is None or now >= self._scan_at:
            self._is_unclear = True
        else:
            self._names |= names
        if not self._is_unclear and now >= self._place_at:
            self._place_at = now + RESCAN_SECONDS
            self._is_unclear = not self._reader.is_in_place()

    def _look_alone(self) -> Belief:
        with self._lock:
            return self._look()

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
        """One item whenever a listing would differ from the one before. A burst of changes is one item, at its end."""
        try:
            while True:
                belief = await asyncio.to_thread(self._look_alone)
                self.hold_off.on_cost(self._spent)
                self._spent = 0.0
                state = (belief, self._watcher.trouble)
                if state != self._told:
                    self._told = state
                    yield
                if self.ages and self.ages.is_behind and self.clock() >= self._keep_at:
                    await asyncio.to_thread(self._keep_ages, self.ages)
                if self._watcher.follow(belief.directories, self.clock()):
                    self._is_unclear = True
                else:
                    await self._wait(belief)
        finally:
            self._watcher.close()
            if self.ages:
                self._keep_ages(self.ages)

    def _keep_ages(self, ages: Ages) -> None:
        begin = time.thread_time()
        with self._lock:
            ages.keep()
        self._keep_at = self.clock() + max(KEEP_SECONDS, (time.thread_time() - begin) / KEEP_SHARE)

    async def _wait(self, belief: Belief) -> None:
        """Until there is a reason to look again."""
        now, pause = self.clock(), LOOK_SHARE * self._cost
        due = [self._scan_at - now, self._place_at - now]
        if belief.look_in is not None:
            due.append(max(belief.look_in, pause))
        if self.ages and self.ages.is_behind:
            due.append(self._keep_at - now)
        if not self._watcher.is_on:
            await asyncio.sleep(max(0.0, min(max(POLL_SECONDS, pause), *due)))
            self._is_unclear = True
            return
        if (told := self._watcher.seconds(now)) is not None:
            due.append(told)
        await self._watcher.wait(max(0.0, min(due)))
        await self._until_quiet()

    async def _until_quiet(self) -> None:
        """Until the burst of changes is over, if there is one."""
        while True:
            now = self.clock()
            if number := self._watcher.hear(now):
                self.hold_off.on_change(now, number)
            hold, told = self.hold_off.seconds(now), self._watcher.seconds(now)
            if hold is None or told is None:  # nothing, or somebody has asked for a listing meanwhile
                self.hold_off.begin(now)
                return
            if told > 0:  # a file is open, and nothing else has happened
                await self._watcher.wait(told)
            elif hold > 0:
                await asyncio.sleep(hold)
            else:
                self.hold_off.begin(now)
                return


def _unwatched(why: str) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        code="FILE-003",
        resource=ResourceRef(kind="File", name="inotify"),
        message=f"the kernel does not tell of changes ({why}); they are looked for every {POLL_SECONDS:g} seconds",
        hint="Raise fs.inotify.max_user_instances or max_user_watches (sysctl), or the limit of open files; "
        f"it is tried again every {RETRY_SECONDS:g} seconds.",
    )
