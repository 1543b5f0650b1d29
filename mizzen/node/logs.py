"""The log of a child: a file that stays small, and its last lines at hand for error messages."""

import errno
import logging
import os
from collections import deque
from collections.abc import Callable
from io import FileIO
from pathlib import Path

LIMIT_BYTES = 8 * 1024 * 1024  # then the file becomes `NAME.1`: at most twice this much is kept
TAIL_LINES = 30
_LONGEST_LINE = 2**20  # bytes that wait for the end of their line, where a log is cleaned

_log = logging.getLogger(__name__)


class BoundedLog:
    """Appends to `path`, which is created with mode 0600. `on_line` hears of every line as it is complete.

    A child is never hindered by its log: what cannot be written (a full disk) is lost, and that is said once.
    `clean`: what of a text may be kept. It gets whole lines, several of them when they came together.
    """

    def __init__(
        self,
        path: Path,
        *,
        limit: int = LIMIT_BYTES,
        on_line: Callable[[str], None] | None = None,
        clean: Callable[[str], str] | None = None,
    ) -> None:
        self.path = path
        self._limit, self._on_line = limit, on_line
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._clean, self._unclean = clean, b""
        self._unfinished = b""
        self._file: FileIO | None = None
        self._is_failing = False
        self._open()

    def write(self, data: bytes) -> None:
        """Take in what a child has written; it may end in the middle of a line."""
        if self._clean is not None:
            whole, end, self._unclean = (self._unclean + data).rpartition(b"\n")
            if len(self._unclean) > _LONGEST_LINE:
                whole, self._unclean = whole + end + self._unclean, b""
            data = self._clean(whole.decode(errors="surrogateescape")).encode(errors="surrogateescape") + end
        self._store(data)
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            self._lines.append(text)
            if self._on_line:
                self._on_line(text)

    def restore(self) -> tuple[str, ...]:
        """Make the file again, if somebody removed it: its name. Nothing when it could not be written before."""
        if self._file is not None and _is_at(self.path, self._file):
            return ()
        was_open = self._file is not None
        self.close()
        return (f"{self.path.parent.name}/{self.path.name}",) if self._open() and was_open else ()

    def tail(self, lines: int = 10) -> str:
        """The last lines, the unfinished one included."""
        unfinished = [self._unfinished.decode(errors="replace")] if self._unfinished else []
        return "\n".join([*self._lines, *unfinished][-lines:])

    def forget(self) -> None:
        """Start a new life: the tail shall not show what an earlier process wrote."""
        self._lines.clear()
        self._unfinished = b""

    def close(self) -> None:
        """Close the file."""
        if self._clean is not None and self._unclean:
            self.write(b"\n")
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> bool:
        try:
            self.path.touch(mode=0o600)
            # Not buffered: what a full disk did not take must not be tried again at every later line.
            self._file = FileIO(self.path, "ab")
        except OSError as error:
            self._fail(error)
        return self._file is not None

    def _store(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            written = self._file.write(data)
            if written != len(data):  # a disk that has just become full takes a part
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._file.tell() > self._limit:
                self._rotate()
        except OSError as error:
            self._fail(error)
        else:
            if self._is_failing:
                self._is_failing = False
                _log.warning("%s can be written again", self.path)

    def _rotate(self) -> None:
        self._close()
        self.path.replace(self.path.with_name(self.path.name + ".1"))
        self._open()

    def _fail(self, error: OSError) -> None:
        if not self._is_failing:
            self._is_failing = True
            _log.warning("%s cannot be written (%s): its lines are lost meanwhile", self.path, error.strerror)


def _is_at(path: Path, file: FileIO) -> bool:
    """Is `path` still the name of an open file?"""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False
