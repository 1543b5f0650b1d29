"""What one Envoy is told, taken apart as far as it matters to connections.

Parts that are the same bytes as those of an earlier surface are taken over from it.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.config import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    LISTENERS,
    ROUTES,
    SCOPED_ROUTES,
    SECRETS,
    EnvoyConfig,
)
from mizzen.envoy.scoped_route import parts_of_scope
from mizzen.lazy import dataclass
from mizzen.pipeline import GatewayBuild
from mizzen.plan.chains import Chain, chain_of
from mizzen.plan.effects import Facet
from mizzen.plan.tables import VirtualHost, virtual_hosts
from mizzen.proxy.asked import proxy_value
from mizzen.resolve.context import ByService
from mizzen.status import FROM_THE_START

TCP, QUIC = "tcp", "quic"

# Kinds of parts by name: the type URL that they are of.
BY_NAME = {"secret": SECRETS, "cluster": CLUSTERS, "endpoints": ENDPOINTS, "extension": EXTENSION_CONFIGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address that is open."""

    name: str
    transport: str
    where: str  # address and port, which a TCP listener and its mirror have alike
    body: bytes
    own: bytes  # all but its chains
    chains: tuple[Chain, ...]
    by_name: Mapping[str, Chain]  # by SNI, "" for any

    @property
    def port(self) -> int:
        """That it is bound to."""
        return int(self.where.rpartition(":")[2])

    def taking(self, name: str) -> Chain | None:
        """The chain that takes connections for a host: that of the most exact name ("": any)."""
        known = self.by_name
        for candidate in covering(name):
            if candidate in known:
                return known[candidate]
        return None


def covering(name: str) -> Iterator[str]:
    """The name, the wildcards around it, the most exact first, and "" for any."""
    yield name
    rest = name.removeprefix("*.")
    while rest:
        _, dot, rest = rest.partition(".")
        if dot and f"*.{rest}" != name:
            yield f"*.{rest}"
    if name:
        yield ""


class Surface:
    """One gateway's Envoy."""

    def __init__(self, gateway: GatewayBuild, config: EnvoyConfig, like: "Surface | None" = None) -> None:
        """`like`: an earlier one, that may have parts in common with this."""
        self.gateway, self.config = gateway, config
        self.listeners = dict(_listeners(config, like))
        self._like = like
        self._tables: dict[str, Mapping[str, VirtualHost]] = {}
        self._by_listener: dict[str, Mapping[str, VirtualHost]] = {}

    @property
    def called(self) -> str:
        """What users call the gateway."""
        return self.gateway.proxy.called

    @cached_property
    def started_with(self) -> Mapping[str, object]:
        """What its Envoy has from its start on."""
        value = proxy_value(self.gateway)
        return {name: getattr(value, name) for name in FROM_THE_START}

    @cached_property
    def dialled(self) -> Mapping[tuple[str, int], frozenset[int]]:
        """The ports of Services that clients dial, by transport and bound port; {} where they dial bound ports."""
        proxy = self.gateway.proxy
        found: dict[tuple[str, int], set[int]] = {}
        for target in proxy.targets if isinstance(proxy.external_ports, ByService) else ():
            found.setdefault((QUIC if target.udp else TCP, target.target_port), set()).add(target.port)
        return {bound: frozenset(ports) for bound, ports in found.items()}

    def body(self, url: str, name: str) -> bytes | None:
        """A resource."""
        found: bytes | None = self.config.bodies[url].get(name)
        return found

    @cached_property
    def scopes(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the scopes of each route table."""
        found: dict[str, list[str]] = {}
        for name in self.config.bodies[SCOPED_ROUTES]:
            found.setdefault(parts_of_scope(name)[0], []).append(name)
        return {table: tuple(names) for table, names in found.items()}

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The names of its route tables."""
        return tuple(dict.fromkeys((*self.config.bodies[ROUTES], *self.scopes)))

    def table(self, name: str) -> Mapping[str, VirtualHost]:
        """The hosts of a route table by their domains."""
        if name not in self._tables:
            bodies = self._bodies_of_table(name)
            earlier = self._like
            if earlier is not None and name in earlier._tables and earlier._bodies_of_table(name) == bodies:
                self._tables[name] = earlier._tables[name]
            else:
                self._tables[name] = virtual_hosts(*bodies)
        return self._tables[name]

    def _bodies_of_table(self, name: str) -> tuple[bytes | None, tuple[bytes, ...]]:
        scopes = self.config.bodies[SCOPED_ROUTES]
        return self.body(ROUTES, name), tuple(scopes[one] for one in self.scopes.get(name, ()))

    def hosts(self, listener: str) -> Mapping[str, VirtualHost]:
        """The hosts that are told apart by requests, of all chains of a listener, by their domains."""
        if listener not in self._by_listener:
            found: dict[str, VirtualHost] = {}
            one = self.listeners.get(listener)
            for table in dict.fromkeys(chain.table for chain in one.chains if chain.table) if one else ():
                for domain, host in self.table(table).items():
                    if domain not in found or host.answers:
                        found[domain] = host
            self._by_listener[listener] = found
        return self._by_listener[listener]

    def hosts_of(self, listener: Listener, chain: Chain) -> tuple[str, ...]:
        """What the clients of a chain call it by: SNI, else the hosts of its routes, else "*". Not what gets 421 there."""
        found = self.table(chain.table) if chain.table else {}
        if chain.names:
            return tuple(name for name in chain.names if name not in found or not found[name].is_of_others)
        return tuple(domain for domain, host in found.items() if host.answers) or ("*",)

    def facet(self, facet: Facet) -> object:
        """The value of a part, to be held against that of another surface; None where there is none."""
        kind, *names = facet
        if kind in BY_NAME:
            return self.body(BY_NAME[kind], names[0])
        if kind == "start":
            return self.started_with
        if kind == "identity":
            return self.gateway.identity
        if kind == "dialled":
            return self.dialled.get((names[0], int(names[1])))
        if kind == "host":
            host = self.hosts(names[0]).get(names[1])
            return host.body if host is not None else None
        listener = self.listeners.get(names[0])
        if listener is None or kind == "own":
            return listener.own if listener is not None else None
        chain = listener.taking(names[1])
        return chain.body if chain is not None else None


def _listeners(config: EnvoyConfig, like: Surface | None) -> Iterator[tuple[str, Listener]]:
    for name, body in config.bodies[LISTENERS].items():
        known = like.listeners.get(name) if like is not None else None
        yield name, known if known is not None and known.body == body else _listener(name, body, known)


def _listener(name: str, body: bytes, like: Listener | None) -> Listener:
    message = pb.Listener.FromString(body)
    known = {chain.body: chain for chain in like.chains} if like is not None else {}
    chains = []
    for one in message.filter_chains:
        content = one.SerializeToString(deterministic=True)
        chains.append(known[content] if content in known else chain_of(one, content))
    own = _without_chains(message)
    return Listener(
        name=name,
        transport=QUIC if message.HasField("udp_listener_config") else TCP,
        where=_where(message),
        body=body,
        own=own.SerializeToString(deterministic=True),
        chains=tuple(chains),
        by_name={name: chain for chain in chains for name in (chain.names or ("",))},
    )


def _without_chains(message: pb.Listener) -> Message:
    """All that Envoy does not change in place (`ListenerMessageUtil::filterChainOnlyChange`)."""
    own = pb.Listener()
    own.CopyFrom(message)
    for name in ("filter_chains", "default_filter_chain", "filter_chain_matcher"):
        own.ClearField(name)
    return own


def _where(message: pb.Listener) -> str:
    socket = message.address.socket_address
    return f"{socket.address}:{socket.port_value}"
