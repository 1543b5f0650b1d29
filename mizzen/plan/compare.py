"""Two surfaces of one gateway -> what happens at which host, and which parts that follows from.

What Envoy 1.40 does was measured (tests/e2e/test_plan.py):

- A listener of which only chains differ is changed in place: connections of chains that stay, to the letter, stay; those of
  others are asked to leave (GOAWAY, `Connection: close`), and new ones are taken by what comes.
- Any other difference makes a new listener. Over TCP it takes over the socket: all connections of the old one are asked to
  leave, none is refused. Over QUIC both read one socket until the drain time is over: connections are reset, and new
  ones time out.
- Routes, endpoints, certificates and filters that are resources of their own touch no connection.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from mizzen.envoy.config import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    ROUTES,
    SCOPED_ROUTES,
    SECRETS,
)
from mizzen.envoy.scoped_route import parts_of_scope
from mizzen.model.backend import name_of_endpoints
from mizzen.model.tls import WORKLOAD
from mizzen.plan.chains import Chain
from mizzen.plan.effects import Change, Effect, Facet
from mizzen.plan.surface import QUIC, TCP, Listener, Surface, covering
from mizzen.plan.tables import VirtualHost, promised

# Until when clients may remember what a gateway's answers said: (gateway as they know it, announcement) -> time.
Remembered = Mapping[tuple[str, str], datetime]


class Hit(NamedTuple):
    """One thing that happens. `host` None: to the listener as a whole; both None: to the gateway."""

    listener: str | None
    host: str | None
    effect: Effect
    facet: Facet
    until: datetime | None = None


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
                until = None if is_new else _until(surface, chain, listener, remembered)
                for host in surface.hosts_of(listener, chain):
                    yield Hit(listener.name, host, effect, _facet_of_chain(listener, host, chain), until)
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


def _facet_of_chain(listener: Listener, host: str, chain: Chain) -> Facet:
    return ("chain", listener.name, host if chain.names else "")


def _until(surface: Surface, chain: Chain, listener: Listener, remembered: Remembered) -> datetime | None:
    if listener.transport != QUIC:
        return None
    known = (remembered.get((surface.called, name)) for name in chain.extensions)
    return max((at for at in known if at is not None), default=None)


class _Compared:
    """A gateway before and after."""

    def __init__(self, old: Surface, new: Surface, remembered: Remembered) -> None:
        self.old, self.new, self.remembered = old, new, remembered
        self.secrets = self._differing(SECRETS)
        self.extensions = self._differing(EXTENSION_CONFIGS)
        self.clusters = self._differing(CLUSTERS)
        self.endpoints = {name_of_endpoints(name): name for name in self._differing(ENDPOINTS)}
        self.tables = self._differing(ROUTES)
        self.tables |= {parts_of_scope(name)[0] for name in self._differing(SCOPED_ROUTES)}

    def _differing(self, url: str) -> set[str]:
        """The names of resources that came, went or differ."""
        before, after = self.old.config.bodies[url], self.new.config.bodies[url]
        difference = after.difference(before)
        changed = {name for name, body in difference.changed.items() if before.get(name) != body}
        return changed | difference.removed

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
            known = [_until(self.old, chain, one, self.remembered) for chain in one.chains]
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
        yield from self._parts(before, after)

    def _chains(self, before: Listener, after: Listener, *, is_kept: bool) -> Iterator[Hit]:
        to_be = {chain.body for chain in after.chains}
        staying = to_be if is_kept else set()
        known = {chain.body for chain in before.chains}
        for chain in before.chains:
            if chain.body in staying:
                yield from self._taken_over(before, after, chain)
                continue
            hosts = self.old.hosts_of(before, chain)
            served = {host for host in hosts if _is_served(after, host if chain.names else "")}
            for host in served if not chain.refuses else ():
                if chain.body not in to_be:
                    facet = _facet_of_chain(before, host, chain)
                    yield Hit(before.name, host, Effect.RECONNECTS, facet)
                if not is_kept:
                    yield Hit(before.name, host, Effect.RECONNECTS, ("own", before.name))
            yield from self._lost(before, chain, [host for host in hosts if host not in served])
            if chain.refuses:
                yield from self._let_in(before, after, chain)
        for chain in after.chains:
            if chain.body not in known:
                hosts = self.new.hosts_of(after, chain)
                fresh = [host for host in hosts if not _is_taken(before, host if chain.names else "")]
                yield from self._opened(after, chain, fresh)

    def _taken_over(self, before: Listener, after: Listener, chain: Chain) -> Iterator[Hit]:
        """Hosts that a chain keeps the connections of, though new ones are refused: they are no longer for it."""
        if chain.refuses:
            return
        for other in after.chains:
            for host in other.names if other.refuses else ():
                if _covers(chain, host) and _is_served(before, host):
                    effect = Effect.WITHDRAWS_H3 if before.transport == QUIC else Effect.UNSERVED
                    until = _until(self.old, chain, before, self.remembered)
                    yield Hit(before.name, host, effect, ("chain", before.name, host), until)

    def _let_in(self, before: Listener, after: Listener, refusing: Chain) -> Iterator[Hit]:
        """Hosts that were refused, and are served by a wildcard now."""
        for host in refusing.names:
            if after.taking(host) is not before.taking(host) and _is_served(after, host):
                yield Hit(before.name, host, Effect.OPENS, ("chain", before.name, host))

    def _opened(self, listener: Listener, chain: Chain, hosts: Iterable[str]) -> Iterator[Hit]:
        for host in hosts if not chain.refuses else ():
            yield Hit(listener.name, host, Effect.OPENS, _facet_of_chain(listener, host, chain))
            yield from _ridden(self.new, listener, chain, host)

    def _lost(self, listener: Listener, chain: Chain, hosts: Iterable[str]) -> Iterator[Hit]:
        until = _until(self.old, chain, listener, self.remembered)
        for host in hosts if not chain.refuses else ():
            stays = listener.transport == QUIC and self._is_served_over_tcp(listener, host, chain)
            effect = Effect.WITHDRAWS_H3 if stays else Effect.UNSERVED
            yield Hit(listener.name, host, effect, _facet_of_chain(listener, host, chain), until)
            yield from _ridden(self.old, listener, chain, host)

    def _is_served_over_tcp(self, mirror: Listener, host: str, chain: Chain) -> bool:
        name = host if chain.names else ""
        return any(
            one.where == mirror.where and one.transport != QUIC and _is_served(one, name)
            for one in self.new.listeners.values()
        )

    # --- what rides on them ------------------------------------------------------------------------

    def _parts(self, before: Listener, after: Listener) -> Iterator[Hit]:
        """Resources of their own, of a listener that there is before and after."""
        yield from self._routes(before, after)
        yield from self._backends(before, after)
        for chain in after.chains:
            if not chain.refuses:
                yield from self._certificates(before, after, chain)
                yield from self._said(before, after, chain)
        yield from self._filters(before, after)

    def _routes(self, before: Listener, after: Listener) -> Iterator[Hit]:
        tables = [chain.table for one in (before, after) for chain in one.chains]
        if before.body == after.body and not self.tables.intersection(tables):
            return
        name = before.name
        old, new = self.old.hosts(name), self.new.hosts(name)
        for domain in dict.fromkeys((*old, *new)):
            earlier, later = old.get(domain), new.get(domain)
            if earlier is None or later is None or earlier.body != later.body:
                effect = _of_requests(earlier or _around(old, domain), later or _around(new, domain))
                if effect is not None:
                    yield Hit(name, domain, effect, ("host", name, domain))
        yield from self._sent_away(before, after)

    def _sent_away(self, before: Listener, after: Listener) -> Iterator[Hit]:
        """Hosts that are no longer for a chain which stays: on its connections they get 421 (RFC 9110 section 15.5.20).

        Clients come again on others, where another chain takes them; else, over QUIC, they go back to TCP.
        """
        known = {chain.name: chain for chain in before.chains}
        served = self.new.hosts(after.name)
        for chain in after.chains:
            earlier = known.get(chain.name)
            if earlier is None or not (earlier.table and chain.table):
                continue
            had = self.old.table(earlier.table)
            for domain, host in self.new.table(chain.table).items():
                met = _around(had, domain) if host.is_of_others else None
                if met is None or not met.answers:
                    continue
                until = _until(self.old, earlier, before, self.remembered)
                if not served[domain].is_of_others or self._is_taken_apart(after, domain, chain):
                    effect, until = Effect.RECONNECTS, None
                elif before.transport == QUIC and self._is_served_over_tcp(after, domain, chain):
                    effect = Effect.WITHDRAWS_H3
                else:
                    effect = Effect.UNSERVED
                yield Hit(before.name, domain, effect, ("host", before.name, domain), until)

    @staticmethod
    def _is_taken_apart(listener: Listener, domain: str, chain: Chain) -> bool:
        """Does another chain take new connections for the domain, and pass them on?"""
        taking = listener.taking(domain)
        return taking is not None and taking is not chain and not taking.refuses and not taking.table

    def _backends(self, before: Listener, after: Listener) -> Iterator[Hit]:
        touched = self.clusters | self.endpoints.keys()
        if not touched:
            return
        name = before.name
        old, new = self.old.hosts(name), self.new.hosts(name)
        for domain, later in new.items():
            if domain in old:
                yield from self._reached(name, domain, old[domain].backends() & later.backends() & touched)
        known = {chain.name: chain.backends for chain in before.chains}
        for chain in after.chains:
            both = chain.backends & known.get(chain.name, frozenset()) & touched
            for host in self.new.hosts_of(after, chain) if both else ():
                yield from self._reached(name, host, both)

    def _reached(self, listener: str, host: str, names: Iterable[str]) -> Iterator[Hit]:
        for name in names:
            if name in self.clusters:
                yield Hit(listener, host, Effect.ENDPOINTS, ("cluster", name))
            if name in self.endpoints:
                yield Hit(listener, host, Effect.ENDPOINTS, ("endpoints", self.endpoints[name]))

    def _certificates(self, before: Listener, after: Listener, chain: Chain) -> Iterator[Hit]:
        """One that came is opened with; one that went stays with Envoy, which is told of it no more."""
        for secret in chain.secrets & self.secrets:
            is_new = self.old.body(SECRETS, secret) is None
            effect = Effect.OPENS if is_new else Effect.CERTIFICATE
            for host in self.new.hosts_of(after, chain):
                if _is_served(before, host if chain.names else ""):
                    yield Hit(after.name, host, effect, ("secret", secret))
        if WORKLOAD in chain.secrets and self.old.gateway.identity != self.new.gateway.identity:
            for host in self.new.hosts_of(after, chain):
                yield Hit(after.name, host, Effect.CERTIFICATE, ("identity",))

    def _said(self, before: Listener, after: Listener, chain: Chain) -> Iterator[Hit]:
        """What answers say of HTTP/3. That a promise comes or goes is told of the mirror alone."""
        for name in chain.extensions & self.extensions & self._announced & _extensions(before):
            was = promised(self.old.body(EXTENSION_CONFIGS, name))
            will = promised(self.new.body(EXTENSION_CONFIGS, name))
            is_mirror = after.transport == QUIC
            if _port(was) == _port(will):
                effect = Effect.ROUTES
            elif is_mirror:
                effect = Effect.WITHDRAWS_H3 if was else Effect.OPENS
            else:
                continue
            until = self.remembered.get((self.old.called, name)) if effect is Effect.WITHDRAWS_H3 else None
            for host in self.new.hosts_of(after, chain):
                yield Hit(after.name, host, effect, ("extension", name), until)

    def _filters(self, before: Listener, after: Listener) -> Iterator[Hit]:
        """Other filters that are resources of their own: who may do what, plugins."""
        for name in (_extensions(before) & _extensions(after) & self.extensions) - self._announced:
            yield Hit(after.name, None, Effect.ROUTES, ("extension", name))

    @cached_property
    def _announced(self) -> frozenset[str]:
        """The filters that say something of HTTP/3."""
        some = (self.old.gateway.model.announcements, self.new.gateway.model.announcements)
        return frozenset(one.name for announcements in some for one in announcements)


def _extensions(listener: Listener) -> frozenset[str]:
    return frozenset(name for chain in listener.chains for name in chain.extensions)


def _port(value: str) -> str:
    return value.partition(";")[0]


def _is_served(listener: Listener, name: str) -> bool:
    chain = listener.taking(name)
    return chain is not None and not chain.refuses


def _is_taken(listener: Listener, name: str) -> bool:
    """Is the very name served?"""
    chain = listener.by_name.get(name)
    return chain is not None and not chain.refuses


def _covers(chain: Chain, name: str) -> bool:
    return any(one in (chain.names or ("",)) for one in covering(name))


def _around(hosts: Mapping[str, VirtualHost], domain: str) -> VirtualHost | None:
    """The host of a wildcard that requests for a domain fall to, where nobody has the domain itself."""
    for name in covering(domain):
        if (found := hosts.get(name or "*")) is not None:
            return found
    return None


def _of_requests(before: VirtualHost | None, after: VirtualHost | None) -> Effect | None:
    """What happens to requests whose host changes."""
    if after is not None and after.is_of_others:
        return None  # nobody's but that server's, which is looked at by itself
    had, has = before is not None and before.answers, after is not None and after.answers
    if had and has:
        return Effect.ROUTES if before is None or after is None or before.body != after.body else None
    if not had and not has:
        return None if before is None or after is None else Effect.ROUTES
    return Effect.OPENS if has else Effect.UNSERVED
