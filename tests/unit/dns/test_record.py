"""One HTTPS record: its name and its values as text."""

import dns.rdata
import pytest

from mizzen.dns.record import Record, Unnameable, hints, is_within, owner_name

LONG = ".".join(["a" * 63] * 3 + ["b" * 61])  # 253 letters


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("www.example.com", 443, "www.example.com."),
        ("www.example.com", 8443, "_8443._https.www.example.com."),
        ("*.example.com", 443, "*.example.com."),
        ("xn--bcher-kva.example", 443, "xn--bcher-kva.example."),
        (LONG, 443, f"{LONG}."),
    ],
)
def test_a_record_has_the_name_that_clients_ask_for(host: str, port: int, name: str) -> None:
    assert owner_name(host, port) == name


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("*", 443, "every host"),
        ("*.example.com", 8443, "wildcard"),
        ("*-a.example.com", 443, "no name of DNS"),
        ("a..example.com", 443, "no name of DNS"),
        ("www.ex ample.com", 443, "no name of DNS"),
        ("bücher.example", 443, "no name of DNS"),
        ("a" * 64 + ".example", 443, "no name of DNS"),
        (LONG, 8443, "253 letters"),
    ],
)
def test_a_host_without_a_name_in_dns_is_told_why(host: str, port: int, why: str) -> None:
    with pytest.raises(Unnameable, match=why):
        owner_name(host, port)


def test_parameters_stand_in_the_order_of_their_numbers_and_defaults_are_left_out() -> None:
    plain = Record(name="a.example.", ttl=60, alpn=("h3", "h2"))
    assert str(plain) == 'a.example. 60 IN HTTPS 1 . alpn="h3,h2"'
    full = Record(
        name="_8443._https.a.example.",
        ttl=60,
        target="b.example.",
        alpn=("h3",),
        no_default_alpn=True,
        port=8443,
        ipv4hint=("192.0.2.1", "192.0.2.2"),
        ipv6hint=("2001:db8::1",),
    )
    assert full.rdata == (
        '1 b.example. alpn="h3" no-default-alpn port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1'
    )
    assert dns.rdata.from_text("IN", "HTTPS", full.rdata).to_text().replace('"', "") == full.rdata.replace(
        '"', ""
    )


def test_hints_are_in_the_order_of_their_numbers_each_once() -> None:
    found = hints(["203.0.113.10", "203.0.113.9", "2001:DB8:0::1", "2001:db8::1", "203.0.113.9"])
    assert found == (("203.0.113.9", "203.0.113.10"), ("2001:db8::1",))


def test_names_are_in_their_zone_and_not_in_one_that_ends_alike() -> None:
    assert is_within("www.example.com.", "example.com.") and is_within("example.com.", "example.com.")
    assert is_within("www.example.com.", ".")
    assert not is_within("www.anexample.com.", "example.com.")
