"""A Unix socket whose name comes back when somebody removes it.

Whoever cleans a folder for temporary files takes away names; the sockets behind them live on, and nobody finds
them any more. A descriptor (O_PATH) keeps hold of the socket, and a symbolic link to that descriptor in /proc is
as good as the name: connect(2) follows it to the very same inode. So nothing is bound again, no connection is
cut, and even the socket of another process (Envoy's admin interface) comes back.
"""

import contextlib
import os
import re
import stat
from pathlib import Path

_NONE = -1


class KeptSocket:
    """The socket that is bound at `path`, by us or by a child of ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = _NONE

    @property
    def address(self) -> Path:
        """Where this process reaches it, whatever becomes of its name."""
        return self.path if self._descriptor == _NONE else Path(f"/proc/self/fd/{self._descriptor}")

    @property
    def is_held(self) -> bool:
        """Is a socket held, that is: has `hold` found one?"""
        return self._descriptor != _NONE

    def hold(self) -> None:
        """It has just been bound. OSError when it is not there."""
        descriptor = os.open(self.path, os.O_PATH | os.O_CLOEXEC)
        self.release()
        self._descriptor = descriptor

    def release(self) -> None:
        """It is served no more."""
        if self._descriptor == _NONE:
            return
        with contextlib.suppress(OSError):  # a name that leads to another file soon
            if os.readlink(self.path) == self._link:
                self.path.unlink()
        os.close(self._descriptor)
        self._descriptor = _NONE

    def end(self) -> None:
        """As `release`; and its name goes, unless that is somebody else's by now."""
        with contextlib.suppress(OSError):  # it is gone, or the folder is read-only by now
            if self.is_held and os.path.samestat(self.path.lstat(), os.fstat(self._descriptor)):
                self.path.unlink()
        self.release()

    def restore(self) -> bool:
        """Give it its name again, if that is gone. True when it was.

        Nothing is put into a folder that others may write to, and what stands in its place is left there.

        Raises:
            OSError: when the name cannot be written.
        """
        if not self.is_held or os.path.lexists(self.path) or not _is_private(self.path.parent):
            return False
        os.symlink(self._link, self.path)
        return True

    @property
    def _link(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"


def is_kept(path: Path) -> bool:
    """Is `path` a name that a `KeptSocket` has given, of this process or of one that is gone?"""
    return re.fullmatch(r"/proc/\d+/fd/\d+", os.readlink(path)) is not None


def _is_private(folder: Path) -> bool:
    """Is it there, ours, and closed to others? In any other the name might lead our clients to somebody else."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return False
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077
