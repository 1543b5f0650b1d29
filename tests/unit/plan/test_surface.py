import pytest

from mizzen.plan.surface import covering
from tests.harness.plans import QUIC, SITE, TCP, surface


def test_a_listener_and_its_mirror_are_at_one_place() -> None:
    found = surface(SITE).listeners

    assert {name: one.transport for name, one in found.items()} == {TCP: "tcp", QUIC: "quic"}
    assert found[TCP].where == found[QUIC].where == "0.0.0.0:8443"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.b.c", ["a.b.c", "*.b.c", "*.c", ""]),
        ("*.b.c", ["*.b.c", "*.c", ""]),
        ("c", ["c", ""]),
        ("", [""]),
    ],
)
def test_who_covers_a_name(name: str, expected: list[str]) -> None:
    assert list(covering(name)) == expected


def test_a_chain_takes_the_hosts_of_its_names_alone() -> None:
    one = surface(
        SITE.replace("hosts: [a.example.com]\n    tls", 'hosts: ["*.example.com"]\n    tls')
    ).listeners[TCP]

    assert one.taking("b.example.com") is one.taking("*.example.com") is one.chains[0]
    assert one.taking("example.com") is None


def test_hosts_are_told_by_domain() -> None:
    found = surface(SITE)

    assert list(found.hosts(TCP)) == ["a.example.com"]
    assert found.hosts(QUIC)["a.example.com"].backends() == {"outbound|80||web.internal"}
    assert found.hosts("no such listener") == {}


def test_what_is_the_same_is_taken_over() -> None:
    first = surface(SITE)
    first.hosts(TCP)
    second = surface(SITE, first)

    assert second.listeners[TCP] is first.listeners[TCP]
    assert second.hosts(TCP)["a.example.com"] is first.hosts(TCP)["a.example.com"]


def test_facets_of_what_there_is_not_are_none() -> None:
    one = surface(SITE)

    assert one.facet(("chain", TCP, "a.example.com")) == one.listeners[TCP].chains[0].body
    for facet in (
        ("chain", TCP, "b.example.com"),
        ("chain", "none", "a.example.com"),
        ("own", "none"),
        ("host", TCP, "b.example.com"),
        ("secret", "none"),
    ):
        assert one.facet(facet) is None
    assert one.facet(("start",)) == one.started_with
