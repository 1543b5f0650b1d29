"""What conversations have in common: clients that are told the same go through the same states.

A thousand proxies with one configuration are one conversation, held a thousand times. What one of them has worked out (the
state after an event, the bytes of a response) the others take from here. Nothing here changes what is said to
anybody; forgetting all of it costs time alone.
"""

from collections.abc import Callable, Hashable
from typing import Final
from weakref import WeakValueDictionary

from mizzen.xds.facts import Names
from mizzen.xds.state import State
from mizzen.xds.status import TypeStatus

_MOST_STEPS: Final = 4_096
_MOST_BYTES: Final = 64 * 2**20
_MOST_OTHERS: Final = 100  # names that a state at rest may hold besides, to be compared with others


class Shared:
    """What is worked out for one conversation and holds for others. For one thread."""

    def __init__(self) -> None:
        self._steps: dict[tuple[State | None, Hashable], State] = {}
        self._statuses: dict[tuple[State, int, tuple[str, ...]], TypeStatus] = {}
        self._responses: dict[int, tuple[object, bytes]] = {}  # by the identity of what they tell
        self._size = 0
        self._at_rest: WeakValueDictionary[Hashable, State] = WeakValueDictionary()
        self._names: WeakValueDictionary[Hashable, Names] = WeakValueDictionary()

    def step(self, state: State, event: Hashable, make: Callable[[], State]) -> State:
        """The state after an event. `make` works it out; `event` tells it from all others that `state` may meet."""
        known = self._steps.get((state, event))
        if known is None:
            if len(self._steps) >= _MOST_STEPS:
                self._steps.clear()
            known = self._steps[state, event] = self._common(make())
        return known

    def start(self, state: State) -> State:
        """The state in which a conversation begins, in the object that others have for it."""
        key = (state.kind.url, state.names_all, state.tells_removals, id(state.available))
        known = self._steps.get((None, key))
        if known is None:
            known = self._steps[None, key] = state  # which keeps what is available, and so its identity
        return known

    def status(self, state: State, sent: int, nonces: tuple[str, ...]) -> TypeStatus:
        """`State.status`, in the object that others have for it."""
        key = (state, sent, nonces)
        known = self._statuses.get(key)
        if known is None:
            if len(self._statuses) >= _MOST_STEPS:
                self._statuses.clear()
            known = self._statuses[key] = state.status(sent, nonces)
        return known

    def response(self, of: object, make: Callable[[], bytes]) -> bytes:
        """The bytes that tell of something (an update, a state). `make` serialises it."""
        known = self._responses.get(id(of))
        if known is not None:
            return known[1]
        body = make()
        if self._size + len(body) > _MOST_BYTES:
            self._forget_responses()
        self._size += len(body)
        self._responses[id(of)] = (of, body)  # which keeps it, and so its identity
        return body

    @property
    def is_empty(self) -> bool:
        """Is there nothing to forget?"""
        return not (self._steps or self._statuses or self._responses)

    def forget(self) -> None:
        """Let go of what was worked out. What clients at rest have in common stays."""
        self._steps.clear()
        self._statuses.clear()
        self._forget_responses()

    def _forget_responses(self) -> None:
        self._responses.clear()
        self._size = 0

    def with_names(self, state: State) -> State:
        """The same, with what it asks for in the object that others have for the same names."""
        key = (state.names_hash, len(state.names))
        known = self._names.get(key)
        if known is not None and known == state.names:
            return state.with_names(known)
        self._names[key] = state.names
        return state

    def _common(self, state: State) -> State:
        """The state itself, or, when nothing is open, the object that others have for it."""
        if not state.is_at_rest or len(state.others) > _MOST_OTHERS:
            return state
        # What is available, asked for, and held besides: the rest follows.
        held = tuple((name, state.acked[name].version) for name in state.others)
        same = (state.kind.url, state.names_all, state.tells_removals, state.wildcard, state.last_error, held)
        key = (*same, id(state.names), id(state.available))  # which the state keeps, and so their identity
        known = self._at_rest.get(key)
        if known is None:
            known = self._at_rest[key] = state.at_rest()
        return known
