"""The log of a child: a file that stays small, and its last lines at hand for error messages."""

from collections import deque
from collections.abc import Callable
from pathlib import Path

LIMIT_BYTES = 8 * 1024 * 1024  # then the file becomes `NAME.1`: at most twice this much is kept
TAIL_LINES = 30
_LONGEST_LINE = 2**20  # bytes that wait for the end of their line, where a log is cleaned


class BoundedLog:
    """Appends to `path`, which is created with mode 0600. `on_line` hears of every line as it is complete.

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
        path.touch(mode=0o600)
        self._file = path.open("ab")

    def write(self, data: bytes) -> None:
        """Take in what a child has written; it may end in the middle of a line."""
        if self._clean is not None:
            whole, end, self._unclean = (self._unclean + data).rpartition(b"\n")
            if len(self._unclean) > _LONGEST_LINE:
                whole, self._unclean = whole + end + self._unclean, b""
            data = self._clean(whole.decode(errors="surrogateescape")).encode(errors="surrogateescape") + end
        self._keep(data)

    def _keep(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        if self._file.tell() > self._limit:
            self._rotate()
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            self._lines.append(text)
            if self._on_line:
                self._on_line(text)

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
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(self.path.name + ".1"))
        self.path.touch(mode=0o600)
        self._file = self.path.open("ab")
