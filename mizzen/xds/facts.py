"""What is known of one client and one resource type, and how one name stands in view of it."""

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import field
from functools import reduce
from operator import xor
from typing import Final, Literal, NamedTuple, TypeVar

from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap
from mizzen.xds.collection import Collections, collection_of, is_collection
from mizzen.xds.resource_type import Absence, ResourceType
from mizzen.xds.snapshot import NOTHING, Entry, entry
from mizzen.xds.status import Rejection
from mizzen.xds.update import REMOVAL, Sent

V = TypeVar("V")
Names = PersistentMap[str, None]
Differences = PersistentMap[str, Entry | None]  # None: to be told that it is gone
# What to tell of one name: a resource, None: that it is gone, False: nothing.
Tidings = Entry | None | Literal[False]

NO_NAMES: Final[Names] = PersistentMap()
NO_DIFFERENCES: Final[Differences] = PersistentMap()
NO_REJECTIONS: Final[PersistentMap[str, Rejection]] = PersistentMap()


class Look(NamedTuple):
    """How one name stands."""

    differs: Tidings
    differs_at_last: Tidings
    is_unconfirmed: bool
    is_other: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Facts:
    """One resource type at one client."""

    kind: ResourceType
    names_all: bool = False  # a response names all there is: what it leaves out is gone (state of the world)
    tells_removals: bool = True  # there is a word for "it is gone"
    # What the client shall hold, of what it asks for.
    available: PersistentMap[str, Entry] = field(default_factory=lambda: NOTHING)
    wildcard: bool = False
    names: Names = field(default_factory=lambda: NO_NAMES)  # asked for, collections among them
    names_hash: int = 0  # the same for the same names, in whichever order they came
    # What it has confirmed. The bodies of what a client says that it has are not known.
    acked: PersistentMap[str, Entry] = field(default_factory=lambda: NOTHING)
    unanswered: tuple[Sent, ...] = ()  # oldest first
    rejected: PersistentMap[str, Rejection] = field(default_factory=lambda: NO_REJECTIONS)
    last_error: str = ""
    # Names that are owed an answer, even "there is no such thing".
    owed: Names = field(default_factory=lambda: NO_NAMES)
    # Names of a refused response: what the client has of them is not known, each is sent alone.
    suspects: frozenset[str] = frozenset()
    # What was confirmed, and may be forgotten since: responses that name all there is still name it.
    doubtful: PersistentMap[str, Entry] = field(default_factory=lambda: NOTHING)

    # Derived from the above, name by name: to be told now; the same when removals are due;
    differs: Differences = field(default_factory=lambda: NO_DIFFERENCES)
    differs_at_last: Differences = field(default_factory=lambda: NO_DIFFERENCES)
    # to be held, and neither confirmed nor finally refused;
    unconfirmed: Names = field(default_factory=lambda: NO_NAMES)
    # confirmed, and not (or not any more) what the client shall hold.
    others: Names = field(default_factory=lambda: NO_NAMES)
    collections: Collections | None = None  # of what is available; None while no collection is asked for

    def look(self, name: str) -> Look:
        """How that name stands."""
        wanted: Entry | None = self.available.get(name)
        confirmed: Entry | None = self.acked.get(name)
        rejection: Rejection | None = self.rejected.get(name)
        is_asked = name in self.names or (wanted is not None and self.asks_by_star(name))
        expected = confirmed.version if confirmed is not None else None
        for sent in self.unanswered:
            expected = sent.update.version_after(name, expected)
        has = None if name in self.suspects or self._keeps_refused(name) else expected
        known = (has, rejection.version if rejection is not None else None)
        may_have = expected is not None or name in self.suspects
        if wanted is not None:
            differs: Tidings = wanted if is_asked and wanted.version not in known else False
            is_right = is_asked and confirmed is not None and confirmed.version == wanted.version
            is_unconfirmed = is_asked and not is_right and wanted.version != known[1]
            return Look(differs, differs, is_unconfirmed, confirmed is not None and not is_right)
        return Look(
            self._absent(name, is_asked, may_have, known, removals=False),
            self._absent(name, is_asked, may_have, known, removals=True),
            False,
            confirmed is not None,
        )

    def _keeps_refused(self, name: str) -> bool:
        """Does the client hold on to what it refused, with nothing under way that takes its place?"""
        if not self.kind.keeps_refused or name not in self.rejected:
            return False
        return not any(name in sent.update.names for sent in self.unanswered)

    def _absent(
        self,
        name: str,
        is_asked: bool,
        may_have: bool,
        known: tuple[str | None, str | None],
        *,
        removals: bool,
    ) -> Tidings:
        """What to tell of a name that nobody knows. `known`: the version that the client has, and that it refused."""
        kind = self.kind
        if is_asked and kind.empty is not None:
            if may_have and not (removals and kind.absence is Absence.EMPTY):
                return False  # the last good one stays
            placeholder = entry(kind.empty(name))
            return placeholder if placeholder.version not in known else False
        if not self.tells_removals or known[1] == REMOVAL:
            return False
        if kind.empty is None and not may_have and name in self.owed and not self.members(name):
            return None
        is_gone = removals and may_have and kind.absence is Absence.REMOVE
        return None if is_gone and not self._lingers(name) else False

    def _lingers(self, name: str) -> bool:
        """Is it of a collection that is gone as a whole? What drains uses it until the client lets go of the collection."""
        whole = collection_of(name)
        return not self.wildcard and whole in self.names and not self.members(whole)

    @property
    def is_new(self) -> bool:
        """Is nothing known of the client?"""
        return not (self.acked or self.unanswered or self.rejected or self.suspects)

    def asks_by_star(self, name: str) -> bool:
        """Is what has that name asked for with all there is, or with its collection?"""
        return self.wildcard or (self.collections is not None and collection_of(name) in self.names)

    def knows(self, name: str) -> bool:
        """May the client have it, or have an opinion of it?"""
        return (
            name in self.acked
            or name in self.rejected
            or name in self.suspects
            or any(name in sent.update.names for sent in self.unanswered)
        )

    def members(self, name: str) -> Collection[str]:
        """The names of what is available in that collection."""
        return self.collections.members(name) if self.collections is not None else ()

    def with_members(self, names: Collection[str]) -> Collection[str]:
        """These names, and those of all that is, or was, in the collections among them."""
        if self.collections is None or not (wanted := set(filter(is_collection, names))):
            return names
        found = {*names, *(member for collection in wanted for member in self.members(collection))}
        found.update(
            *(self._known_members(some, wanted) for some in (self.others, self.rejected, self.suspects))
        )
        found.update(*(self._known_members(sent.update.names, wanted) for sent in self.unanswered))
        return found

    @staticmethod
    def _known_members(names: Iterable[str], collections: Collection[str]) -> Collection[str]:
        return [name for name in names if collection_of(name) in collections]


def unordered_hash(names: Iterable[str]) -> int:
    """Without regard to their order."""
    return reduce(xor, map(hash, names), 0)


def less(
    some: PersistentMap[str, V], names: Iterable[str], empty: PersistentMap[str, V]
) -> PersistentMap[str, V]:
    """`some` without these names; `empty` itself when nothing is left."""
    if not some:
        return empty
    if isinstance(names, Set) and len(names) >= len(some) and all(map(names.__contains__, some.keys())):
        return empty
    return some.updated({}, names) or empty


def kept(before: Differences, looks: Mapping[str, Tidings]) -> Differences:
    """`before`, with these looked at anew."""
    changed = {name: held for name, held in looks.items() if held is not False}
    return before.updated(changed, [name for name, held in looks.items() if held is False]) or NO_DIFFERENCES


def marked(before: Names, looks: Mapping[str, bool]) -> Names:
    """`before`, with these looked at anew."""
    new = {name: None for name, is_so in looks.items() if is_so}
    return before.updated(new, [name for name, is_so in looks.items() if not is_so]) or NO_NAMES
