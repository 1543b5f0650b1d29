"""Files of this machine that objects name by their paths: found in the objects, read with a bound, and watched.

Whoever names a private key makes a gateway show its certificate, so those are in folders that the operator chose.

Only regular files are opened, since a pipe or a device may never end; and no more of them than fits.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from mizzen.lazy import dataclass
from mizzen.resolve.context import FileFolders, NamedFile
from mizzen.resolve.tls.named_files import ELSEWHERE
from mizzen.resources.kinds import meant
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.listing import Moment

LARGEST, MOST_BYTES = 2**20, 32 * 2**20  # of one file; of all
LARGEST_MODULE = 12 * 2**20
_KINDS = frozenset({"DestinationRule", "Gateway", "TrafficExtension", "WasmPlugin"})
_MODULE = "url"  # of a plugin
_PUBLIC = frozenset({"caCertificates", "caCrl"})
_OWN = frozenset({"serverCertificate", "clientCertificate", "privateKey"})
_FILE = "file:///"
_WASM = ".wasm"
_SYSTEM = ("/dev/", "/proc/", "/sys/")

# Path -> whether somebody names it as what is public; else it is a certificate or key of a gateway's own alone.
Named = Mapping[str, bool]
Stamps = Mapping[str, tuple[int, ...]]  # () of what is not there


@dataclass(slots=True)
class NamedFiles:
    """The files that objects name, from one moment to the next: who has not changed is not searched again."""

    stamps: Stamps = field(default_factory=dict)  # of the files as they were read
    files: Mapping[str, NamedFile] = field(default_factory=dict)  # the very same as long as nothing changes
    # By the id() of the objects that name any.
    _naming: dict[int, Named] = field(default_factory=dict)
    _objects: tuple[RawObject, ...] = ()  # of the moment before
    _seen: object = None  # its token

    def follow(self, moment: Moment, folders: FileFolders = FileFolders()) -> None:  # noqa: B008  # it is frozen
        """Read what objects name now, where that is new, has changed or could not be read."""
        changed = moment.after(self._seen, self._objects)
        self._seen, self._objects = moment.token, moment.objects
        for raw in changed.gone:
            self._naming.pop(id(raw), None)
        self._naming |= {id(raw): named for raw in changed.added if (named := named_in((raw,)))}
        paths = _together(pair for some in self._naming.values() for pair in some.items())
        now = stamps(paths)
        if now != self.stamps or any(file.why for file in self.files.values()):
            self.stamps = now
            files = read(paths, folders, self.files)
            self.files = self.files if files == self.files else files


def named_in(objects: Iterable[RawObject]) -> Named:
    """The paths that objects name, sorted."""
    naming = (raw for raw in objects if raw.kind in _KINDS and meant(raw.kind, raw.api_version))
    return _together(named for raw in naming for named in _named(raw.data))


def _together(named: Iterable[tuple[str, bool]]) -> Named:
    found: dict[str, bool] = {}
    for path, is_public in named:
        found[path] = found.get(path, False) or is_public
    return dict(sorted(found.items()))


def _named(value: Any) -> Iterator[tuple[str, bool]]:
    """Decoding has not judged the depth of what is written: no recursion."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            for key, written in one.items():
                if (key in _PUBLIC or key in _OWN) and isinstance(written, str) and written.startswith("/"):
                    yield written, key in _PUBLIC
                if key == _MODULE and isinstance(written, str) and written.startswith(_FILE):
                    yield written.removeprefix(_FILE.removesuffix("/")), True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def read(
    named: Named, folders: FileFolders, before: Mapping[str, NamedFile] | None = None
) -> dict[str, NamedFile]:
    """What each file holds, or why it cannot be read; then what it held `before` stays.

    What is a certificate or key of a gateway's own is in one of the `folders`, wherever links lead; else it is not read.
    """
    found: dict[str, NamedFile] = {}
    left = MOST_BYTES
    for path, is_public in named.items():
        may_be_shown = False
        try:
            may_be_shown = folders.hold(os.path.realpath(path))
            if not may_be_shown and not is_public:
                raise OSError(errno.EACCES, ELSEWHERE)
            content = _content(path, left)
        except (OSError, ValueError) as error:
            why = (getattr(error, "strerror", None) or str(error)).lower()
            known = (before or {}).get(path, NamedFile())
            found[path] = NamedFile(content=known.content, why=why, may_be_shown=may_be_shown)
            continue
        left -= len(content)
        why = "" if content else "it is empty"
        found[path] = NamedFile(content=content, why=why, may_be_shown=may_be_shown)
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
        largest = LARGEST_MODULE if path.endswith(_WASM) else LARGEST
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest // 2**20} MB")
    if len(content) > left:
        raise OSError(errno.EFBIG, f"together with the others it has more than {MOST_BYTES // 2**20} MB")
    return content
