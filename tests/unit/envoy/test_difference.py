"""A configuration that is made from the one before is the same as one that is made whole, and costs what differs."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from mizzen.envoy import config as translating
from mizzen.envoy import listeners, route_tables
from mizzen.envoy.config import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    ROUTES,
    SCOPED_ROUTES,
    EnvoyConfig,
    envoy_config,
)
from mizzen.envoy.scoped_route import scope_names
from mizzen.envoy.types import MESSAGES
from mizzen.errors import ResourceRef
from mizzen.model import Model
from mizzen.model.backend import Discovery, Protocol
from mizzen.model.listener import HttpService
from mizzen.model.route import Host, Redirect, Respond, Route, RouteTable, Scoped
from mizzen.model.tls import ClientTls
from mizzen.persistent import PersistentMap, by_name
from tests.harness import small_models as small

SAID = {f"alt-svc/{small.table_name('a.test')}": 'h3=":8443"; ma=86400'}
MUTUAL = ClientTls(certificate="default", verification=None, sni="x", alpn=("h2",))
TO_HTTPS = (small.route(Redirect(status=301, scheme="https")),)
DOMAINS = [f"{letter}.test" for letter in "abcdefghijkl"]


def host(name: str, *domains: str, status: int = 200, **rest: Any) -> Host:
    routes = (small.route(Respond(status=status)),)
    return Host(**{"name": name, "domains": domains or (name,), "routes": routes, **rest})


def site(scoped: Scoped = Scoped.ALWAYS, number: int = 3) -> Model:
    """Two servers; the first has some hosts, and refuses those of the second."""
    made = small.mirrored("a.test", "b.test")
    first, second = made.route_tables
    hosts = by_name(host(f"h{index}.test") for index in range(number))
    tables = (replace(first, hosts=hosts, misdirected=("x.test",), announcement="alt-svc/x"), second)
    return replace(made, route_tables=tables, scoped=scoped)


def with_table(model: Model, change: Callable[[RouteTable], RouteTable]) -> Model:
    first, *others = model.route_tables
    return replace(model, route_tables=(change(first), *others))


# --- any edits --------------------------------------------------------------------------------------


class Edits:
    """Random changes to a model."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def __call__(self, model: Model) -> Model:
        hosts = (self.change, self.change, self.remove, self.regroup, self.misdirect, self.wild)
        others = (self.announce, self.backend, self.chain, self.rename, self.again, self.server)
        return self.random.choice((*hosts, *others))(model)

    def change(self, model: Model) -> Model:
        """A host is new or other."""
        table = model.route_tables[0]
        others = {domain for one in table.hosts.values() for domain in one.domains if domain != one.name}
        free = [domain for domain in DOMAINS if domain not in {*table.misdirected, *others}]
        new = host(self.random.choice(free), status=self.random.choice((200, 201, 503)))
        return with_table(model, lambda _: replace(table, hosts=table.hosts.updated({new.name: new})))

    def remove(self, model: Model) -> Model:
        gone = self.random.choice(DOMAINS)
        return with_table(model, lambda table: replace(table, hosts=table.hosts.updated({}, [gone])))

    def regroup(self, model: Model) -> Model:
        """Domains go from host to host."""
        domains = DOMAINS[:]
        self.random.shuffle(domains)
        hosts = [host(domains[0], *domains[:3]), host(domains[3], *domains[3:5]), host(domains[5])]
        return with_table(model, lambda table: replace(table, hosts=by_name(hosts), misdirected=()))

    def misdirect(self, model: Model) -> Model:
        there = {domain for one in model.route_tables[0].hosts.values() for domain in one.domains}
        free = [domain for domain in DOMAINS if domain not in there]
        some = tuple(sorted(self.random.sample(free, min(2, len(free)))))
        return with_table(model, lambda table: replace(table, misdirected=some))

    def announce(self, model: Model) -> Model:
        name = self.random.choice((None, "alt-svc/x", "alt-svc/y"))
        return with_table(model, lambda table: replace(table, announcement=name))

    def backend(self, model: Model) -> Model:
        discovery = self.random.choice((Discovery.ENDPOINTS, Discovery.FIXED, Discovery.NONE))
        name, port = self.random.choice("pqr"), self.random.randint(1, 9)
        protocol, tls = self.random.choice(((Protocol.UNKNOWN, None), (Protocol.NEGOTIATED, MUTUAL)))
        new = small.backend(name, port=port, discovery=discovery, protocol=protocol, tls=tls)
        gone = [self.random.choice("pqr")] if self.random.random() < 0.3 else []
        return replace(model, backends=model.backends.updated({new.name: new}, gone))

    def chain(self, model: Model) -> Model:
        """The chains of one listener are fewer, or in another order, or one is other."""
        first, *others = model.listeners
        chains = list(first.chains)
        self.random.shuffle(chains)
        changed = replace(chains[0], application_protocols=(self.random.choice(("h2", "http/1.1")),))
        return replace(model, listeners=(replace(first, chains=(changed, *chains[1:])), *others))

    def rename(self, model: Model) -> Model:
        """What all chains of a listener share is other."""
        hops = self.random.randint(0, 3)
        return replace(
            model,
            listeners=tuple(
                replace(one, edge=replace(one.edge, trusted_hops=hops)) for one in model.listeners
            ),
        )

    def again(self, model: Model) -> Model:
        """Equal parts that are other objects."""
        hosts = by_name(replace(one) for one in model.route_tables[0].hosts.values())
        return replace(
            with_table(model, lambda table: replace(table, hosts=hosts)),
            listeners=tuple(replace(one, chains=tuple(map(replace, one.chains))) for one in model.listeners),
            backends=by_name(replace(one) for one in model.backends.values()),
            certificates=tuple(map(replace, model.certificates)),
        )

    def wild(self, model: Model) -> Model:
        """A wildcard comes, and goes."""
        change = {"*.w": host("*.w", "*.w")} if self.random.random() < 0.5 else {}
        return with_table(
            model, lambda table: replace(table, hosts=table.hosts.updated(change, {"*.w"} - change.keys()))
        )

    def server(self, model: Model) -> Model:
        """The second server goes, or comes."""
        if len(model.route_tables) == 2:
            return replace(model, route_tables=model.route_tables[:1], certificates=model.certificates[:1])
        whole = site()
        return replace(
            model, route_tables=(*model.route_tables, whole.route_tables[1]), certificates=whole.certificates
        )


@pytest.mark.parametrize("scoped", Scoped)
@pytest.mark.parametrize("seed", range(12))
def test_by_difference_is_as_whole(seed: int, scoped: Scoped) -> None:
    edit, model = Edits(seed), site(scoped)
    made = envoy_config(model, SAID)
    for _ in range(40):
        model = edit(model)
        said = {**SAID, f"alt-svc/{small.table_name('b.test')}": edit.random.choice((None, "clear"))}
        made = envoy_config(model, said, made)
        whole = envoy_config(model, said, None, made.scoped)

        for url, named in whole.bodies.items():
            for body in named.values():
                assert MESSAGES[url].FromString(body).SerializeToString(deterministic=True) == body
            if url != SCOPED_ROUTES or not made.faults:
                assert made.bodies[url] == named
        # Where a table is scoped no more, connections that drain have their scopes.
        scopes = {name for table in model.route_tables for name in scope_names(table)}
        assert made.bodies[SCOPED_ROUTES].keys() <= scopes
        assert {one.code for one in made.problems} <= {"RT-006"}


# --- what it costs ----------------------------------------------------------------------------------


@pytest.fixture
def translated(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of all that is translated."""
    names: list[str] = []
    for module, function in (
        (route_tables, "virtual_host"),
        (listeners, "filter_chain"),
        (translating, "cluster"),
        (translating, "cluster_load_assignment"),
        (translating, "tls_secret"),
        (translating, "typed_extension_config"),
    ):
        original = getattr(module, function)

        def counted(part: Any, *rest: Any, _made: Any = original, _name: str = function, **more: Any) -> Any:
            names.append(f"{_name} {part if isinstance(part, str) else part.name}")
            return _made(part, *rest, **more)

        monkeypatch.setattr(module, function, counted)
    return iter([names])


CHANGES: list[tuple[Callable[[Model], Model], list[str]]] = [
    (lambda model: model, []),
    (
        lambda model: with_table(
            model,
            lambda table: replace(table, hosts=table.hosts.updated({"h1.test": host("h1.test", status=404)})),
        ),
        ["virtual_host h1.test"],
    ),
    (
        lambda model: with_table(
            model, lambda table: replace(table, hosts=table.hosts.updated({}, ["h1.test"]))
        ),
        [],
    ),
    (
        lambda model: replace(model, backends=model.backends.updated({"p": small.backend("p")})),
        ["cluster p", "cluster_load_assignment p"],
    ),
    (
        lambda model: replace(
            model, certificates=tuple(replace(one, chain=b"x") for one in model.certificates[:1])
        ),
        ["tls_secret kubernetes://a.test"],
    ),
]


@pytest.mark.parametrize("scoped", [Scoped.ALWAYS, Scoped.NEVER])
@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_only_what_differs_is_translated(
    change: Callable[[Model], Model], expected: list[str], scoped: Scoped, translated: Iterator[list[str]]
) -> None:
    names = next(translated)
    model = site(scoped)
    before = envoy_config(model, SAID)
    names.clear()

    after = envoy_config(change(model), SAID, before)

    assert names == expected
    unchanged = [url for url, named in after.bodies.items() if named is before.bodies[url]]
    assert EXTENSION_CONFIGS in unchanged
    if not expected or "cluster" not in expected[0]:
        assert {CLUSTERS, ENDPOINTS} <= set(unchanged)


def test_one_changed_host_is_one_changed_resource() -> None:
    model = site(Scoped.AUTO, number=1000)
    before = envoy_config(model, SAID)
    new = host("h7.test", status=404)
    changed = with_table(model, lambda table: replace(table, hosts=table.hosts.updated({new.name: new})))

    after = envoy_config(changed, SAID, before)

    difference = after.bodies[SCOPED_ROUTES].difference(before.bodies[SCOPED_ROUTES])
    [(name, body)] = difference.changed.items()
    assert name.endswith(f"/{FIRST}/h7.test")
    assert len(body) < 600
    assert not difference.removed
    assert [url for url, named in after.bodies.items() if named is not before.bodies[url]] == [SCOPED_ROUTES]


# --- how tables are sent ----------------------------------------------------------------------------

FIRST = small.table_name("a.test")


def sent(made: EnvoyConfig) -> tuple[bool, bool]:
    """Whether the first table goes as one resource, and whether host by host."""
    return FIRST in made.bodies[ROUTES], any(f"/{FIRST}/" in name for name in made.bodies[SCOPED_ROUTES])


@pytest.mark.parametrize(
    ("scoped", "number", "expected"),
    [
        (Scoped.NEVER, 1000, (True, False)),
        (Scoped.AUTO, 99, (True, False)),
        (Scoped.AUTO, 100, (False, True)),
        (Scoped.ALWAYS, 1, (False, True)),
    ],
)
def test_how_a_table_is_sent(scoped: Scoped, number: int, expected: tuple[bool, bool]) -> None:
    made = envoy_config(site(scoped, number), SAID)
    assert sent(made) == expected
    assert made.scoped[FIRST] is expected[1]
    managers = [
        chain.serve
        for one in made.model.listeners
        for chain in one.chains
        if isinstance(chain.serve, HttpService)
    ]
    assert managers


@pytest.mark.parametrize(
    "change",
    [
        lambda table: replace(table, hosts=table.hosts.updated({"*.w": host("*.w", "*.w")})),
        lambda table: replace(table, hosts=table.hosts.updated({"v6": host("v6", "[::1]")})),
        lambda table: replace(
            table, hosts=table.hosts.updated({"*": host("*", "*", routes=(), to_https=TO_HTTPS)})
        ),
        lambda table: replace(table, misdirected=("*",)),
        lambda table: replace(table, misdirected=("*.x.test",)),
        lambda table: replace(table, port_in_domains=True),
        lambda table: replace(table, name="a/b"),
    ],
)
def test_what_cannot_be_scoped_is_not(change: Callable[[RouteTable], RouteTable]) -> None:
    made = envoy_config(with_table(site(), change), SAID)
    assert not made.scoped[made.model.route_tables[0].name]
    assert not made.problems


def test_a_wildcard_that_answers_404_is_as_no_scope() -> None:
    nothing = host("*", "*", routes=())
    made = envoy_config(with_table(site(), lambda table: replace(table, hosts=by_name([nothing]))), SAID)
    assert made.scoped[FIRST]
    assert [name.rpartition("/")[2] for name in made.bodies[SCOPED_ROUTES] if FIRST in name] == [
        "-",
        "x.test",
    ]


def test_what_was_decided_stays() -> None:
    small_site, large_site = site(Scoped.AUTO, 10), site(Scoped.AUTO, 1000)
    assert sent(envoy_config(large_site, SAID, envoy_config(small_site, SAID))) == (True, False)
    assert sent(envoy_config(small_site, SAID, envoy_config(large_site, SAID))) == (False, True)


@pytest.mark.parametrize("kept", [True, False])
def test_what_an_earlier_process_decided_stays(kept: bool) -> None:
    for number in (10, 1000):
        made = envoy_config(site(Scoped.AUTO, number), SAID, None, {FIRST: kept})
        assert made.scoped[FIRST] is kept


def test_a_wildcard_that_comes_is_told_and_drops_nothing() -> None:
    before = envoy_config(site(), SAID)
    author = ResourceRef(kind="VirtualService", namespace="shop", name="wild")
    wild = host("*.w", "*.w", routes=(replace(routed(), origin=author),))
    model = with_table(site(), lambda table: replace(table, hosts=table.hosts.updated({wild.name: wild})))

    after = envoy_config(model, SAID, before)

    assert sent(after) == (True, True)
    assert before.bodies[SCOPED_ROUTES].items() <= after.bodies[SCOPED_ROUTES].items()
    [problem] = after.problems
    assert (problem.code, problem.resource) == ("RT-006", author)
    later = envoy_config(site(), SAID, after)  # the wildcard is gone again
    assert sent(later) == (True, True)
    assert later.problems == after.problems


def routed() -> Route:
    return small.route(Respond(status=200))


def test_a_scope_leads_to_its_author() -> None:
    author = ResourceRef(kind="VirtualService", namespace="shop", name="mine")
    mine = host("mine.test", routes=(replace(routed(), origin=author),))
    model = with_table(site(), lambda table: replace(table, hosts=table.hosts.updated({mine.name: mine})))
    made = envoy_config(model, SAID)
    [name] = [name for name in made.bodies[SCOPED_ROUTES] if name.endswith("/mine.test")]
    [other] = [name for name in made.bodies[SCOPED_ROUTES] if name.endswith("/x.test")]
    assert made.origin(SCOPED_ROUTES, name) == author
    assert made.origin(SCOPED_ROUTES, other) == model.route_tables[0].origin
    assert isinstance(made.faults, PersistentMap)
