import pytest

from mizzen._api import pb
from mizzen.envoy.config import EXTENSION_CONFIGS
from mizzen.pipeline import Settings
from mizzen.plan.surface import Surface
from mizzen.plan.tables import promised, virtual_hosts
from tests.harness.plans import SITE, TCP, gateway_of, surface


def table(*hosts: pb.VirtualHost) -> bytes:
    return pb.RouteConfiguration(name="t", virtual_hosts=hosts).SerializeToString()


def host(*domains: str, route: str = "", name: str = "h") -> pb.VirtualHost:
    routes = [pb.Route(name=route, match=pb.RouteMatch(prefix="/"))] if route else []
    return pb.VirtualHost(name=name, domains=domains, routes=routes)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [("a.test", "a.test"), ("a.test:443", "a.test"), ("a.test:*", "a.test"), ("*", "*"), ("::1", "::1")],
)
def test_domains_are_told_without_ports(domain: str, expected: str) -> None:
    assert list(virtual_hosts(table(host(domain)), ())) == [expected]


@pytest.mark.parametrize(
    ("one", "answers", "is_of_others"),
    [
        (host("a.test", route="r"), True, False),
        (host("a.test"), False, False),
        (host("a.test", route="no-route"), False, False),
        (host("a.test", route="misdirected", name="misdirected"), False, True),
    ],
)
def test_who_answers(one: pb.VirtualHost, answers: bool, is_of_others: bool) -> None:
    [found] = virtual_hosts(table(one), ()).values()

    assert (found.answers, found.is_of_others) == (answers, is_of_others)


def test_host_by_host_or_as_a_whole_it_is_the_same_host() -> None:
    scoped = gateway_of(SITE, Settings(environment={"MIZZEN_SCOPED_ROUTES": "always"}))
    one = Surface(scoped, scoped.config({}))

    assert one.config.scoped == {"https.443.https.web.istio-system": True}
    assert one.hosts(TCP)["a.example.com"].body == surface(SITE).hosts(TCP)["a.example.com"].body


def test_what_an_announcement_promises() -> None:
    found = surface(SITE)
    body = found.body(EXTENSION_CONFIGS, "alt-svc/https.443.https.web.istio-system")

    assert promised(body) == 'h3=":8443"; ma=86400'
    assert promised(None) == ""
    assert promised(found.body(EXTENSION_CONFIGS, "mizzen.access_policies")) == ""
