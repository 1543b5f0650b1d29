"""Resources are cut to what can be tried by itself."""

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.blame.authors import SCOPED_ROUTES, Authors
from mizzen.blame.pieces import chosen, cut, cut_routes, cut_to, members, parsed, routes
from mizzen.envoy.config import CLUSTERS, LISTENERS, ROUTES, SECRETS
from tests.unit.blame.test_suspects import TABLE, made, text


def table(*hosts: str) -> pb.RouteConfiguration:
    out = pb.RouteConfiguration(name="all")
    for host in hosts:
        added = out.virtual_hosts.add(name=host, domains=[host])
        for path in ("/a", "/b", "/c"):
            added.routes.add(match=pb.RouteMatch(prefix=path))
    return out


def names(message: Message) -> list[str]:
    return list(members(message))


def test_a_table_is_cut_to_hosts_and_these_to_routes() -> None:
    whole = table("x", "y", "z")

    one = cut(whole, ["y"])

    assert (names(whole), routes(whole)) == (["x", "y", "z"], 0)
    assert (names(one), routes(one)) == (["y"], 3)
    left = cut_routes(one, [0, 2])
    assert isinstance(left, pb.RouteConfiguration)
    assert [route.match.prefix for route in left.virtual_hosts[0].routes] == ["/a", "/c"]
    assert names(whole) == ["x", "y", "z"]  # it is as it was


def test_a_host_that_is_told_by_itself_is_cut_alike() -> None:
    scope = pb.ScopedRouteConfiguration(name="scope", route_configuration=table("x"))

    assert (names(scope), routes(scope)) == (["x"], 3)
    assert routes(cut_routes(scope, [1])) == 1
    assert routes(scope) == 3


def test_a_listener_is_cut_to_chains_where_these_have_names() -> None:
    listener = pb.Listener(filter_chains=[pb.FilterChain(name="x"), pb.FilterChain(name="y")])

    assert names(cut(listener, ["y"])) == ["y"]
    assert names(pb.Listener(filter_chains=[pb.FilterChain(), pb.FilterChain(name="y")])) == []
    assert names(pb.Listener(filter_chains=[pb.FilterChain(name="y"), pb.FilterChain(name="y")])) == []
    assert (names(pb.Cluster(name="x")), routes(pb.Cluster())) == ([], 0)


def test_what_is_no_more_in_another_version_is_nothing() -> None:
    assert cut_to(table("x"), ("y", "0")) is None
    assert cut_to(table("x", "y"), ("y", "0")) == table("y")
    assert cut_to(table("x"), ()) == table("x")


def test_resources_are_read_from_their_bytes_but_for_secrets() -> None:
    _, config, _ = made(text("one"))
    key = (LISTENERS, "0.0.0.0_8080")

    assert chosen(config.bodies, [key, (LISTENERS, "none")]) == {key: parsed(*_body(config.bodies, key))}
    every = chosen(config.bodies, None)
    assert {url for url, _ in every} >= {LISTENERS, ROUTES, CLUSTERS}
    assert not {url for url, _ in every} & {SECRETS}


def _body(bodies: object, key: tuple[str, str]) -> tuple[str, bytes]:
    url, name = key
    return url, bodies[url][name]  # type: ignore[index]


def test_a_host_that_is_told_by_itself_has_the_authors_of_its_routes() -> None:
    model, _, _ = made(text("one", "two"))
    prefix = "xdstp:///envoy.config.route.v3.ScopedRouteConfiguration"
    authors = Authors(model)

    def of(name: str) -> list[str]:
        return [f"{part.author.name} {part.at}" for part in authors.parts(SCOPED_ROUTES, name)]

    assert of(f"{prefix}/{TABLE}/two.test") == ["two spec.http[0]", "two spec.http[1]"]
    assert of(f"{prefix}/{TABLE}/-") == ["plain "]
    assert of(f"{prefix}/nothing/two.test") == of("two.test") == []
