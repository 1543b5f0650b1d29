"""Hosts that are not had over HTTP/3: how they stand apart in the table of TCP, and what the mirror says of them."""

from mizzen.errors import ResourceRef
from mizzen.model.route import Fail, Host, Route, RouteMatch, RouteTable
from mizzen.persistent import PersistentMap
from mizzen.resolve.routes.over_http3 import table_of_mirror, told_apart

REF = ResourceRef(kind="Gateway", name="web")
NAMED = ("*.b.test", "a.test")


def route(name: str) -> Route:
    return Route(name=name, match=RouteMatch(), action=Fail(status=500, because="x"), origin=REF, at="")


def table(*hosts: Host, misdirected: tuple[str, ...] = ()) -> RouteTable:
    by_name = PersistentMap({host.name: host for host in hosts})
    return RouteTable(name="https.443.https.web.shop", hosts=by_name, misdirected=misdirected, origin=REF)


def host(*domains: str) -> Host:
    return Host(name=f"{domains[0]}:443", domains=domains, routes=(route(domains[0]),))


def apart(one: RouteTable, *off: str) -> RouteTable:
    return told_apart(one, NAMED, off, 443)


def domains(one: RouteTable) -> dict[str, tuple[tuple[str, ...], bool]]:
    assert all(name == host.name for name, host in one.hosts.items())
    return {name: (host.domains, host.http3) for name, host in one.hosts.items()}


def test_a_host_that_is_off_is_by_itself_and_has_its_routes() -> None:
    found = apart(table(host("a.test", "x.b.test")), "a.test")

    assert domains(found) == {"a.test:443": (("a.test",), False), "x.b.test:443": (("x.b.test",), True)}
    assert {host.routes[0].name for host in found.hosts.values()} == {"a.test"}


def test_a_host_below_a_wildcard_has_the_routes_of_the_most_exact_wildcard_around_it() -> None:
    found = apart(table(host("*"), host("*.b.test"), host("a.test")), "x.b.test")

    assert domains(found)["x.b.test:443"] == (("x.b.test",), False)
    assert found.hosts["x.b.test:443"].routes[0].name == "*.b.test"


def test_a_host_without_any_route_gets_404_and_is_told_to_forget() -> None:
    found = apart(table(host("a.test")), "*.b.test")
    assert domains(found)["*.b.test:443"] == (("*.b.test",), False)
    assert found.hosts["*.b.test:443"].routes == ()


def test_a_host_of_another_server_stays_one() -> None:
    found = apart(table(host("a.test"), misdirected=("x.b.test",)), "x.b.test")
    assert domains(found) == {"a.test:443": (("a.test",), True)}


def test_all_that_falls_under_a_wildcard_that_is_off_is_off() -> None:
    found = apart(table(host("*.b.test"), host("x.b.test", "a.test")), "*.b.test")
    assert {one for domains, is_on in domains(found).values() if not is_on for one in domains} == {
        "*.b.test",
        "x.b.test",
    }


def test_the_mirror_answers_421_to_them() -> None:
    one = apart(table(host("*.b.test"), host("a.test"), misdirected=("z.test",)), "a.test", "x.b.test")
    mirror = table_of_mirror(one)

    assert mirror.name == "https.443.https.web.shop/h3"
    assert domains(mirror) == {"*.b.test:443": (("*.b.test",), True)}
    assert mirror.misdirected == ("a.test", "x.b.test", "z.test")
