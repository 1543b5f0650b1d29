"""URLs, and curl's options that say where they lead."""

import re

import pytest

from mizzen.doctor.target import Dial, Unusable, parse


def test_a_url_has_a_host_a_port_and_a_path() -> None:
    target = parse("https://Shop.Test:8443/a?b=c")
    assert (target.host, target.port, target.path) == ("shop.test", 8443, "/a?b=c")
    assert target.authority == "shop.test:8443"
    assert target.dial("shop.test", 8443) == Dial("shop.test", 8443, None)


def test_what_is_left_out_is_usual() -> None:
    target = parse("shop.test")
    assert (target.host, target.port, target.path, target.authority) == ("shop.test", 443, "/", "shop.test")


def test_what_is_no_ascii_is_written_as_clients_send_it() -> None:
    target = parse("https://Käse.test/ä/%20?q=€")
    assert (target.host, target.path) == ("xn--kse-qla.test", "/%C3%A4/%20?q=%E2%82%AC")


def test_an_address_needs_no_lookup() -> None:
    target = parse("https://[::1]:8443/")
    assert target.is_address and target.authority == "[::1]:8443"
    assert target.dial("::1", 8443) == Dial("::1", 8443, ("::1",))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.test/a", "Did you mean https://shop.test/a?"),
        ("ftp://shop.test", "only https:// URLs"),
        ("https://", "names no host"),
        ("https://a b/", "names no host"),
        ("https://shop.test:99999/", "Port out of range"),
        ("https://shop.test:0/", "no port 0"),
        ("https://[::1/", "no URL"),
        ("https://a..test/", "'https://a..test/' is no URL"),
        (f"https://{'a' * 64}.test/", "is no URL"),
    ],
)
def test_what_is_no_url_of_http3_is_told(url: str, why: str) -> None:
    with pytest.raises(Unusable, match=re.escape(why)):
        parse(url)


@pytest.mark.parametrize(
    ("option", "addresses"),
    [
        ("shop.test:443:127.0.0.1", ("127.0.0.1",)),
        ("shop.test:443:127.0.0.1,[::1]", ("127.0.0.1", "::1")),
        ("+SHOP.test:443:::1", ("::1",)),
        ("*:443:2001:db8::1", ("2001:db8::1",)),
    ],
)
def test_resolve_says_where_a_host_is(option: str, addresses: tuple[str, ...]) -> None:
    target = parse("https://shop.test/", resolve=(option,))
    assert target.dial("shop.test", 443) == Dial("shop.test", 443, addresses)
    assert target.dial("shop.test", 8443).addresses is None
    assert target.is_told("shop.test", 443)


def test_the_last_resolve_counts() -> None:
    target = parse("shop.test", resolve=("shop.test:443:127.0.0.1", "shop.test:443:127.0.0.2"))
    assert target.dial("shop.test", 443).addresses == ("127.0.0.2",)


def test_connect_to_leads_elsewhere() -> None:
    target = parse("shop.test", connect_to=("shop.test:443:127.0.0.1:8443",))
    assert target.dial("shop.test", 443) == Dial("127.0.0.1", 8443, ("127.0.0.1",))
    assert target.dial("shop.test", 9999) == Dial("shop.test", 9999, None)


def test_connect_to_of_any_port_hides_no_wrong_port() -> None:
    target = parse("shop.test", connect_to=("::[::1]:8443",))
    assert target.dial("shop.test", 443) == Dial("::1", 8443, ("::1",))
    assert target.dial("shop.test", 9999) == Dial("::1", 9999, ("::1",))


@pytest.mark.parametrize(
    "option", ["shop.test", "shop.test:x:127.0.0.1", "shop.test:443:shop", "shop.test:443:"]
)
def test_a_resolve_that_is_none_is_told(option: str) -> None:
    with pytest.raises(Unusable, match="HOST:PORT:ADDRESS"):
        parse("shop.test", resolve=(option,))


@pytest.mark.parametrize("option", ["shop.test", "a:1:b", "a:b:c:1", "a:1:b:2:c"])
def test_a_connect_to_that_is_none_is_told(option: str) -> None:
    with pytest.raises(Unusable, match="HOST1:PORT1"):
        parse("shop.test", connect_to=(option,))


def test_a_connect_to_whose_host_nobody_can_name_is_told() -> None:
    with pytest.raises(Unusable, match="names no host"):
        parse("shop.test", connect_to=("::a..test:",))
