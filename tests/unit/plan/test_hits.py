from datetime import UTC, datetime

from mizzen.plan.hits import covers, facet_of_chain, is_served, is_served_over_tcp, is_taken, remembered_until
from tests.harness.plans import QUIC, SITE, TCP, surface

AT = datetime(2026, 1, 1, tzinfo=UTC)
WIDE = SITE.replace("hosts: [a.example.com]\n    tls", 'hosts: ["*.example.com"]\n    tls')


def test_a_wildcard_serves_hosts_that_it_does_not_name() -> None:
    one = surface(WIDE).listeners[TCP]

    assert (is_served(one, "b.example.com"), is_taken(one, "b.example.com")) == (True, False)
    assert (is_served(one, "*.example.com"), is_taken(one, "*.example.com")) == (True, True)
    assert not is_served(one, "example.org")
    assert covers(one.chains[0], "b.example.com")
    assert not covers(one.chains[0], "example.com")
    assert facet_of_chain(one, "b.example.com", one.chains[0]) == ("chain", TCP, "b.example.com")


def test_only_mirrors_are_remembered() -> None:
    found = surface(SITE)
    remembered = {(found.called, "alt-svc/https.443.https.web.istio-system"): AT}

    for name, until in ((TCP, None), (QUIC, AT)):
        one = found.listeners[name]
        assert remembered_until(found, one.chains[0], one, remembered) == until
        assert remembered_until(found, one.chains[0], one, {}) is None


def test_a_mirror_has_its_twin_at_the_same_place() -> None:
    found, elsewhere = surface(SITE), surface(SITE.replace("number: 443", "number: 9443"))
    mirror = found.listeners[QUIC]

    assert is_served_over_tcp(found, mirror, "a.example.com", mirror.chains[0])
    assert not is_served_over_tcp(found, mirror, "b.example.com", mirror.chains[0])
    assert not is_served_over_tcp(elsewhere, mirror, "a.example.com", mirror.chains[0])
