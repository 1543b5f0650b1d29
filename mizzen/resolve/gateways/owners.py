"""Which TLS server of an address a host belongs to, and which hosts another server must not answer.

A client may ask for any host on a connection that it has (RFC 9113 section 9.1.1), so the host of a request and the
SNI of its connection can belong to two servers. Each server has demands of its own (client certificates, versions),
and a VirtualService is bound to a Gateway: the request gets 421 (RFC 9110 section 15.5.20), and the client opens the
connection that it should have used.

A host belongs to the server that Envoy chooses for it by SNI (`filter_chain_match.server_names`): by its exact
name, then by the longest wildcard, then "*". Servers that pass TLS on have the hosts that they are written with and
what VirtualServices bring into them. What a server that takes no part asked for does not fall to the wildcard of
another: that one might ask less of clients.
"""

from collections.abc import Iterable, Iterator
from dataclasses import field

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.listener import Chain
from mizzen.resolve.gateways.servers import MergedServer, sni_names

EVERYTHING = "*"
# How many hosts of others the route tables of one address may list that lie outside their own wildcards. Those lists
# tell a host that somebody else has (421) from one that nobody has (404). With N servers they hold N * (N - 1) hosts:
# beyond this limit each table answers 421 to every host that is not its own.
LISTED_HOSTS = 4096
_ENDS_TLS = frozenset({"https", "tls"})


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a host."""

    name: str  # the route table of an HTTPS server, else a name that no table has
    ref: ResourceRef  # the Gateway; the VirtualService that brings an SNI
    at: str  # field path of the server, or of the match


@dataclass(frozen=True, slots=True)
class Owners:
    """The hosts of one address, as a tree: a host lies directly below the narrowest wildcard around it."""

    of: dict[str, Owner] = field(default_factory=dict)  # SNI (exact, "*.x" or "*") -> who has it
    # Route table -> hosts of others that lie directly below one of its own.
    below: dict[str, tuple[str, ...]] = field(default_factory=dict)
    top: tuple[str, ...] = ()  # the hosts that lie below no other
    listed: bool = True  # whether tables list those of `top`

    def owner(self, host: str) -> Owner | None:
        """Who has a host in lower case; of a wildcard, what it covers and nobody has more exactly."""
        return next((self.of[one] for one in (host, *wider(host)) if one in self.of), None)

    def misdirected(self, table: str) -> tuple[str, ...]:
        """The hosts that get 421 on connections of a route table's server, where it has none that is more exact."""
        outside = self.top if self.listed else (EVERYTHING,)
        others = (host for host in outside if host not in self.of or self.of[host].name != table)
        return tuple(sorted({*others, *self.below.get(table, ())}))

    def taken_from(self, tables: frozenset[str]) -> tuple[str, ...]:
        """The hosts of all others that a wildcard of one of these route tables would take by SNI."""
        found = []
        for host, owner in self.of.items():
            above = None if owner.name in tables else _above(host, self.of)
            if above is not None and self.of[above].name in tables:
                found.append(host)
        return tuple(sorted(found))


NOBODY = Owners()


def wider(host: str) -> Iterator[str]:
    """The wildcards around a host, the most exact first: "a.b.c" -> "*.b.c", "*.c", "*"."""
    rest = host.removeprefix("*.").partition(".")[2]
    while rest:
        yield f"*.{rest}"
        rest = rest.partition(".")[2]
    if host != EVERYTHING:
        yield EVERYTHING


def owners(servers: Iterable[MergedServer], lost: Iterable[MergedServer], chains: Iterable[Chain]) -> Owners:
    """The owners of one address: `servers` take part there, `chains` are theirs, and `lost` were left out."""
    sharing = tuple(servers)
    of: dict[str, Owner] = {}
    for server in sharing:
        if server.kind in _ENDS_TLS:
            _claim(of, server.server_names or (EVERYTHING,), _owner(server))
    for server in sharing:
        if server.kind == "passthrough":
            _claim(of, sni_names(server.hosts), _owner(server))
    for chain in chains:
        if chain.tls is None:
            _claim(of, chain.server_names, Owner(chain.name, chain.origin, chain.at))
    out = [server for server in lost if server.kind in _ENDS_TLS or server.kind == "passthrough"]
    fallen = {name: server for server in out for name in sni_names(server.hosts) if _above(name, of)}
    for name, server in fallen.items():
        _claim(of, (name,), _owner(server))
    return _tree(of, frozenset(server.route_table for server in sharing if server.kind == "https"))


def _claim(of: dict[str, Owner], hosts: Iterable[str], owner: Owner) -> None:
    for host in hosts:
        of.setdefault(host, owner)


def _owner(server: MergedServer) -> Owner:
    return Owner(server.route_table or f"{server.kind}/{server.key}/{server.at}", server.ref, server.at)


def _above(host: str, of: dict[str, Owner]) -> str | None:
    return next((one for one in wider(host) if one in of), None)


def _tree(of: dict[str, Owner], tables: frozenset[str]) -> Owners:
    below: dict[str, list[str]] = {}
    top = []
    for host, owner in of.items():
        above = _above(host, of)
        if above is None:
            top.append(host)
        elif of[above].name != owner.name:
            below.setdefault(of[above].name, []).append(host)
    listed = len(tables) * len(top) - sum(of[host].name in tables for host in top)
    return Owners(
        of=of,
        below={name: tuple(hosts) for name, hosts in below.items()},
        top=tuple(top),
        listed=top == [EVERYTHING] or listed <= LISTED_HOSTS,
    )
