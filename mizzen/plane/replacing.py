"""QUIC listeners whose own fields are to be others, and which are emptied first. Pure.

To change anything but a chain puts another listener in the place of the old one, and connections of the old one are reset. So the old
one is first left without its servers, in place: whoever comes is refused within a round trip and goes on over TCP, whoever is connected
is asked to leave and drains. When the drain time is over nobody is left to be reset, and the new listener takes its place.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from mizzen._api import pb
from mizzen.envoy.filter_chain import refusing_chain
from mizzen.envoy.listener import NOBODYS_NAMES
from mizzen.lazy import dataclass
from mizzen.xds.resource_type import LISTENER
from mizzen.xds.snapshot import Entry, Snapshot, entry

QUIC = "udp_"  # with which the names of QUIC listeners begin
# Until an Envoy has taken the emptied listener, from when on it drains.
_MARGIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacing:
    """Of one gateway: the listeners that are emptied, as its Envoys hold them meanwhile."""

    emptied: Mapping[str, Entry]
    until: datetime

    def offered(self, snapshot: Snapshot) -> Snapshot:
        """What Envoys are told in the place of `snapshot`."""
        listeners = snapshot.of(LISTENER.url)
        there = {name: one for name, one in self.emptied.items() if name in listeners}
        return snapshot.replaced(LISTENER.url, listeners.updated(there, ()))


def replacing(
    before: Replacing | None, held: Snapshot, wanted: Snapshot, now: datetime, drain: timedelta
) -> Replacing | None:
    """What is emptied when `wanted` is to follow what Envoys hold; None where every change is one in place."""
    old, new = held.of(LISTENER.url), wanted.of(LISTENER.url)
    if old is new:
        return before
    names = [name for name in new if name.startswith(QUIC) and name in old]
    changed = [
        name for name in names if old[name] is not new[name] and _frame(old[name]) != _frame(new[name])
    ]
    if not changed:
        return None
    until = now + drain + _MARGIN
    known = before.emptied if before is not None else {}
    if before is not None and not set(changed) - known.keys():
        until = before.until
    return Replacing(emptied={name: known.get(name) or _emptied(old[name]) for name in changed}, until=until)


def _frame(one: Entry) -> bytes:
    """All of a listener but what Envoy changes in place."""
    found = pb.Listener.FromString(one.body)
    del found.filter_chains[:]
    found.ClearField("default_filter_chain")
    return found.SerializeToString(deterministic=True)


def _emptied(one: Entry) -> Entry:
    """The same with a chain that is for nobody: without any it would be replaced at once."""
    found = pb.Listener.FromString(one.body)
    del found.filter_chains[:]
    found.filter_chains.append(refusing_chain(NOBODYS_NAMES))
    return entry(found.SerializeToString(deterministic=True))
