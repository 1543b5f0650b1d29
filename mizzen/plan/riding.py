"""What happens to a host by what rides on its listener: routes, backends, certificates, filters. No connection is closed by it."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from mizzen.envoy.config import CLUSTERS, ENDPOINTS, EXTENSION_CONFIGS, ROUTES, SCOPED_ROUTES, SECRETS
from mizzen.envoy.scoped_route import parts_of_scope
from mizzen.model.backend import name_of_endpoints
from mizzen.model.tls import WORKLOAD
from mizzen.plan.chains import Chain
from mizzen.plan.effects import Effect
from mizzen.plan.hits import Hit, Remembered, is_served, is_served_over_tcp, remembered_until
from mizzen.plan.surface import QUIC, Listener, Surface, covering
from mizzen.plan.tables import VirtualHost, promised


class Riding:
    """The resources of their own of a gateway, before and after."""

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

    def hits(self, before: Listener, after: Listener) -> Iterator[Hit]:
        """Resources of their own, of a listener that there is before and after."""
        yield from self._routes(before, after)
        yield from self._backends(before, after)
        yield from self._listeners_own(after)
        had = _extensions(before)
        for chain in after.chains:
            if not chain.refuses:
                yield from self._certificates(before, after, chain)
                yield from self._said(had, after, chain)
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
                until = remembered_until(self.old, earlier, before, self.remembered)
                if not served[domain].is_of_others or self._is_taken_apart(after, domain, chain):
                    effect, until = Effect.RECONNECTS, None
                elif before.transport == QUIC and is_served_over_tcp(self.new, after, domain, chain):
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

    def _listeners_own(self, after: Listener) -> Iterator[Hit]:
        """Secrets that a listener itself goes by (the key of connection ids): connections that are open keep theirs."""
        for secret in self.secrets:
            if secret.encode() in after.own:
                yield Hit(after.name, None, Effect.CERTIFICATE, ("secret", secret))

    def _certificates(self, before: Listener, after: Listener, chain: Chain) -> Iterator[Hit]:
        """One that came is opened with; one that went stays with Envoy, which is told of it no more."""
        for secret in chain.secrets & self.secrets:
            is_new = self.old.body(SECRETS, secret) is None
            effect = Effect.OPENS if is_new else Effect.CERTIFICATE
            for host in self.new.hosts_of(after, chain):
                if is_served(before, host if chain.names else ""):
                    yield Hit(after.name, host, effect, ("secret", secret))
        if WORKLOAD in chain.secrets and self.old.gateway.identity != self.new.gateway.identity:
            for host in self.new.hosts_of(after, chain):
                yield Hit(after.name, host, Effect.CERTIFICATE, ("identity",))

    def _said(self, had: frozenset[str], after: Listener, chain: Chain) -> Iterator[Hit]:
        """What answers say of HTTP/3. That a promise comes or goes is told of the mirror alone. `had`: filters of the listener before."""
        for name in chain.extensions & self.extensions & self._announced:
            if name not in had:
                continue
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
