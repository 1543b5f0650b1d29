"""Waits for changes in directories: told by the kernel (inotify), or, where that has nothing left, by patience."""

import asyncio
import contextlib
import errno
import os
import threading
from collections.abc import Collection
from dataclasses import field

from mizzen.lazy import dataclass
from mizzen.sources import inotify
from mizzen.sources.inotify import Inotify
from mizzen.sources.reading import Directory

POLL_SECONDS = 0.25  # how often files are looked for without any events
RETRY_SECONDS = 10.0  # how often the kernel is asked again
OPEN_SECONDS = 0.05  # a file that is written, and not closed, is read after so long

_BEGUN = inotify.MODIFY | inotify.CREATE
_WHOLE = inotify.UNMOUNT | inotify.Q_OVERFLOW | inotify.DELETE_SELF | inotify.MOVE_SELF
_LIMITS = {
    errno.ENOSPC: "its limit of watches is reached",
    errno.EMFILE: "its limit of watchers or of open files is reached",
    errno.ENFILE: "its limit of open files is reached",
}

Entry = tuple[str, str]  # a directory, as it was given, and the name in it; "" is the directory itself


@dataclass(slots=True)
class Told:
    """What the kernel has told and nobody has looked at yet. Pure."""

    done: set[Entry] = field(default_factory=set)
    begun: dict[Entry, float] = field(default_factory=dict)  # written and not closed: since when
    is_unclear: bool = False  # anything may have changed

    def hear(self, entry: Entry, mask: int, now: float) -> None:
        """One event. Who rewrites a file closes it at once, as a rule: it is read then, not twice."""
        if mask & (_WHOLE | inotify.ISDIR) or not entry[1]:
            self.is_unclear = self.is_unclear or bool(mask & _WHOLE) or not _is_hidden(entry)
            self.done.add(entry)
        elif mask & _BEGUN and not mask & ~_BEGUN:
            if entry not in self.done:
                self.begun.setdefault(entry, now)
        else:
            self.begun.pop(entry, None)
            self.done.add(entry)

    def take(self, now: float) -> Collection[Entry]:
        """Those that are to be looked at now; they are forgotten here. `is_unclear` goes with them."""
        ripe = [entry for entry, since in self.begun.items() if now - since >= OPEN_SECONDS]
        for entry in ripe:
            del self.begun[entry]
        taken = self.done.union(ripe)
        self.done, self.is_unclear = set(), False
        return taken

    def seconds(self, now: float) -> float | None:
        """Until there is something to take; None: as long as nothing new is told."""
        if self.done or self.is_unclear:
            return 0.0
        return max(0.0, min(self.begun.values()) + OPEN_SECONDS - now) if self.begun else None


def _is_hidden(entry: Entry) -> bool:
    return entry[1].startswith(".")


class Watcher:
    """Watches directories, not what is below them. Threads may ask what has been told; the rest is the event loop's."""

    def __init__(self) -> None:
        self.trouble = ""  # why the kernel does not tell of changes
        self._inotify: Inotify | None = None
        self._watches: dict[Directory, int] = {}
        self._names: dict[int, set[str]] = {}  # by watch: one directory may have several paths
        self._directories: frozenset[Directory] | None = None
        self._opened_at = 0.0
        self._told = Told()
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        """Does the kernel tell of all that has changed in the directories since they are followed?"""
        return self._inotify is not None

    def follow(self, directories: frozenset[Directory], now: float) -> bool:
        """Watch these. True when it has just begun with some: what changed in them before that is not told."""
        if directories == self._directories and (self.is_on or now - self._opened_at < RETRY_SECONDS):
            return False
        with self._lock:
            self._directories, self._opened_at = directories, now
            try:
                return self._follow(directories)
            except (FileNotFoundError, NotADirectoryError):
                self._directories = None  # it has changed since it was seen: looked at again at once
                return True
            except OSError as error:
                self._close()
                self.trouble = _LIMITS.get(error.errno or 0, (error.strerror or str(error)).lower())
                return False

    def _follow(self, directories: frozenset[Directory]) -> bool:
        """OSError: it cannot be watched."""
        if self._inotify is None:
            self._inotify = Inotify()
        for directory in self._watches.keys() - directories:
            self._forget(directory, self._inotify)
        before = len(self._watches)
        for directory in directories - self._watches.keys():
            if not os.access(directory[0], os.R_OK):
                continue  # what we may not read cannot be watched
            with contextlib.suppress(PermissionError):
                watch = self._watches[directory] = self._inotify.add(directory[0])
                self._names.setdefault(watch, set()).add(directory[0])
        self.trouble = ""
        return len(self._watches) > before

    def _forget(self, directory: Directory, notify: Inotify) -> None:
        watch = self._watches.pop(directory)
        if watch not in self._watches.values():
            self._names.pop(watch, None)
            notify.remove(watch)
        else:
            self._names[watch].discard(directory[0])

    def hear(self, now: float) -> int:
        """Take in what has been told up to now: how many entries of directories that concerns."""
        with self._lock:
            if self._inotify is None:
                return 0
            events = self._inotify.read()
            for event in events:
                self._hear(event, now)
            return len({(event.watch, event.name) for event in events})

    def _hear(self, event: inotify.Event, now: float) -> None:
        if event.mask & inotify.Q_OVERFLOW:
            self._told.is_unclear = True
        elif event.mask & inotify.IGNORED:
            if self._names.pop(event.watch, None):  # the directory is gone; it was not us who ended this
                self._watches = {one: watch for one, watch in self._watches.items() if watch != event.watch}
                self._directories, self._told.is_unclear = None, True
        else:
            for directory in self._names.get(event.watch, ()):
                self._told.hear((directory, event.name), event.mask, now)

    def seconds(self, now: float) -> float | None:
        """Until something that was told is to be looked at; None: as long as nothing new is told."""
        with self._lock:
            return self._told.seconds(now)

    def take(self, now: float) -> Collection[Entry] | None:
        """What has been told and is to be looked at now; None is everything. It is told once."""
        with self._lock:
            is_unclear = self._told.is_unclear
            taken = self._told.take(now)
            return None if is_unclear else taken

    async def wait(self, seconds: float | None) -> None:
        """Until the kernel tells something; `seconds` at most."""
        if self._inotify is None:
            await asyncio.sleep(POLL_SECONDS if seconds is None else min(POLL_SECONDS, seconds))
            return
        loop, told, descriptor = asyncio.get_running_loop(), asyncio.Event(), self._inotify.fileno()
        loop.add_reader(descriptor, told.set)
        try:
            await asyncio.wait_for(told.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(descriptor)

    def close(self) -> None:
        """Give back what the kernel lent."""
        with self._lock:
            self._close()
            self._directories = None

    def _close(self) -> None:
        notify, self._inotify = self._inotify, None
        self._watches, self._names, self._told = {}, {}, Told()
        if notify is not None:
            notify.close()
