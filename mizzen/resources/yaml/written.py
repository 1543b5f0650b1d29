"""What an object says and where its fields are written: read from its text again when somebody asks, which is seldom.

To keep a place for every key and list item of every object takes twice the memory of the objects themselves, and a third of
the time of reading them; only what is wrong is ever told with its place. What it says is decoded once.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mizzen.errors import Place
from mizzen.resources.yaml.construct import construct, construct_values


class Written:
    """The text of a document, and the places in it once somebody has asked for one."""

    __slots__ = ("_content", "_found", "_line", "_number", "file")

    def __init__(self, file: str, content: bytes, number: int, line: int) -> None:
        """The document is the one with that `number` (from 0) in `content`, which can be read and begins behind `line`
        lines of the file."""
        self.file = file
        self._content, self._number, self._line = content, number, line
        self._found: Mapping[str, tuple[int, int]] | None = None

    def value(self) -> Any:
        """What the document says."""
        return construct_values(self._content.decode())[self._number].value

    def places(self) -> Mapping[str, tuple[int, int]]:
        """Path -> (line, column) of everything in the document."""
        if self._found is None:
            self._found = self.read_places()
        return self._found

    def read_places(self) -> dict[str, tuple[int, int]]:
        """The same, not remembered."""
        found = construct(self._content.decode())[self._number].places
        return {path: (self._line + line, column) for path, (line, column) in found.items()}


class WrittenPlaces(Mapping[str, Place]):
    """Path -> place of what an object has, as `Places`."""

    __slots__ = ("_root", "_start", "_written")

    def __init__(self, written: Written, start: tuple[int, int] | None, root: str = "") -> None:
        """`start`: line and column where the object begins; None for what an alias put there. `root`: its path in the
        document; "" where it is all of it."""
        self._written, self._start, self._root = written, start, root

    def __getitem__(self, path: str) -> Place:
        at = self._written.places()[self._inside(path)] if path else self._start
        if at is None:
            raise KeyError(path)
        return Place(self._written.file, *at)

    def __contains__(self, path: object) -> bool:
        if not path:
            return self._start is not None
        return isinstance(path, str) and self._inside(path) in self._written.places()

    def __iter__(self) -> Iterator[str]:
        if self._start is not None:
            yield ""
        before = f"{self._root}." if self._root else ""
        for path in self._written.places():
            if path and path.startswith(before):
                yield path[len(before) :]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _inside(self, path: str) -> str:
        return f"{self._root}.{path}" if self._root else path
