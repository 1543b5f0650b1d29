"""Waits for changes in directories: told by the kernel (inotify), or, where that has nothing left, by patience."""

import asyncio
import contextlib
import os
import threading

from watchfiles._rust_notify import RustNotify

from mizzen.sources.reading import Directory

RESCAN_SECONDS = 1.0  # network file systems and swapped parents raise no event: look anew this often
POLL_SECONDS = 0.25  # the same without any events
RETRY_SECONDS = 10.0  # how often the kernel is asked again
QUIET_MS = 10  # a burst of writes ends when nothing came for so long


class Watcher:
    """Watches directories, not what is below them."""

    def __init__(self) -> None:
        self.trouble = ""  # why the kernel does not tell of changes
        self._notify: RustNotify | None = None
        self._directories: frozenset[Directory] | None = None
        self._opened_at = 0.0

    def follow(self, directories: frozenset[Directory], now: float) -> bool:
        """Watch these. True when it has just begun: changes from before that are not told."""
        is_same = directories == self._directories
        if is_same and (self._notify or now - self._opened_at < RETRY_SECONDS):
            return False
        self.close()
        self._directories, self._opened_at = directories, now
        # What we may not read cannot be watched. watchfiles can pass over such directories, but then says
        # nothing of a limit that is reached either.
        paths = [path for path, _, _ in directories if os.access(path, os.R_OK)]
        try:
            self._notify = RustNotify(paths, False, False, 0, False, False) if paths else None
            self.trouble = ""
        except (FileNotFoundError, PermissionError):
            self._directories = None  # it has changed since it was seen: looked at again at once
        except (OSError, RuntimeError) as error:
            self.trouble = _reason(error)
        return self._notify is not None

    async def wait(self, seconds: float | None) -> None:
        """Until something changes; `seconds` at most, and never for long."""
        if self._notify is None:
            await asyncio.sleep(min(POLL_SECONDS, seconds or POLL_SECONDS))
            return
        patience = RESCAN_SECONDS if seconds is None else min(RESCAN_SECONDS, seconds)
        stopping = threading.Event()
        try:
            told = self._notify.watch
            timeout = max(1, round(patience * 1000))
            await asyncio.to_thread(told, QUIET_MS * 4, QUIET_MS, timeout, stopping)
        except (OSError, RuntimeError) as error:
            self.close()
            self.trouble = _reason(error)
        finally:
            stopping.set()

    def close(self) -> None:
        """Give back what the kernel lent."""
        notify, self._notify = self._notify, None
        if notify is not None:
            with contextlib.suppress(
                RuntimeError
            ):  # a thread still waits on it: it ends when that is told to
                notify.close()


def _reason(error: Exception) -> str:
    """In our words where watchfiles hands on what the kernel said as it comes."""
    text = str(error)
    if "watch limit" in text:
        return "its limit of watches is reached"
    return "its limit of watchers or of open files is reached" if "os error 24" in text else text
