"""Two surfaces of one gateway -> what happens at which host, and which parts that follows from.

What Envoy 1.40 does was measured (tests/e2e/test_plan.py):

- A listener of which only chains differ is changed in place: connections of chains that stay, to the letter, stay; those of
  others are asked to leave (GOAWAY, `Connection: close`), and new ones are taken by what comes.
- Any other difference makes a new listener. Over TCP it takes over the socket: all connections of the old one are asked to
  leave, none is refused. Over QUIC both read one socket until the drain time is over, and connections would be reset: so the
  control plane empties the old one first (`plane/replacing.py`), and has none over QUIC until it has drained.
- Routes, endpoints, certificates and filters that are resources of their own touch no connection.
"""

from collections.abc import Iterable, Iterator

from mizzen.plan.chains import Chain
from mizzen.plan.effects import Change, Effect
from mizzen.plan.hits import (
    Hit,
    Remembered,
    covers,
    facet_of_chain,
    is_served,
    is_served_over_tcp,
    is_taken,
    remembered_until,
)
from mizzen.plan.riding import Riding
from mizzen.plan.surface import QUIC, TCP, Listener, Surface


def changes(old: Surface | None, new: Surface | None, remembered: Remembered) -> Iterator[Change]:
    """What happens at a gateway that was (None: there was none), and is to be."""
    gateway = old or new
    if gateway is None:
        return
    if old is not None and new is not None:
        hits = list(_Compared(old, new, remembered).hits())
    else:
        hits = list(_alone(gateway, is_new=new is not None, remembered=remembered))
    yield from _merged(gateway.called, hits)


def _merged(called: str, hits: Iterable[Hit]) -> Iterator[Change]:
    """The hardest of what happens to each."""
    found: dict[tuple[str | None, str | None], list[Hit]] = {}
    for hit in hits:
        found.setdefault((hit.listener, hit.host), []).append(hit)
    for (listener, host), some in found.items():
        effect = max((hit.effect for hit in some), key=lambda one: one.hardness)
        worst = [hit for hit in some if hit.effect is effect]
        if (
            host is not None
            and effect is Effect.RECONNECTS
            and _closes_as_a_whole(found.get((listener, None)))
        ):
            continue
        yield Change(
            gateway=called,
            listener=listener,
            host=host,
            effect=effect,
            until=max((hit.until for hit in worst if hit.until is not None), default=None),
            facets=frozenset(hit.facet for hit in worst),
            others=frozenset(hit.facet for hit in some if hit.effect is not effect),
        )


def _closes_as_a_whole(hits: Iterable[Hit] | None) -> bool:
    return any(hit.effect is Effect.CLOSES_H3 for hit in hits or ())


def _alone(surface: Surface, *, is_new: bool, remembered: Remembered) -> Iterator[Hit]:
    """A gateway that comes, or goes."""
    effect = Effect.OPENS if is_new else Effect.UNSERVED
    for listener in surface.listeners.values():
        for chain in listener.chains:
            if not chain.refuses:
                until = None if is_new else remembered_until(surface, chain, listener, remembered)
                for host in surface.hosts_of(listener, chain):
                    yield Hit(listener.name, host, effect, facet_of_chain(listener, host, chain), until)
                    yield from _ridden(surface, listener, chain, host)


def _ridden(surface: Surface, listener: Listener, chain: Chain, host: str) -> Iterator[Hit]:
    """What rides on a chain that comes or goes, and so is no more than a reason to look at an object."""
    for name in chain.secrets:
        yield Hit(listener.name, host, Effect.NONE, ("secret", name))
    backends = set(chain.backends)
    hosts = surface.hosts(listener.name)
    for domain in hosts if host.startswith("*") else (host,):
        if domain in hosts and hosts[domain].table == chain.table:
            yield Hit(listener.name, host, Effect.NONE, ("host", listener.name, domain))
            backends |= hosts[domain].backends()
    for name in backends:
        yield Hit(listener.name, host, Effect.NONE, ("cluster", name))


class _Compared:
    """A gateway before and after."""

    def __init__(self, old: Surface, new: Surface, remembered: Remembered) -> None:
        self.old, self.new, self.remembered = old, new, remembered
        self.riding = Riding(old, new, remembered)

    def hits(self) -> Iterator[Hit]:
        if self.old.started_with != self.new.started_with:
            yield Hit(None, None, Effect.CLOSES_ALL, ("start",))
        yield from self._ports_of_services()
        for name in sorted(self.old.listeners.keys() | self.new.listeners.keys()):
            before, after = self.old.listeners.get(name), self.new.listeners.get(name)
            if before is None or after is None:
                yield from self._one_listener(before, after)
            else:
                yield from self._both(before, after)

    def _ports_of_services(self) -> Iterator[Hit]:
        """Where clients dial the ports of Services: at one that leads to a listener no more nobody answers."""
        old, new = self.old.dialled, self.new.dialled
        for one in self.old.listeners.values() if old or new else ():
            bound = (one.transport, one.port)
            lost = old.get(bound, frozenset()) - new.get(bound, frozenset())
            if not lost or one.name not in self.new.listeners:
                continue
            known = [remembered_until(self.old, chain, one, self.remembered) for chain in one.chains]
            until = max((at for at in known if at is not None), default=None)
            stays = one.transport == QUIC and lost & new.get((TCP, one.port), frozenset())
            effect = Effect.WITHDRAWS_H3 if stays else Effect.UNSERVED
            yield Hit(one.name, None, effect, ("dialled", one.transport, str(one.port)), until)

    # --- connections -------------------------------------------------------------------------------

    def _one_listener(self, before: Listener | None, after: Listener | None) -> Iterator[Hit]:
        if after is not None:
            for chain in after.chains:
                yield from self._opened(after, chain, self.new.hosts_of(after, chain))
        if before is not None:
            for chain in before.chains:
                yield from self._lost(before, chain, self.old.hosts_of(before, chain))

    def _both(self, before: Listener, after: Listener) -> Iterator[Hit]:
        name = before.name
        is_kept = before.own == after.own
        if not is_kept and before.transport == QUIC:
            yield Hit(name, None, Effect.CLOSES_H3, ("own", name))
        if before.body != after.body:
            yield from self._chains(before, after, is_kept=is_kept)
        yield from self.riding.hits(before, after)

    def _chains(self, before: Listener, after: Listener, *, is_kept: bool) -> Iterator[Hit]:
        to_be = {chain.body for chain in after.chains}
        staying = to_be if is_kept else set()
        known = {chain.body for chain in before.chains}
        refusing = tuple(chain for chain in after.chains if chain.refuses)
        for chain in before.chains:
            if chain.body in staying:
                yield from self._taken_over(before, refusing, chain)
                continue
            hosts = self.old.hosts_of(before, chain)
            served = {host for host in hosts if is_served(after, host if chain.names else "")}
            for host in served if not chain.refuses else ():
                if chain.body not in to_be:
                    facet = facet_of_chain(before, host, chain)
                    yield Hit(before.name, host, Effect.RECONNECTS, facet)
                if not is_kept:
                    yield Hit(before.name, host, Effect.RECONNECTS, ("own", before.name))
            yield from self._lost(before, chain, [host for host in hosts if host not in served])
            if chain.refuses:
                yield from self._let_in(before, after, chain)
        for chain in after.chains:
            if chain.body not in known:
                hosts = self.new.hosts_of(after, chain)
                fresh = [host for host in hosts if not is_taken(before, host if chain.names else "")]
                yield from self._opened(after, chain, fresh)

    def _taken_over(self, before: Listener, refusing: tuple[Chain, ...], chain: Chain) -> Iterator[Hit]:
        """Hosts that a chain keeps the connections of, though new ones are refused: they are no longer for it."""
        if chain.refuses:
            return
        for other in refusing:
            for host in other.names:
                if covers(chain, host) and is_served(before, host):
                    effect = Effect.WITHDRAWS_H3 if before.transport == QUIC else Effect.UNSERVED
                    until = remembered_until(self.old, chain, before, self.remembered)
                    yield Hit(before.name, host, effect, ("chain", before.name, host), until)

    def _let_in(self, before: Listener, after: Listener, refusing: Chain) -> Iterator[Hit]:
        """Hosts that were refused, and are served by a wildcard now."""
        for host in refusing.names:
            if after.taking(host) is not before.taking(host) and is_served(after, host):
                yield Hit(before.name, host, Effect.OPENS, ("chain", before.name, host))

    def _opened(self, listener: Listener, chain: Chain, hosts: Iterable[str]) -> Iterator[Hit]:
        for host in hosts if not chain.refuses else ():
            yield Hit(listener.name, host, Effect.OPENS, facet_of_chain(listener, host, chain))
            yield from _ridden(self.new, listener, chain, host)

    def _lost(self, listener: Listener, chain: Chain, hosts: Iterable[str]) -> Iterator[Hit]:
        until = remembered_until(self.old, chain, listener, self.remembered)
        for host in hosts if not chain.refuses else ():
            stays = listener.transport == QUIC and is_served_over_tcp(self.new, listener, host, chain)
            effect = Effect.WITHDRAWS_H3 if stays else Effect.UNSERVED
            yield Hit(listener.name, host, effect, facet_of_chain(listener, host, chain), until)
            yield from _ridden(self.old, listener, chain, host)
