"""Where clients may still come over HTTP/3, whatever the configuration says by now. All values.

A mirror that is wanted no more stays while a client may remember it: closed at once, its UDP port would be silent, and
each client that comes would wait for three seconds. Its listener stays a little longer, so that connections can be drained.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from mizzen.http3.life import lingers
from mizzen.http3.server import Server
from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Of one server: the QUIC listeners where clients may remember it, and those that must not be closed."""

    remembered: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()


NOWHERE = Standing()


def standing(server: Server, now: datetime) -> Standing:
    """Where a server stands."""
    states = [state for state in server.states.values() if state.listener and lingers(state, now)]
    if not states:
        return NOWHERE
    remembered = frozenset(
        state.listener for state in states if state.promised_until is not None and now < state.promised_until
    )
    return Standing(remembered=remembered, open=frozenset(state.listener for state in states))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lingering:
    """Of one gateway as clients know it. Replaced where something of it changes: the same object says the same."""

    # Announcement -> the QUIC listeners where clients may remember it.
    remembered: PersistentMap[str, frozenset[str]] = field(default_factory=PersistentMap)
    open: Mapping[str, int] = field(default_factory=dict)  # QUIC listener -> how many servers need it

    def changed(self, changes: Mapping[str, tuple[Standing, Standing]]) -> "Lingering":
        """With other standings: announcement -> (before, now)."""
        opened = dict(self.open)
        for before, now in changes.values():
            for listener in before.open:
                opened[listener] -= 1
            for listener in now.open:
                opened[listener] = opened.get(listener, 0) + 1
        remembered = self.remembered.updated(
            {name: now.remembered for name, (_, now) in changes.items() if now.remembered},
            [name for name, (_, now) in changes.items() if not now.remembered and name in self.remembered],
        )
        return Lingering(remembered=remembered, open={name: n for name, n in opened.items() if n})


NOTHING_LINGERS = Lingering()
