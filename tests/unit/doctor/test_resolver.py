"""Names and HTTPS records, asked of a DNS server of the test."""

from collections.abc import Iterator

import pytest

from mizzen.doctor.measured import ServiceRecord
from mizzen.doctor.resolver import addresses, records, server
from tests.harness.small_dns import DnsServer

ZONE = """\
shop.test. 60 IN A 192.0.2.1
shop.test. 60 IN AAAA 2001:db8::1
shop.test. 60 IN HTTPS 1 . alpn="h3,h2" port=8443 ipv4hint=192.0.2.9 ipv6hint=2001:db8::9
_8444._https.shop.test. 60 IN HTTPS 1 . alpn="h3"
alias.test. 60 IN HTTPS 0 shop.test.
circle.test. 60 IN HTTPS 0 circle.test.
plain.test. 60 IN A 192.0.2.2
"""
OF_SHOP = ServiceRecord(priority=1, alpn=("h3", "h2"), port=8443, hints=("192.0.2.9", "2001:db8::9"))


@pytest.fixture(scope="module")
def dns() -> Iterator[tuple[str, ...]]:
    with DnsServer(ZONE) as one:
        yield (f"127.0.0.1:{one.port}",)


def test_addresses_of_both_families(dns: tuple[str, ...]) -> None:
    assert addresses("shop.test", dns, 2.0).addresses == ("2001:db8::1", "192.0.2.1")


def test_a_name_that_is_not_there(dns: tuple[str, ...]) -> None:
    found = addresses("nobody.test", dns, 2.0)
    assert (found.addresses, found.error) == ((), "there is no such name")


def test_the_systems_names() -> None:
    assert "127.0.0.1" in addresses("localhost", (), 2.0).addresses
    assert addresses("nobody.invalid", (), 2.0).error


@pytest.mark.parametrize(
    ("host", "port", "query", "wanted"),
    [
        ("shop.test", 443, "shop.test", (OF_SHOP,)),
        ("alias.test", 443, "alias.test", (OF_SHOP,)),
        ("shop.test", 8444, "_8444._https.shop.test", (ServiceRecord(priority=1, alpn=("h3",)),)),
        ("shop.test", 8443, "shop.test", (OF_SHOP,)),  # that of the usual port leads here
        ("shop.test", 8445, "_8445._https.shop.test", ()),
        ("plain.test", 443, "plain.test", ()),
        ("nobody.test", 443, "nobody.test", ()),
    ],
)
def test_https_records(
    dns: tuple[str, ...], host: str, port: int, query: str, wanted: tuple[ServiceRecord, ...]
) -> None:
    found = records(host, port, dns, 2.0)
    assert (found.query, found.records, found.error) == (query, wanted, "")


def test_aliases_in_a_circle_are_told(dns: tuple[str, ...]) -> None:
    assert records("circle.test", 443, dns, 2.0).error == "its aliases lead in a circle"


def test_a_silent_server_is_told() -> None:
    assert records("shop.test", 443, ("127.0.0.1:9",), 0.2).error


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_servers_are_addresses(text: str, wanted: tuple[str, int]) -> None:
    assert server(text) == wanted


@pytest.mark.parametrize("text", ["dns.test", "192.0.2.1:99999", "192.0.2.1:0", "[::1]5353", "192.0.2.1:-5"])
def test_what_is_no_address_is_no_server(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        server(text)


def test_an_alternative_at_what_is_no_name_has_no_address() -> None:
    assert addresses("a..test", (), 2.0).error == "that is no name of a host"
