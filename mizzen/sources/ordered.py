"""Values by name, in the order of their names, for few changes at a time."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Generic, TypeVar

from mizzen.lazy import dataclass

V = TypeVar("V")

_FEW = 64  # changes: beyond that sorting anew is cheaper than moving what comes behind


@dataclass(slots=True)
class Ordered(Generic[V]):
    """What is sorted stays sorted: a change costs moving pointers, not a walk."""

    names: list[str] = field(default_factory=list)
    values: list[V] = field(default_factory=list)

    def update(self, changes: Mapping[str, V | None]) -> None:
        """Put in, or take out what is None."""
        if len(changes) > _FEW:
            merged: dict[str, V | None] = {**dict(zip(self.names, self.values, strict=True)), **changes}
            left = sorted((name, value) for name, value in merged.items() if value is not None)
            self.names, self.values = [name for name, _ in left], [value for _, value in left]
            return
        for name, value in changes.items():
            at, is_there = self.find(name)
            if value is None:
                if is_there:
                    del self.names[at], self.values[at]
            elif is_there:
                self.values[at] = value
            else:
                self.names.insert(at, name)
                self.values.insert(at, value)

    def find(self, name: str) -> tuple[int, bool]:
        """Where it is, or would be; and whether it is there."""
        at = bisect_left(self.names, name)
        return at, at < len(self.names) and self.names[at] == name

    def get(self, name: str) -> V | None:
        """The value of a name."""
        at, is_there = self.find(name)
        return self.values[at] if is_there else None

    def below(self, path: str) -> Iterator[V]:
        """The values of a path and of what is in it."""
        if (value := self.get(path)) is not None:
            yield value
        inside = path if path.endswith("/") else f"{path}/"
        at = bisect_left(self.names, inside)
        while at < len(self.names) and self.names[at].startswith(inside):
            yield self.values[at]
            at += 1

    def has_below(self, path: str) -> bool:
        """Is there the path, or anything in it?"""
        return next(self.below(path), None) is not None
