"""One client's conversation about one resource type. Both protocols share it.

What it comes to is a `State`; here is what belongs to this client alone: how its responses are called, and how many there
were. A client that does not answer is told no more after a while, and then all at once what is true by then.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, Final

from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap
from mizzen.xds.resource_type import USERS_OF_CLUSTERS, ResourceType
from mizzen.xds.shared import Shared
from mizzen.xds.snapshot import Entry
from mizzen.xds.state import State
from mizzen.xds.status import TypeStatus
from mizzen.xds.update import Update

# Envoy confirms clusters when they are warm, which may take seconds.
_MOST_UNANSWERED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What goes on the wire."""

    type_url: str
    nonce: str
    resources: int  # told of, removed ones among them
    shared: bytes  # all but the nonce; other clients are sent the same

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.shared) + 2 + len(self.nonce)

    @property
    def body(self) -> bytes:
        """The serialised message. The nonce is field 5 in those of both protocols, and shorter than 128 bytes."""
        nonce = self.nonce.encode()
        return b"".join((self.shared, b"\x2a", bytes((len(nonce),)), nonce))


class TypeSession:
    """One resource type on one stream. No socket, no clock, no lock."""

    def __init__(self, state: State, shared: Shared) -> None:
        """`state` has what is available; of the client nothing is known yet."""
        self.kind: ResourceType = state.kind
        self.uses_clusters = state.kind in USERS_OF_CLUSTERS
        self.state = state
        self.sent = 0
        self._shared = shared
        self._nonces: tuple[str, ...] = ()  # of the responses that are not answered, oldest first

    def receive(self, request: Any) -> None:
        """Take in a request of the client, in the message of its protocol."""
        raise NotImplementedError

    def _step(self, event: Hashable, make: Callable[[], State]) -> None:
        self.state = self._shared.step(self.state, event, make)

    def offer(self, available: PersistentMap[str, Entry]) -> None:
        """From now on the client shall hold this, of what it asks for."""
        state = self.state
        if available is not state.available:
            self._step(("offer", id(available)), lambda: state.offered(available))

    def resume(self, versions: Mapping[str, str]) -> None:
        """The client comes back and tells what it still holds."""
        state = self.state
        if versions:
            self._step(("resume", frozenset(versions.items())), lambda: state.resumed(versions))

    def ask_for_everything(self, wildcard: bool) -> None:
        """The client asks for all there is, or (False) does so no more."""
        state = self.state
        if wildcard != state.wildcard:
            self._step(("wildcard", wildcard), lambda: state.with_wildcard(wildcard))

    def subscribe(self, names: Collection[str]) -> None:
        """The client asks for these, for the first time on this stream."""
        state, names = self.state, frozenset(names)
        if names:
            self._step(("subscribe", names), lambda: self._shared.with_names(state.subscribed(names)))

    def unsubscribe(self, names: Collection[str]) -> None:
        """The client lets go of these. Under a wildcard it still learns whether they exist."""
        state, names = self.state, frozenset(names)
        if names:
            self._step(("unsubscribe", names), lambda: self._shared.with_names(state.unsubscribed(names)))

    def forget(self, names: Collection[str]) -> None:
        """The client may no longer have these: they are sent again to who still wants them."""
        state, names = self.state, frozenset(names)
        if names:
            self._step(("forget", names), lambda: state.forgotten(names))

    def repeat(self, names: frozenset[str]) -> None:
        """Send these once more, if they are asked for."""
        state = self.state
        if names:
            self._step(
                ("repeat", names), lambda: state.forgotten({name for name in names if name in state.names})
            )

    def judge(self, nonce: str, error: str) -> bool:
        """The client confirmed (no error) or refused a response. False if that nonce awaits no judgement."""
        if nonce not in self._nonces:
            return False
        state, index = self.state, self._nonces.index(nonce)
        self._nonces = self._nonces[:index] + self._nonces[index + 1 :]
        self._step(("judge", index, error), lambda: state.judged(index, error))
        return True

    def try_again(self, is_worth_it: Callable[[str], bool]) -> bool:
        """Forget the refusals with such a reason: what was refused is sent once more. True if there was any."""
        before, self.state = self.state, self.state.tried_again(is_worth_it)
        return self.state is not before

    @property
    def has_nothing(self) -> bool:
        """Is there certainly nothing to send? (What there is may still have to wait.)"""
        return not (self.state.is_open or self._owes_an_empty_answer())

    def next(self, *, removals: bool = True) -> Update | None:
        """The update that brings the client up to date; None if it is, or if a judgement is awaited.

        Without `removals`, all but what takes something away: that waits until nothing uses it.
        """
        if len(self._nonces) >= _MOST_UNANSWERED:
            return None
        update = self.state.next(removals=removals)
        if update is None and self._owes_an_empty_answer():
            return self.state.update(removals=removals)
        return update

    def _owes_an_empty_answer(self) -> bool:
        """A client that asks for everything waits for an answer, even if there is nothing."""
        return self.state.wildcard and not self.sent and not self.state.acked

    def record(self, nonce: str, update: Update) -> None:
        """The update has been sent under that nonce."""
        state = self.state
        self._nonces = (*self._nonces, nonce)
        self.sent += 1
        self._step(("sent", _Identity(update)), lambda: state.sent(update))

    def status(self) -> TypeStatus:
        """Where this type stands, given what the client shall hold."""
        return self._shared.status(self.state, self.sent, self._nonces)


class _Identity:
    """An object as a key: equal to itself alone, and kept."""

    __slots__ = ("_of",)

    def __init__(self, of: object) -> None:
        self._of = of

    def __hash__(self) -> int:
        return id(self._of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other._of is self._of
