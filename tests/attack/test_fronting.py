"""A request that comes on a connection that was made for another host."""

import pytest
from attacked_site import API, HOSTS, PASSED, PROTOCOLS, SECRET, VAULT, WILD, WWW, Site

pytestmark = [pytest.mark.e2e, pytest.mark.attack]

MISDIRECTED = 421
SAME_SERVER = {WWW, SECRET, API}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("sni", [WWW, WILD])
@pytest.mark.parametrize("host", [*HOSTS, PASSED])
def test_a_host_of_another_server_is_misdirected(site: Site, protocol: str, sni: str, host: str) -> None:
    if host == sni or {host, sni} <= SAME_SERVER:
        pytest.skip("it is this server's")
    for spelled in (host, host.upper(), f"{host}:443", f"{host}:8443", f"{host}."):
        answer = site.ask(protocol, spelled, sni=sni)

        # A policy that refuses the host is asked first.
        refused = host in (SECRET, API) and answer.status == 403
        assert (answer.error, answer.status if not refused else MISDIRECTED) == (None, MISDIRECTED), spelled
    assert site.backend.take() == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_host_behind_a_client_certificate_answers_nobody_without_one(site: Site, protocol: str) -> None:
    answer = site.ask(protocol, VAULT)

    assert answer.error
    assert site.backend.take() == []


@pytest.mark.parametrize("sni", [PASSED])
def test_no_mirror_answers_for_a_host_that_is_passed_through(site: Site, sni: str) -> None:
    """QUIC cannot be passed through; the wildcard's mirror must not stand in."""
    answer = site.ask("h3", PASSED, timeout=1.5)

    assert answer.status in (0, MISDIRECTED)
    assert site.backend.take() == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_host_that_nobody_has_is_not_found(site: Site, protocol: str) -> None:
    answer = site.ask(protocol, "nobody.test", sni=WWW)

    assert answer.status in (404, MISDIRECTED)
    assert site.backend.take() == []
