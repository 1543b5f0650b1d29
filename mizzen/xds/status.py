"""What a conversation knows about its client: what it holds, waits for, and refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeStatus:
    """One resource type at one client."""

    type_url: str
    short: str  # "LDS"
    state: SyncState
    sent: int  # responses so far
    unanswered: tuple[str, ...]  # nonces of responses that were neither confirmed nor refused
    subscribed: frozenset[str]  # names asked for; empty for a client that asks for everything
    wildcard: bool
    acked: Mapping[str, str]  # name -> version that the client has confirmed
    rejections: Mapping[str, Rejection]  # by name
    last_error: str  # the text of the last refusal, "" once everything is confirmed


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
