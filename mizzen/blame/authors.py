"""Who wrote each part of an Envoy resource, down to the route, the chain, the rule of a policy. Pure.

Computed from a Model when something was refused, never for an ordinary change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from mizzen._api import pb
from mizzen.envoy.config import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    LISTENERS,
    ROUTES,
    SECRETS,
    type_url,
)
from mizzen.envoy.filters import access_policies
from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.authorization import Access
from mizzen.model.backend import Backend, name_of_endpoints
from mizzen.model.listener import AccessPolicies, Chain, HttpService, Listener
from mizzen.model.quic import ConnectionIdKey
from mizzen.model.route import Forward, Host, Route, RouteTable
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.patch.stage import patches_for
from mizzen.persistent import PersistentMap

SCOPED_ROUTES = type_url(pb.ScopedRouteConfiguration)
# xdstp names of scopes: table/domain behind this.
_SCOPES = f"xdstp:///{pb.ScopedRouteConfiguration.DESCRIPTOR.full_name}/"
_NOBODY = ResourceRef(kind="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an Envoy resource that one object wrote. Several may have written the same part."""

    where: tuple[str, ...] = ()  # within the resource: (host, number of its route), (chain, "access")
    author: ResourceRef
    at: str = ""  # field path in the author
    everywhere: bool = False  # it may have changed any place within the resource, or all of them
    value: object = field(default=None, repr=False)  # equal where the part is the same; may hold a key


class Authors:
    """The authors of all that one model becomes."""

    def __init__(self, model: Model) -> None:
        self._listeners = {one.name: one for one in model.listeners}
        self._tables = {one.name: one for one in model.route_tables}
        self._backends = {one.name: one for one in model.backends.values()}
        self._secrets: dict[str, Certificate | TrustedCa | ConnectionIdKey] = {
            one.name: one for one in model.certificates
        }
        self._secrets |= {one.name: one for one in model.trusted_cas}
        self._secrets |= {one.name: one for one in model.connection_id_keys}
        self._policies = model.access_policies
        self._announcements = {one.name: one for one in model.announcements}
        self._patches = model.patches

    def parts(self, url: str, name: str) -> tuple[Part, ...]:
        """All parts of the resource (type URL, name), in their order; () for one that there is not."""
        return (*self._parts(url, name), *self._patches_for(url))

    def _patches_for(self, url: str) -> Iterator[Part]:
        """EnvoyFilters say last what a resource is; which resources one is for, a trial shows."""
        for patch in patches_for(url, self._patches):
            yield Part(author=patch.origin, at=patch.at, everywhere=True, value=patch)

    def _parts(self, url: str, name: str) -> Iterator[Part]:
        if url == LISTENERS and (listener := self._listeners.get(name)):
            yield from _of_listener(listener)
        elif url == ROUTES and (table := self._tables.get(name)):
            yield from _of_table(table, self._backends)
        elif url == SCOPED_ROUTES:
            yield from self._of_scope(name)
        elif url == CLUSTERS and (backend := self._backends.get(name)):
            yield from _of_backend(backend)
        elif url == ENDPOINTS and (backend := self._backends.get(name_of_endpoints(name))):
            yield Part(author=backend.origin, value=backend.groups)
        elif url == SECRETS and (secret := self._secrets.get(name)):
            yield Part(author=secret.origin, value=secret)
        elif url == EXTENSION_CONFIGS and name == access_policies.NAME and self._policies:
            yield from _of_access(self._policies.access, self._policies.origin)
            yield from _of_tokens(self._policies)
            for plugin in self._policies.plugins:
                yield Part(where=("plugins",), author=plugin.origin, value=plugin)
        elif url == EXTENSION_CONFIGS and (announcement := self._announcements.get(name)):
            yield Part(author=announcement.origin, value=announcement)

    def _of_scope(self, name: str) -> Iterator[Part]:
        """One exact domain of a route table, told by itself."""
        called, _, domain = name.removeprefix(_SCOPES).partition("/")
        if name.startswith(_SCOPES) and (table := self._tables.get(called)):
            hosts = [host for host in table.hosts.values() if domain in host.domains]
            for host in hosts:
                yield from _of_host(host, self._backends)
            if not hosts:
                yield Part(author=table.origin, value=domain)


def _of_listener(listener: Listener) -> Iterator[Part]:
    """What is not of a chain is of the Gateway that opened the address."""
    yield Part(author=listener.origin, value=replace(listener, chains=(), origin=_NOBODY))
    for chain in listener.chains:
        yield from _of_chain(chain)


def _of_chain(chain: Chain) -> Iterator[Part]:
    serve = chain.serve
    access = () if isinstance(serve, HttpService) else serve.access
    bare = serve if isinstance(serve, HttpService) else replace(serve, access=())
    yield Part(where=(chain.name,), author=chain.origin, at=chain.at, value=replace(chain, serve=bare))
    yield from _of_access(access, chain.origin, chain.name)


def _of_access(access: tuple[Access, ...], asker: ResourceRef, *within: str) -> Iterator[Part]:
    for one in access:
        for rule in one.rules:
            where, author = (*within, "access"), rule.origin or asker
            yield Part(where=where, author=author, at=rule.at, value=(one.deny, one.authorizer, rule))


def _of_tokens(policies: AccessPolicies) -> Iterator[Part]:
    for rule in policies.tokens:
        yield Part(where=("tokens",), author=rule.origin or policies.origin, at=rule.at, value=rule)


def _of_table(table: RouteTable, backends: Mapping[str, Backend]) -> Iterator[Part]:
    yield Part(author=table.origin, value=replace(table, hosts=PersistentMap(), origin=_NOBODY))
    for host in table.hosts.values():
        yield from _of_host(host, backends)


def _of_host(host: Host, backends: Mapping[str, Backend]) -> Iterator[Part]:
    shared = replace(host, routes=())
    for index, route in enumerate(host.routes):
        where = (host.name, str(index))
        yield Part(where=where, author=route.origin, at=route.at, value=(shared, route))
        yield from _of_action(route, where, backends)


def _of_action(route: Route, where: tuple[str, ...], backends: Mapping[str, Backend]) -> Iterator[Part]:
    """How a backend balances may stand in the routes that lead to it."""
    if isinstance(route.action, Forward) and route.action.hash_on:
        for to in route.action.to:
            backend = backends.get(to.backend)
            if backend is not None and backend.policy_origin is not None:
                yield Part(where=where, author=backend.policy_origin, value=route.action.hash_on)


def _of_backend(backend: Backend) -> Iterator[Part]:
    """Envoy refuses a cluster for how it is treated, and that is what a DestinationRule says: it comes last."""
    yield Part(author=backend.origin, value=replace(backend, groups=()))
    if backend.policy_origin is not None:
        yield Part(author=backend.policy_origin, value=replace(backend, groups=()))
