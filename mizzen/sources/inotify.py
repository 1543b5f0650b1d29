"""Linux tells which file has changed: inotify(7), as a descriptor for the event loop. Says what it is told, no more."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator

from mizzen.lazy import dataclass

# linux/inotify.h
MODIFY, ATTRIB, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
UNMOUNT, Q_OVERFLOW, IGNORED, ISDIR = 0x2000, 0x4000, 0x8000, 0x40000000
_ONLYDIR = 0x1000000
_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_MASK = (
    MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
) | _ONLYDIR
_HEAD = struct.Struct("iIII")  # wd, mask, cookie, len
_BUFFER = (
    256 * 1024
)  # bytes read at once: of the 16,384 events that wait at most by default, several thousands

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Event:
    """`name`: of the entry in the watched directory; "" is that directory itself."""

    watch: int
    mask: int
    name: str


class Inotify:
    """Watches directories. Not what is below them."""

    def __init__(self) -> None:
        """OSError (EMFILE): the limit of instances or of open files is reached; or there is no inotify (ENOSYS)."""
        self._descriptor = _called("inotify_init1", _NONBLOCK | _CLOEXEC)

    def fileno(self) -> int:
        """Readable when there are events."""
        return self._descriptor

    def add(self, directory: str) -> int:
        """Its watch: the same number for the same directory by whatever path. OSError (ENOSPC): the limit is reached."""
        return _called("inotify_add_watch", self._descriptor, os.fsencode(directory), _MASK)

    def remove(self, watch: int) -> None:
        """Events of it that wait are told all the same."""
        try:
            _called("inotify_rm_watch", self._descriptor, watch)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the directory is gone, and the watch with it
                raise

    def read(self) -> list[Event]:
        """All that waits; [] where nothing does."""
        events: list[Event] = []
        while True:
            try:
                data = os.read(self._descriptor, _BUFFER)
            except BlockingIOError:
                return events
            events += _events(data)

    def close(self) -> None:
        os.close(self._descriptor)


def _events(data: bytes) -> Iterator[Event]:
    at = 0
    while at < len(data):
        watch, mask, _, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name = data[at : at + length].rstrip(b"\0")
        at += length
        yield Event(watch, mask, os.fsdecode(name))


def _called(function: str, *arguments: int | bytes) -> int:
    result = int(getattr(_libc, function)(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
