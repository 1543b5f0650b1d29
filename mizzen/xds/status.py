"""What a conversation knows about its client: what it holds, waits for, and refused."""

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from enum import Enum
from typing import Final

from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap
from mizzen.xds.collection import collection_of
from mizzen.xds.snapshot import Entry

SHOWN: Final = 3  # names of what is waited for


class SyncState(Enum):
    """Where one type stands at one client, in the words of `istioctl proxy-status`."""

    SYNCED = "SYNCED"  # it confirmed all it shall hold
    STALE = "STALE"  # something was sent, or is about to be, and is not confirmed
    NOT_SENT = "NOT SENT"  # it never asked, or there was nothing to tell
    ERROR = "ERROR"  # it refused something that it still shall hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A version of a resource that the client refused when it came alone."""

    version: str
    reason: str


class Versions(Mapping[str, str]):
    """The versions of resources, by name: a view that copies nothing."""

    __slots__ = ("_entries",)

    def __init__(self, entries: PersistentMap[str, Entry]) -> None:
        self._entries = entries

    def other_in(self, available: PersistentMap[str, Entry]) -> Collection[str]:
        """The names of which `available` may have another version. It costs what the maps do not share."""
        return available.difference(self._entries).changed

    def __getitem__(self, name: str) -> str:
        return self._entries[name].version

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeStatus:
    """One resource type at one client."""

    type_url: str
    short: str  # "LDS"
    state: SyncState
    sent: int  # responses so far
    unanswered: tuple[str, ...]  # nonces of responses that were neither confirmed nor refused
    subscribed: Collection[str]  # names asked for; empty for a client that asks for everything
    wildcard: bool
    acked: Mapping[str, str]  # name -> version that the client has confirmed
    # What it shall hold, of what it asks for, and the first few names of that, in order, that it has neither
    # confirmed nor finally refused.
    available: PersistentMap[str, Entry] | None = field(default=None, repr=False)
    waiting: tuple[str, ...] = ()
    rejections: Mapping[str, Rejection]  # by name
    last_error: str  # the text of the last refusal, "" once everything is confirmed

    def unconfirmed(self, available: PersistentMap[str, Entry]) -> tuple[str, ...]:
        """`waiting`, for what it shall hold now; that may have changed since this was told."""
        if available is self.available:
            return self.waiting
        names = self.acked.other_in(available) if isinstance(self.acked, Versions) else available
        return tuple(heapq.nsmallest(SHOWN, (name for name in names if self._lacks(name, available[name]))))

    def _lacks(self, name: str, wanted: Entry) -> bool:
        is_asked = self.wildcard or name in self.subscribed or collection_of(name) in self.subscribed
        refused = self.rejections.get(name)
        known = (self.acked.get(name), refused.version if refused else None)
        return is_asked and wanted.version not in known


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """One client, all types that it asked for, in the order of sending."""

    types: tuple[TypeStatus, ...]

    def of(self, type_url: str) -> TypeStatus | None:
        """One type; None if the client never asked for it."""
        return next((status for status in self.types if status.type_url == type_url), None)

    @property
    def rejections(self) -> Mapping[tuple[str, str], str]:
        """(type URL, name) -> why the client refused what it shall hold."""
        return {
            (status.type_url, name): rejection.reason
            for status in self.types
            for name, rejection in status.rejections.items()
        }
