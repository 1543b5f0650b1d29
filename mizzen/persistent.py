"""A map that is never changed: a changed copy costs what has changed, and so does finding where two differ.

Entries lie in a fixed number of small dictionaries, and a copy shares all of these that it does not touch. So a
map of 10,000 entries of which one is replaced copies some 40, and two such maps are compared by looking at the
dictionaries that they do not share.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar, cast

K = TypeVar("K", bound=Any)  # hashable, and sortable among each other
V = TypeVar("V")
W = TypeVar("W")

_SHARDS: Final = 256
_NONE: Final[dict[Any, Any]] = {}
_ABSENT: Final = object()


class PersistentMap(Mapping[K, V], Generic[K, V]):
    """Keys in ascending order -> values. Two maps with equal entries are equal."""

    __slots__ = ("__weakref__", "_length", "_ordered", "_shards")

    def __init__(self, entries: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        shards: list[dict[K, V]] = [_NONE] * _SHARDS
        for key, value in entries.items() if isinstance(entries, Mapping) else entries:
            index = hash(key) % _SHARDS
            if shards[index] is _NONE:
                shards[index] = {}
            shards[index][key] = value
        self._shards = tuple(shards)
        self._length = sum(map(len, shards))
        self._ordered: tuple[K, ...] | None = None

    def updated(self, changed: Mapping[K, V], removed: Iterable[K] = ()) -> "PersistentMap[K, V]":
        """A copy with the entries of `changed`, and without the keys of `removed` (which may be absent).

        Entries that are replaced by the very same value are no change; without any change it is this map itself.
        """
        copies: dict[int, dict[K, V]] = {}
        for key, value in changed.items():
            index = hash(key) % _SHARDS
            if self._shards[index].get(key, _ABSENT) is not value:
                if index not in copies:
                    copies[index] = dict(self._shards[index])
                copies[index][key] = value
        for key in removed:
            index = hash(key) % _SHARDS
            if key in copies.get(index, self._shards[index]):
                if index not in copies:
                    copies[index] = dict(self._shards[index])
                del copies[index][key]
        return self._with(copies) if copies else self

    def _with(self, copies: Mapping[int, dict[K, V]]) -> "PersistentMap[K, V]":
        shards = list(self._shards)
        length, same_keys = self._length, True
        for index, shard in copies.items():
            length += len(shard) - len(shards[index])
            same_keys = same_keys and shard.keys() == shards[index].keys()
            shards[index] = shard
        new: PersistentMap[K, V] = PersistentMap.__new__(PersistentMap)
        new._shards, new._length = tuple(shards), length
        new._ordered = self._ordered if same_keys else None
        return new

    def difference(self, before: "PersistentMap[K, V] | None") -> "Difference[K, V]":
        """What must be done to `before` (None: an empty map) to get this map. Values are compared by identity."""
        changed: dict[K, V] = {}
        removed: set[K] = set()
        if before is not self:
            earlier = before._shards if before is not None else (_NONE,) * _SHARDS
            for new, old in zip(self._shards, earlier, strict=True):
                if new is not old:
                    changed |= {
                        key: value for key, value in new.items() if old.get(key, _ABSENT) is not value
                    }
                    removed |= old.keys() - new.keys()
        return Difference(changed, removed)

    def __getitem__(self, key: K) -> V:
        return self._shards[hash(key) % _SHARDS][key]

    def get(self, key: K, default: Any = None) -> Any:
        return self._shards[hash(key) % _SHARDS].get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._shards[hash(key) % _SHARDS]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[K]:
        if self._ordered is None:
            self._ordered = tuple(sorted(key for shard in self._shards for key in shard))
        return iter(self._ordered)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PersistentMap):
            return self is other or self._shards == other._shards
        return dict(self.items()) == other if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # values need not be hashable

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.items())!r})"


class Difference(Generic[K, V]):
    """What turns one map into another: entries that are new or other, and keys that are gone."""

    __slots__ = ("changed", "removed")

    def __init__(self, changed: Mapping[K, V], removed: set[K]) -> None:
        self.changed, self.removed = changed, removed

    def __bool__(self) -> bool:
        return bool(self.changed or self.removed)


def by_name(parts: Iterable[V]) -> PersistentMap[str, V]:
    """Parts that have a `name`, by it. Of two with one name the last is kept."""
    return PersistentMap((cast(Any, part).name, part) for part in parts)
