"""Files of this machine that objects name by their paths: found in the objects, read with a bound, and watched.

Only regular files are opened, since a pipe or a device may never end; and no more of them than fits.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from mizzen.lazy import dataclass
from mizzen.resolve.context import NamedFile
from mizzen.resources.kinds import meant
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.listing import Moment

LARGEST, MOST_BYTES = 2**20, 32 * 2**20  # of one file; of all
_KINDS = frozenset({"DestinationRule"})
_KEYS = frozenset({"caCertificates", "caCrl"})
_SYSTEM = ("/dev/", "/proc/", "/sys/")

Stamps = Mapping[str, tuple[int, ...]]  # () of what is not there


@dataclass(slots=True)
class NamedFiles:
    """The files that objects name, from one moment to the next: who has not changed is not searched again."""

    stamps: Stamps = field(default_factory=dict)  # of the files as they were read
    files: Mapping[str, NamedFile] = field(default_factory=dict)  # the very same as long as nothing changes
    # By the id() of the objects that name any.
    _naming: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _objects: tuple[RawObject, ...] = ()  # of the moment before
    _seen: object = None  # its token

    def follow(self, moment: Moment) -> None:
        """Read what objects name now, where that is new, has changed or could not be read."""
        changed = moment.after(self._seen, self._objects)
        self._seen, self._objects = moment.token, moment.objects
        for raw in changed.gone:
            self._naming.pop(id(raw), None)
        self._naming |= {id(raw): named for raw in changed.added if (named := paths_in((raw,)))}
        paths = sorted({path for some in self._naming.values() for path in some})
        now = stamps(paths)
        if now != self.stamps or any(file.why for file in self.files.values()):
            self.stamps, self.files = now, read(paths, self.files)


def paths_in(objects: Iterable[RawObject]) -> tuple[str, ...]:
    """The paths that objects name, sorted."""
    naming = (raw for raw in objects if raw.kind in _KINDS and meant(raw.kind, raw.api_version))
    return tuple(sorted({path for raw in naming for path in _named(raw.data)}))


def _named(value: Any) -> Iterator[str]:
    """Decoding has not judged the depth of what is written: no recursion."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from (v for k, v in one.items() if k in _KEYS and isinstance(v, str) and v.startswith("/"))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def read(paths: Iterable[str], before: Mapping[str, NamedFile] | None = None) -> dict[str, NamedFile]:
    """What each file holds, or why it cannot be read; then what it held `before` stays."""
    found: dict[str, NamedFile] = {}
    left = MOST_BYTES
    for path in paths:
        try:
            content = _content(path, left)
        except (OSError, ValueError) as error:
            why = (getattr(error, "strerror", None) or str(error)).lower()
            known = (before or {}).get(path, NamedFile())
            found[path] = NamedFile(content=known.content, why=why)
            continue
        left -= len(content)
        found[path] = NamedFile(content=content, why="" if content else "it is empty")
    return found


def stamps(paths: Iterable[str]) -> Stamps:
    """What tells two states of the files apart, without reading them."""
    found: dict[str, tuple[int, ...]] = {}
    for path in paths:
        try:
            one = os.stat(path)
        except (OSError, ValueError):
            found[path] = ()
            continue
        found[path] = (one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns)
    return found


def _content(path: str, left: int) -> bytes:
    """OSError says why not."""
    if os.path.realpath(path).startswith(_SYSTEM) or not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    # Not to wait, should it have become a pipe just now.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST // 2**20} MB")
    if len(content) > left:
        raise OSError(errno.EFBIG, f"together with the others it has more than {MOST_BYTES // 2**20} MB")
    return content
