"""Folders of Kustomize: built as kubectl builds them, never read file by file, since a patch is no object.

What a build may do is what `kubectl kustomize` allows by itself: files below the folder and other folders of Kustomize
that it names, no plugins, no Helm; bases that are named by an address are fetched, as kubectl fetches them.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

from mizzen.lazy import dataclass
from mizzen.resources.yaml.construct import Broken, construct

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
BUILT = (
    "(kubectl kustomize)"  # what a build is called as a file: below its folder, in place of what lies there
)
SECONDS = 120.0  # for a build, which may fetch bases
_MOST = 100_000  # files that a folder may depend on
_LOGGED = re.compile(r"^[A-Z]\d{4} [\d:.]+ +\d+ \S+\] ", re.MULTILINE)  # what kubectl writes before a line
_LONGEST = 800  # letters of what the tool says

Stamp = tuple[str, int, int, int, int]  # path, device, inode, size, mtime in ns


class BuildFailed(Exception):
    """Why a folder cannot be built, in the tool's words."""


@dataclass(slots=True)
class Tree:
    """What a build goes by, as far as it lies on this machine."""

    files: dict[str, Stamp] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)

    @property
    def state(self) -> tuple[Stamp, ...]:
        """Another one where a file is another."""
        return tuple(stamp for _, stamp in sorted(self.files.items()))


def kustomization_of(folder: str) -> str:
    """The file by which a folder is one of Kustomize; "" where it is none."""
    paths = (os.path.join(folder, name) for name in NAMES)
    return next((path for path in paths if os.path.isfile(path)), "")


def tree(folder: str) -> Tree:
    """All files below a folder, and what its kustomization names beside it, and so on."""
    found = Tree()
    _gather(os.path.abspath(folder), found)
    return found


def _gather(folder: str, found: Tree) -> None:
    if os.path.realpath(folder) in found.directories:
        return
    for directory, names, files in os.walk(folder):
        found.directories.add(os.path.realpath(directory))
        names[:] = [name for name in names if not name.startswith(".")]
        for name in files:
            _note(os.path.join(directory, name), found)
        if len(found.files) > _MOST:
            return
    for path in list(found.files):
        if os.path.basename(path) in NAMES and path.startswith(f"{folder}/"):
            for named in _named(path):
                _follow(named, found)


def _follow(path: str, found: Tree) -> None:
    if os.path.isdir(path):
        if kustomization_of(path):
            _gather(path, found)
    elif os.path.isfile(path):
        _note(path, found)
        found.directories.add(os.path.realpath(os.path.dirname(path)))


def _note(path: str, found: Tree) -> None:
    with suppress(OSError):
        status = os.stat(path)
        found.files[path] = (path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _named(kustomization: str) -> Iterator[str]:
    """The paths that a kustomization may name: any of its texts."""
    try:
        with open(kustomization, "rb") as file:
            documents = construct(file.read().decode(errors="replace"))
    except (OSError, Broken):
        return
    folder = os.path.dirname(kustomization)
    for document in documents:
        for text in _texts(document.value):
            if text and "\n" not in text and "\0" not in text:
                yield os.path.normpath(os.path.join(folder, text.rpartition("=")[2]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def tool(folder: str) -> tuple[str, ...]:
    """The command that builds a folder. BuildFailed where there is none."""
    if found := shutil.which("kubectl"):
        return (found, "kustomize", folder)
    if found := shutil.which("kustomize"):
        return (found, "build", folder)
    raise BuildFailed(
        "it is a folder of Kustomize, and neither kubectl nor kustomize is on the PATH: install one of them, or build it "
        f"elsewhere and give what comes out (kubectl kustomize {folder} > site.yaml)"
    )


def build(folder: str) -> bytes:
    """What Kustomize makes of a folder. Raises BuildFailed."""
    command = tool(folder)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise BuildFailed(f"{command[0]} cannot be run: {(error.strerror or str(error)).lower()}") from None
    with process:
        try:
            output, errors = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise BuildFailed(f"{_called(command)} has not ended within {SECONDS:g} seconds") from None
        finally:
            with suppress(ProcessLookupError):  # with what it has started
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        said = " ".join(_LOGGED.sub("", errors.decode(errors="replace")).split())[:_LONGEST]
        raise BuildFailed(f"{_called(command)} says: {said or f'status {process.returncode}'}")
    return output


def _called(command: tuple[str, ...]) -> str:
    return " ".join((os.path.basename(command[0]), *command[1:]))
