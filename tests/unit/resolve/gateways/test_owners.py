"""Whose host a request is for: 421 on connections of another server. Judged by a simple reference, from YAML on."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pytest

from mizzen.model import Model
from mizzen.model.listener import HttpService, Listener, Transport
from mizzen.resolve import resolve
from mizzen.resolve.gateways import owners
from mizzen.resolve.gateways.owners import LISTED_HOSTS, wider
from mizzen.resolve.hosts import subset_of

REFUSED, PASSED, OK, NOT_FOUND, MISDIRECTED = "refused", "passed through", 200, 404, 421
HOSTS = (
    *("*", "*.t", "*.x.t", "*.a.x.t", "*.c.a.x.t", "*.y.t"),
    *("x.t", "a.x.t", "b.x.t", "c.a.x.t", "d.c.a.x.t", "y.t", "a.y.t", "z.u"),
)
ASKED = (*(host for host in HOSTS if "*" not in host), "q.t", "q.x.t", "q.a.x.t", "q.c.a.x.t", "nobody.v")


@dataclass(frozen=True)
class Server:
    """A server as a user writes it, and the hosts of its Gateway's VirtualServices (SNI, when it passes TLS on)."""

    name: str
    passes: bool
    hosts: tuple[str, ...]
    routed: tuple[str, ...]

    def yaml(self) -> str:
        tls = "{mode: PASSTHROUGH}" if self.passes else "{mode: SIMPLE, credentialName: cred}"
        text = (
            "---\napiVersion: networking.istio.io/v1\nkind: Gateway\n"
            f"metadata: {{name: {self.name}, namespace: team}}\nspec:\n  selector: {{}}\n  servers:\n"
            f"  - {{port: {{number: 443, name: tls, protocol: HTTPS}}, hosts: {quoted(self.hosts)}, tls: {tls}}}\n"
        )
        to = "route: [{destination: {host: back.team.svc.cluster.local, port: {number: 80}}}]"
        for number, host in enumerate(self.routed):
            rule = (
                f"tls: [{{match: [{{sniHosts: ['{host}']}}], {to}}}]" if self.passes else f"http: [{{{to}}}]"
            )
            text += (
                "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
                f"metadata: {{name: {self.name}-{number}, namespace: team}}\n"
                f"spec: {{hosts: ['{host}'], gateways: [{self.name}], {rule}}}\n"
            )
        return text


def quoted(hosts: tuple[str, ...]) -> str:
    return "[" + ", ".join(f"'{host}'" for host in hosts) + "]"


@pytest.fixture
def model_of(gateway, pair) -> Callable[[list[Server]], Model]:
    def make(servers: list[Server]) -> Model:
        found = gateway("".join(server.yaml() for server in servers) + pair("a.x.t").secret("cred"))
        assert len(found.ctx.world.gateways) == len(servers)
        return resolve(found.ctx)

    return make


# --- what a model answers, by the rules of Envoy ----------------------------------------------------


def most_exact(name: str, patterns: dict[str, Any]) -> Any:
    """`filter_chain_match.server_names` and `VirtualHost.domains`: exact, then the longest suffix, then "*"."""
    fitting = [one for one in patterns if subset_of(name, one)]
    return patterns[max(fitting, key=lambda one: ("*" not in one, len(one)))] if fitting else None


def answer(model: Model, transport: Transport, sni: str, authority: str) -> object:
    listener = next((one for one in model.listeners if one.transport is transport), None)
    if listener is None:
        return REFUSED
    chains: dict[str, Any] = {
        name: chain for chain in listener.chains for name in chain.server_names or ("*",)
    }
    chains |= dict.fromkeys(listener.refused, REFUSED)
    chain = most_exact(sni, chains)
    if chain is None or chain == REFUSED:
        return REFUSED
    if not isinstance(chain.serve, HttpService):
        return PASSED
    [table] = [one for one in model.route_tables if one.name == chain.serve.route_table]
    domains: dict[str, int] = {}
    for host in table.hosts.values():
        for domain in host.domains:
            assert domain not in domains, "Envoy refuses a table with a domain that stands twice"
            domains[domain] = OK if host.routes else NOT_FOUND
    for domain in table.misdirected:
        assert domain not in domains, "Envoy refuses a table with a domain that stands twice"
        domains[domain] = MISDIRECTED
    return most_exact(authority, domains) or NOT_FOUND


# --- what is right ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judge:
    """By definition, without a thought of speed."""

    servers: list[Server]

    @cached_property
    def ended(self) -> dict[str, Server]:
        """SNI -> the server that ends its TLS. For a server with "*" Envoy gets one chain, for any SNI."""
        found = {}
        for server in self.servers:
            if not server.passes:
                hosts = ["*"] if "*" in server.hosts else [host.lower() for host in server.hosts]
                found |= dict.fromkeys(hosts, server)
        return found

    @cached_property
    def connected(self) -> dict[str, Server]:
        """SNI -> the server that gets its connections over TCP."""
        found = dict(self.ended)
        for server in self.servers:
            for sni in server.routed if server.passes else ():
                names = {narrower(host.lower(), sni.lower()) for host in server.hosts} - {""}
                if not names & found.keys():  # an entry with a name that is taken goes as a whole
                    found |= dict.fromkeys(names, server)
        return found

    @cached_property
    def owned(self) -> dict[str, Server]:
        """Host -> the server that it belongs to."""
        passed = {host.lower(): server for server in self.servers if server.passes for host in server.hosts}
        return {**passed, **self.connected}

    def answer(self, sni: str, authority: str, *, quic: bool) -> object:
        owned = self.owned
        server = most_exact(sni, owned if quic else self.connected)
        if server is None:
            return REFUSED
        if server.passes:
            return REFUSED if quic else PASSED
        owner = most_exact(authority, owned)
        if owner is not None and owner is not server:
            return MISDIRECTED
        routed = owner is not None and any(subset_of(authority, host.lower()) for host in server.routed)
        return OK if routed else NOT_FOUND


def narrower(one: str, other: str) -> str:
    return one if subset_of(one, other) else other if subset_of(other, one) else ""


def some_servers(seed: int) -> list[Server]:
    """Servers whose hosts are disjoint, so that each takes part; some write all in capitals."""
    luck = random.Random(seed)
    hosts = list(HOSTS)
    luck.shuffle(hosts)
    found = []
    for number in range(luck.randint(1, 6)):
        own, hosts = hosts[: luck.randint(1, 3)], hosts[3:]
        written = str.upper if luck.random() < 0.2 else str.lower
        if own:
            found.append(
                Server(
                    name=f"gw{number}",
                    passes=luck.random() < 0.3,
                    hosts=tuple(map(written, own)),
                    routed=tuple(map(written, luck.sample(HOSTS, luck.randint(0, 4)))),
                )
            )
    return found


@pytest.mark.parametrize("listed", [LISTED_HOSTS, 0])
def test_the_answer_is_that_of_the_server_with_the_most_exact_host(
    listed: int, model_of, monkeypatch
) -> None:
    """Beyond the limit of listed hosts, one that nobody has gets 421 too, where any other server is."""
    monkeypatch.setattr(owners, "LISTED_HOSTS", listed)
    seen = set()
    for seed in range(100):
        servers = some_servers(seed)
        model, judge = model_of(servers), Judge(servers)
        for sni in ASKED:
            for authority in ASKED:
                for transport in (Transport.TCP, Transport.QUIC):
                    right = judge.answer(sni, authority, quic=transport is Transport.QUIC)
                    given = answer(model, transport, sni, authority)
                    nobodys = most_exact(authority, judge.owned) is None
                    fitting = (
                        {right, MISDIRECTED} if not listed and nobodys and right == NOT_FOUND else {right}
                    )
                    assert given in fitting, (servers, transport, sni, authority, right)
                    seen.add(given)
    assert seen == {REFUSED, PASSED, OK, NOT_FOUND, MISDIRECTED}


def test_the_host_of_a_server_that_takes_no_part_is_not_taken_by_a_wildcard(model_of) -> None:
    """Over QUIC it gets no handshake. Elsewhere it is a host that nobody has."""
    wide = Server("a-wide", False, ("*.x.t",), ("b.x.t", "*.x.t"))
    other = Server("b-other", False, ("a.y.t",), ())
    loses = Server("c-loses", False, ("b.x.t", "z.u", "a.y.t"), ("b.x.t",))
    model = model_of([wide, other, loses])

    assert answer(model, Transport.TCP, "q.x.t", "q.x.t") == OK
    assert answer(model, Transport.TCP, "q.x.t", "b.x.t") == MISDIRECTED
    assert answer(model, Transport.TCP, "b.x.t", "b.x.t") == MISDIRECTED
    assert answer(model, Transport.QUIC, "b.x.t", "b.x.t") == REFUSED
    assert answer(model, Transport.TCP, "q.x.t", "z.u") == NOT_FOUND


# --- size -------------------------------------------------------------------------------------------


def test_tables_stay_small_beside_thousands_of_hosts(model_of) -> None:
    """Each with a host of its own, below one wildcard or anywhere: as many 421 domains as hosts, not their square."""
    many = [Server(f"gw{i}", False, (f"h{i}.{'x' if i % 2 else f'z{i}'}.t",), ()) for i in range(150)]
    for wide in ("*.x.t", "*", "y.t"):
        tables = model_of([*many, Server("wide", False, (wide,), ())]).route_tables
        assert len(tables) == 151
        assert sum(len(table.misdirected) for table in tables) <= 2 * len(tables)


def test_the_wildcards_around_a_host() -> None:
    assert list(wider("a.b.c")) == ["*.b.c", "*.c", "*"]
    assert list(wider("*.b.c")) == ["*.c", "*"]
    assert list(wider("c")) == ["*"]
    assert list(wider("*")) == []


# --- what comes and goes ----------------------------------------------------------------------------


def still(listener: Listener, gone: str) -> Listener:
    """A listener without the chains of one Gateway."""
    return replace(listener, chains=tuple(one for one in listener.chains if one.origin.name != gone))


def test_a_server_that_comes_changes_no_chain_of_another(model_of) -> None:
    before = [Server("wide", False, ("*.x.t",), ("*.x.t",)), Server("mq", True, ("b.x.t",), ("b.x.t",))]
    comes = Server("z-comes", False, ("a.x.t",), ("a.x.t",))
    old, new = model_of(before), model_of([*before, comes])

    assert [still(one, "z-comes") for one in new.listeners] == list(old.listeners)
    tables = {table.name: table for table in new.route_tables}
    assert tables["https.443.tls.wide.team"].misdirected == ("a.x.t", "b.x.t")
