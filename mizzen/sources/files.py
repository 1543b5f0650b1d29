"""YAML files, directories of them and standard input: list, and watch for changes.

A change is anything that makes a listing different: a write in place, an atomic rename (editors), a
checkout (git), a swapped symbolic link (Kubernetes mounts ConfigMaps and Secrets so).
"""

import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import watchfiles

from mizzen.errors import Place, Problem, ResourceRef
from mizzen.resources.yaml import RawObject, parse_documents

CATALOGUE = {"FILE-001": "A file or directory cannot be read."}

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")
RESCAN_MS = 1_000  # network file systems and swapped parents raise no event: look anew this often
QUIET_MS = 10  # a burst of writes ends when nothing came for so long

Stamp = tuple[int, int, int, int]  # device, inode, size, mtime in ns: equal means the same content


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All objects of some files, and what could not be read. `files`: every file that takes part."""

    objects: tuple[RawObject, ...]
    problems: tuple[Problem, ...]
    files: tuple[str, ...]
    unreadable: frozenset[str]  # files that exist and could not be read


@dataclass(slots=True)
class Files:
    """The files that a user named with -f. Parsing is remembered by content."""

    paths: Sequence[str]
    stdin: bytes | None = None  # what "-" holds; read once
    parsed: dict[str, tuple[Stamp, tuple[RawObject, ...], tuple[Problem, ...]]] = field(default_factory=dict)

    def listing(self) -> Listing:
        """Read everything anew (unchanged files are taken from memory)."""
        objects: list[RawObject] = []
        problems: list[Problem] = []
        unreadable: set[str] = set()
        found: dict[str, Stamp] = {}
        for path in self.paths:
            if path == STDIN:
                self._parse_stdin(objects, problems)
                continue
            seen = tree(path)
            if not seen.exists:
                unreadable.add(path)
                problems.append(_unreadable(path, "there is no such file or directory"))
            found.update(seen.files)
        for name, stamp in sorted(found.items()):
            known = self.parsed.get(name)
            if known is None or known[0] != stamp:
                try:
                    content = Path(name).read_bytes()
                except OSError as error:
                    unreadable.add(name)
                    problems.append(_unreadable(name, (error.strerror or str(error)).lower()))
                    continue
                known = (stamp, *parse_documents(content, name))
                self.parsed[name] = known
            objects += known[1]
            problems += known[2]
        for gone in self.parsed.keys() - found.keys():
            del self.parsed[gone]
        return Listing(
            objects=tuple(objects),
            problems=tuple(problems),
            files=tuple(sorted(found)),
            unreadable=frozenset(unreadable),
        )

    def _parse_stdin(self, objects: list[RawObject], problems: list[Problem]) -> None:
        if self.stdin is None:
            self.stdin = sys.stdin.buffer.read()
        read, wrong = parse_documents(self.stdin, "stdin")
        objects += read
        problems += wrong

    async def changes(self) -> AsyncIterator[None]:
        """One item whenever a listing would differ from the one before."""
        trees = self._trees()
        while True:
            async for _ in watchfiles.awatch(
                *_watchable(trees),
                debounce=QUIET_MS * 4,
                step=QUIET_MS,
                rust_timeout=RESCAN_MS,
                yield_on_timeout=True,
                recursive=False,
                watch_filter=None,
                ignore_permission_denied=True,
            ):
                now = self._trees()
                if now == trees:
                    continue
                differ = any(now[path].files != trees[path].files for path in now)
                trees = now
                if differ:
                    yield
                break  # what must be watched may have changed with it

    def _trees(self) -> dict[str, "Tree"]:
        """What tells two states of the files apart, without reading them."""
        return {path: tree(path) for path in self.paths if path != STDIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What is under one path now."""

    exists: bool
    files: tuple[tuple[str, Stamp], ...]
    directories: tuple[str, ...]  # where a change would show; links resolved


def tree(path: str) -> Tree:
    """The files under `path` (itself, when it is one) with their stamps.

    Names that begin with a dot are left out: editors' copies, .git, and the ..data of mounted ConfigMaps,
    whose files are seen through the links beside it.
    """
    try:
        status = Path(path).stat()
    except OSError:
        return Tree(exists=False, files=(), directories=(str(_existing_parent(path)),))
    if not Path(path).is_dir():
        around = {str(Path(path).parent), str(Path(os.path.realpath(path)).parent)}
        return Tree(exists=True, files=((path, _stamp(status)),), directories=tuple(sorted(around)))
    files: list[tuple[str, Stamp]] = []
    directories: set[str] = set()
    _walk(path, files, directories)
    return Tree(exists=True, files=tuple(files), directories=tuple(sorted(directories)))


def _walk(directory: str, files: list[tuple[str, Stamp]], directories: set[str]) -> None:
    real = os.path.realpath(directory)
    if real in directories:  # a link back up
        return
    directories.add(real)
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir():
                _walk(entry.path, files, directories)
            elif entry.name.endswith(SUFFIXES):
                files.append((entry.path, _stamp(Path(entry.path).stat())))
                if entry.is_symlink():
                    directories.add(str(Path(os.path.realpath(entry.path)).parent))
        except OSError:
            continue  # it vanished while we looked


def _existing_parent(path: str) -> Path:
    """The directory in which `path` would begin to appear."""
    parent = Path(path).absolute().parent
    while not parent.is_dir():
        parent = parent.parent
    return parent


def _watchable(trees: dict[str, Tree]) -> set[str]:
    found = {directory for one in trees.values() for directory in one.directories}
    return {directory for directory in found if Path(directory).is_dir()} or {"."}


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _unreadable(name: str, why: str) -> Problem:
    return Problem(
        code="FILE-001",
        resource=ResourceRef(kind="File", name=name, places={"": Place(name)}),
        message=f"this file cannot be read: {why}",
        hint="Check the path given with -f and the permissions of the file.",
    )
