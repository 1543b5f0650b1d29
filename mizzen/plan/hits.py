"""What happens at one place, and what is asked of listeners again and again."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from mizzen.plan.chains import Chain
from mizzen.plan.effects import Effect, Facet
from mizzen.plan.surface import QUIC, Listener, Surface, covering

# Until when clients may remember what a gateway's answers said: (gateway as they know it, announcement) -> time.
Remembered = Mapping[tuple[str, str], datetime]


class Hit(NamedTuple):
    """One thing that happens. `host` None: to the listener as a whole; both None: to the gateway."""

    listener: str | None
    host: str | None
    effect: Effect
    facet: Facet
    until: datetime | None = None


def facet_of_chain(listener: Listener, host: str, chain: Chain) -> Facet:
    """The chain that takes a host."""
    return ("chain", listener.name, host if chain.names else "")


def remembered_until(
    surface: Surface, chain: Chain, listener: Listener, remembered: Remembered
) -> datetime | None:
    """Until when clients may remember a mirror; None over TCP, and where it is not known."""
    if listener.transport != QUIC:
        return None
    known = (remembered.get((surface.called, name)) for name in chain.extensions)
    return max((at for at in known if at is not None), default=None)


def is_served(listener: Listener, name: str) -> bool:
    """Do connections for a host meet somebody?"""
    chain = listener.taking(name)
    return chain is not None and not chain.refuses


def is_taken(listener: Listener, name: str) -> bool:
    """Is the very name served?"""
    chain = listener.by_name.get(name)
    return chain is not None and not chain.refuses


def covers(chain: Chain, name: str) -> bool:
    """Is a host one of a chain's, or below a wildcard of it?"""
    return any(one in (chain.names or ("",)) for one in covering(name))


def is_served_over_tcp(surface: Surface, mirror: Listener, host: str, chain: Chain) -> bool:
    """Has a host of a mirror a listener over TCP at the same place?"""
    name = host if chain.names else ""
    return any(
        one.where == mirror.where and one.transport != QUIC and is_served(one, name)
        for one in surface.listeners.values()
    )
