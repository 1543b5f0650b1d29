"""What stands under the named paths at one moment. The only module that touches those files; it judges nothing.

What could not be read is told as that, never as absent: whoever decides what to believe must be able to
tell the two apart.
"""

import errno
import fcntl
import os
import signal
import stat
import time
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from enum import Enum

from mizzen.lazy import dataclass
from mizzen.sources import kustomize

SUFFIXES = (".yaml", ".yml", ".json")
NOT_NAMED = "it lies below the folder that was named, and of several (bases, overlays) one is meant"
RACY_NS = 50_000_000  # a file may change within one tick of its clock and keep its stamp
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})
_TRIES = 3  # to read a file that changes while it is read

Stamp = tuple[int, int, int, int]  # device, inode, size, mtime in ns
_Identity = tuple[int, int] | None  # device, inode; None: it is not to be had
Directory = tuple[str, int, int]  # path, device, inode: renamed away and made anew is another one


class Writer(Enum):
    """Has anybody the file open for writing?"""

    NOBODY = "nobody"
    SOMEBODY = "somebody"
    UNKNOWN = "unknown"  # it is not ours, or its file system does not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a file holds."""

    content: bytes
    stamp: Stamp
    writer: Writer = Writer.NOBODY
    # It got its name after it had been written (by rename(2): editors, mv, rsync), so it is whole.
    is_renamed: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file or folder cannot be read."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything under some paths."""

    files: Mapping[str, Text | Unreadable]
    folders: Mapping[str, Unreadable] = field(default_factory=dict)  # what is below them is not known
    missing: frozenset[str] = frozenset()  # named paths where nothing is
    directories: frozenset[Directory] = frozenset()  # where a change would show; links resolved


@dataclass(frozen=True, slots=True)
class _Known:
    text: Text
    changed_ns: int  # st_ctime: another mode or owner is no other text, but may forbid to read it
    is_racy: bool  # it was read so soon after it was written that its stamp may hide another change

    def fits(self, status: os.stat_result) -> bool:
        return (self.text.stamp, self.changed_ns) == (_stamp(status), status.st_ctime_ns)


@dataclass(slots=True)
class Reader:
    """Looks at the paths of a command line, and reads what has changed since it last looked."""

    paths: Sequence[str]
    _known: dict[str, _Known] = field(default_factory=dict)
    _view: "_View" = field(default_factory=lambda: _View())
    # What folders of Kustomize were built of, and what came out.
    _built: dict[str, tuple[tuple[kustomize.Stamp, ...], Text | Unreadable]] = field(default_factory=dict)

    def look(self, again: Collection[str] = ()) -> Seen:
        """All files there are now. Those of `again` are read anew although their stamps say nothing new.

        Names that begin with a dot are left out: editors' copies, .git, and the ..data of mounted
        ConfigMaps, whose files are seen through the links beside it.
        """
        view = _View()
        for path in self.paths:
            view.add(path)
        files: dict[str, Text | Unreadable] = dict(view.unreadable)
        for name, status in view.found.items():
            read = self._read(name, status, anew=name in again)
            if read is not None:
                files[name] = read
        self._built = {folder: self._build(folder, tree) for folder, tree in view.kustomized.items()}
        files |= {os.path.join(folder, kustomize.BUILT): text for folder, (_, text) in self._built.items()}
        self._known = {name: known for name, known in self._known.items() if name in files}
        self._view = view
        return Seen(
            files=dict(sorted(files.items())),
            folders=view.folders,
            missing=frozenset(view.missing),
            directories=frozenset(view.directories.values()),
        )

    def _build(
        self, folder: str, tree: kustomize.Tree
    ) -> tuple[tuple[kustomize.Stamp, ...], Text | Unreadable]:
        """A folder of Kustomize as it is built; only where something of it is another than when it was built last."""
        known = self._built.get(folder)
        if known is not None and known[0] == tree.state:
            return known
        try:
            content = kustomize.build(folder)
        except kustomize.BuildFailed as error:
            return tree.state, Unreadable(str(error))
        newest = max((stamp[-1] for stamp in tree.state), default=0)
        stamp = (0, zlib.crc32(content), len(content), newest)
        return tree.state, Text(content=content, stamp=stamp, is_renamed=True)

    def look_at(self, names: Collection[str]) -> dict[str, Text | Unreadable | None] | None:
        """Read these files anew, and touch no other; None of one that is gone.

        None as a whole: more than single files may have changed (a folder, a link, a named path), so everything
        is to be looked at.
        """
        files: dict[str, Text | Unreadable | None] = {}
        standing: dict[str, bool] = {}
        for name in names:
            if os.path.basename(name) == kustomize.BUILT:  # no file of this name is there
                return None
            try:
                status = os.lstat(name)
            except OSError as error:
                folder = os.path.dirname(name)
                if folder not in standing:
                    standing[folder] = self._view.is_walked(folder)
                if error.errno not in _GONE or name in self.paths or not standing[folder]:
                    return None
                self._known.pop(name, None)
                files[name] = None
                continue
            if stat.S_ISLNK(status.st_mode) or stat.S_ISDIR(status.st_mode):
                return None
            files[name] = self._read(name, status, anew=True)
            if not isinstance(files[name], Text):
                self._known.pop(name, None)
        return files

    def names_of(self, changes: Iterable[tuple[str, str]]) -> set[str] | None:
        """The files that entries of watched directories are, as they are named in what is seen.

        Args:
            changes: a directory, as `Seen.directories` has it, and the name of an entry ("": itself).

        Returns:
            None where it takes a look at everything to know.
        """
        names: set[str] = set()
        for directory, entry in changes:
            if not entry or directory in self._view.linked:
                return None
            if named := self._view.named.get((directory, entry)):
                names.update(named)
            shown = self._view.walked.get(directory)
            if shown is None or entry.startswith("."):
                continue
            name = os.path.join(shown, entry)
            if entry.endswith(SUFFIXES):
                names.add(name)
            elif _is_link_or_folder(name):
                return None
        return names

    def is_in_place(self) -> bool:
        """Are the named folders, and those of the named files, the same as at the last look at everything?"""
        return all(_identity(path) == identity for path, identity in self._view.roots.items())

    def _read(self, name: str, status: os.stat_result, *, anew: bool) -> Text | Unreadable | None:
        known = self._known.get(name)
        if known and not stat.S_ISREG(status.st_mode):
            return known.text  # a pipe that was named: what came out of it comes only once
        if known and not anew and not known.is_racy and known.fits(status):
            return known.text
        try:
            text = read(name, is_named=name in self.paths)
        except OSError as error:
            return None if error.errno in _GONE else Unreadable(_why(error))
        is_racy = abs(time.time_ns() - text.stamp[3]) < RACY_NS
        self._known[name] = _Known(text, status.st_ctime_ns, is_racy)
        return text


def read(name: str, *, is_named: bool = False) -> Text:
    """A file, with what can be known of whether it is whole. Raises OSError.

    Only a path that the user named may be a pipe (`-f <(generate)`): one that lies in a folder would
    block everything.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | (0 if is_named else os.O_NONBLOCK))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            if not is_named:
                raise OSError(errno.EINVAL, "it is no regular file")
            return Text(content=file.read(), stamp=_stamp(status))
        for _ in range(_TRIES):
            file.seek(0)
            content, before = file.read(), status
            status = os.fstat(descriptor)
            if _stamp(before) == _stamp(status) and len(content) == status.st_size:
                is_renamed = status.st_ctime_ns > status.st_mtime_ns
                writer = _writer(descriptor)
                return Text(content=content, stamp=_stamp(status), writer=writer, is_renamed=is_renamed)
        return Text(content=content, stamp=_stamp(status), writer=Writer.SOMEBODY)


def _writer(descriptor: int) -> Writer:
    """Linux grants a read lease only while nobody has the file open for writing (fcntl(2), F_SETLEASE).

    It is given back at once. Somebody who opens the file within these microseconds waits for that, and we
    are sent a signal: one that is ignored by default, in the place of SIGIO, which would end the process.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return Writer.SOMEBODY if error.errno == errno.EAGAIN else Writer.UNKNOWN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Writer.NOBODY


@dataclass(slots=True)
class _View:
    """Gathers what is under paths, without reading it."""

    found: dict[str, os.stat_result] = field(default_factory=dict)
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    folders: dict[str, Unreadable] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    directories: dict[str, Directory] = field(default_factory=dict)
    # Directories, links resolved: how their files are named.
    walked: dict[str, str] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)  # directories where any entry may be on the way to a file
    named: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # files by directory and entry
    roots: dict[str, _Identity] = field(default_factory=dict)  # of named folders, and folders of named files
    kustomized: dict[str, kustomize.Tree] = field(default_factory=dict)  # folders that are to be built

    def is_walked(self, folder: str) -> bool:
        """Is this still the folder that was walked?"""
        known = self.directories.get(os.path.realpath(folder))
        return known is not None and _identity(folder) == known[1:]

    def add(self, path: str) -> None:
        """A path that the user named."""
        try:
            status = os.stat(path)
        except OSError as error:
            parent = _existing_parent(path)
            self._watch(parent)
            self.linked.add(parent)
            self.roots[path] = None
            if error.errno in _GONE:
                self.missing.add(path)
            else:
                self.folders[path] = Unreadable(_why(error))  # a file or a folder: who knows
            return
        if stat.S_ISDIR(status.st_mode):
            self.roots[path] = (status.st_dev, status.st_ino)
            if kustomize.kustomization_of(path):
                self._kustomize(path)
            else:
                self._walk(path, status)
            return
        if os.path.basename(path) in kustomize.NAMES:
            self._kustomize(os.path.dirname(path) or ".")
            return
        self.found[path] = status
        is_link = os.path.islink(path)
        for around in (os.path.abspath(path), os.path.realpath(path)):
            folder, entry = os.path.split(around)
            self._watch(folder)
            self.roots.setdefault(folder, _identity(folder))
            self.named.setdefault((folder, entry), set()).add(path)
            if is_link:
                self.linked.add(folder)

    def _kustomize(self, folder: str) -> None:
        """A folder that is built as a whole: any change below it, and of what it names elsewhere, may change all of it."""
        tree = kustomize.tree(folder)
        self.kustomized[folder] = tree
        for directory in tree.directories:
            self._watch(directory)
            self.linked.add(directory)

    def _walk(self, directory: str, status: os.stat_result) -> None:
        real = os.path.realpath(directory)
        if real in self.walked:  # a link back up
            return
        self.walked[real] = directory
        self.directories[real] = (real, status.st_dev, status.st_ino)
        try:
            with os.scandir(directory) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            if error.errno not in _GONE:
                self.folders[directory] = Unreadable(_why(error))
            return
        for entry in entries:
            if not entry.name.startswith("."):
                self._enter(entry, real)

    def _enter(self, entry: os.DirEntry[str], directory: str) -> None:
        is_file, is_link = entry.name.endswith(SUFFIXES), entry.is_symlink()
        if not is_file and not is_link and not entry.is_dir(follow_symlinks=False):
            return
        if is_link:
            self.linked.add(directory)
        try:
            status = os.stat(entry.path)
        except OSError as error:
            if is_link:
                self._watch_behind(entry.path)
            if error.errno not in _GONE:  # else it vanished while we looked, or is a link to nowhere
                (self.unreadable if is_file else self.folders)[entry.path] = Unreadable(_why(error))
            return
        if stat.S_ISDIR(status.st_mode):
            if kustomization := kustomize.kustomization_of(entry.path):
                # Which of several is meant, a base or an overlay, nobody but the user knows.
                self.unreadable[kustomization] = Unreadable(NOT_NAMED)
                self._watch(os.path.realpath(entry.path))
                self.linked.add(os.path.realpath(entry.path))
            else:
                self._walk(entry.path, status)
        elif is_file:
            self.found[entry.path] = status
            if is_link:
                self._watch_behind(entry.path)

    def _watch_behind(self, link: str) -> None:
        """Where a link leads to; of one to nowhere, where that would begin to appear."""
        behind = _existing_parent(os.path.realpath(link))
        self._watch(behind)
        self.linked.add(behind)

    def _watch(self, directory: str) -> None:
        if directory in self.directories:
            return
        try:
            status = os.stat(directory)
        except OSError:
            return  # nothing to watch: it is looked for anew now and then
        self.directories[directory] = (directory, status.st_dev, status.st_ino)


def _identity(path: str) -> _Identity:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _is_link_or_folder(name: str) -> bool:
    try:
        mode = os.lstat(name).st_mode
    except OSError:
        return False
    return stat.S_ISLNK(mode) or stat.S_ISDIR(mode)


def _existing_parent(path: str) -> str:
    """The directory in which `path` would begin to appear."""
    parent = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(parent) and parent != "/":
        parent = os.path.dirname(parent)
    return parent


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
