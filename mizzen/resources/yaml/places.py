"""Paths of fields, and where each is written."""

import re
from collections.abc import Iterator, Mapping

from mizzen.errors import Place

# What may stand in a path without brackets. Everything else ("x-user", "a.b/c") is written as [key], so
# that a path can be read back.
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


_STEP = re.compile(r"\.?([A-Za-z0-9_-]+)|\[([0-9]+)\]|\[([^\]]*)\]")

Steps = tuple[str | int, ...]


def steps_of(path: str) -> Steps:
    """`spec.rules[0].to` -> ("spec", "rules", 0, "to")."""
    return tuple(int(index) if index else plain or odd for plain, index, odd in _STEP.findall(path))


def child(path: str, key: str) -> str:
    """The path of the field `key` of the object at `path`."""
    if not _PLAIN.fullmatch(key):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


class Places(Mapping[str, Place]):
    """Path -> place, kept small: there is one for every key and list item of every object."""

    __slots__ = ("_file", "_found")

    def __init__(self, file: str, found: Mapping[str, tuple[int, int]]) -> None:
        """`found`: path -> (line, column), both from 1."""
        self._file = file
        self._found = found

    def __getitem__(self, path: str) -> Place:
        line, column = self._found[path]
        return Place(self._file, line, column)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, path: object) -> bool:
        return path in self._found
