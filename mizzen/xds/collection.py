"""Collections: resources that a client asks for with one name, "xdstp://authority/TYPE/PATH/*".

A member is a resource whose name has a single further segment in the place of the star, with the same context
parameters. Source: xDS transport protocol (TP1), "glob collections"; Envoy matches names in the same way.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from mizzen.persistent import Difference, PersistentMap

_SCHEME = "xdstp:"
_NONE: Final[PersistentMap[str, None]] = PersistentMap()


def is_collection(name: str) -> bool:
    """Is it the name of a collection?"""
    return name.startswith(_SCHEME) and name.partition("?")[0].endswith("/*")


def collection_of(name: str) -> str:
    """The name of the collection that a resource of that name is a member of; "" when it is in none."""
    if not name.startswith(_SCHEME):
        return ""
    path, mark, parameters = name.partition("?")
    return f"{path.rpartition('/')[0]}/*{mark}{parameters}"


class Collections:
    """Which resources of one type are in which collection. Never changed; a changed copy costs what has changed."""

    __slots__ = ("_members",)

    def __init__(self, members: PersistentMap[str, PersistentMap[str, None]]) -> None:
        self._members = members

    @classmethod
    def of(cls, names: Iterable[str]) -> "Collections":
        """Of all these names."""
        return cls(PersistentMap()).updated(names, ())

    def following(self, step: Difference[str, Any]) -> "Collections":
        """After a map of resources by name has changed so."""
        return self.updated(step.changed, step.removed)

    def updated(self, added: Iterable[str], removed: Iterable[str]) -> "Collections":
        """With these names, and without those."""
        new, gone = _by_collection(added), _by_collection(removed)
        changed = {
            collection: self._members.get(collection, _NONE).updated(
                dict.fromkeys(new.get(collection, ())), gone.get(collection, ())
            )
            for collection in new.keys() | gone.keys()
        }
        empty = [collection for collection, names in changed.items() if not names]
        return Collections(self._members.updated(changed, empty))

    def members(self, collection: str) -> Collection[str]:
        """The names of its members."""
        found: PersistentMap[str, None] = self._members.get(collection, _NONE)
        return found


def _by_collection(names: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        if collection := collection_of(name):
            found.setdefault(collection, []).append(name)
    return found
