"""What is no name server, and what is."""

import pytest

from mizzen.resources.rules.dns_settings import is_owner, server_of


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("10.0.0.53", ("10.0.0.53", 53)),
        ("10.0.0.53:5353", ("10.0.0.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
        ("ns1.example.com", ("ns1.example.com", 53)),
        ("ns1.example.com:54", ("ns1.example.com", 54)),
    ],
)
def test_an_address_or_a_name_with_or_without_a_port(text: str, server: tuple[str, int]) -> None:
    assert server_of(text) == server


@pytest.mark.parametrize(
    "text", ["", ":53", "10.0.0.53:", "10.0.0.53:0", "a:65536", "[::1", "[a]:53", "a b", "1::2:x"]
)
def test_all_else_is_none(text: str) -> None:
    assert server_of(text) is None


def test_an_owner_fits_into_its_registration() -> None:
    assert is_owner("shop/web") and not any(map(is_owner, ("", "a,b", 'a"', "a=b", "a b", "-a", "a" * 101)))
