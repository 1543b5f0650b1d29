"""Reading and writing SPIFFE ids."""

import pytest

from mizzen.authority.identity import Identity, IdentityError, parse, trust_domain


def test_an_identity_is_written_as_istio_writes_it() -> None:
    assert Identity(namespace="httpbin", service_account="httpbin").uri == (
        "spiffe://cluster.local/ns/httpbin/sa/httpbin"
    )


def test_what_is_written_is_read_again() -> None:
    identity = Identity(trust_domain="td.example", namespace="a-b", service_account="x.y-z")

    assert parse(identity.uri) == identity


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cluster.local/ns/a/sa/b",
        "https://cluster.local/ns/a/sa/b",
        "spiffe:///ns/a/sa/b",
        "spiffe://cluster.local/ns/a/sa/",
        "spiffe://cluster.local/ns//sa/b",
        "spiffe://cluster.local/ns/a/sa/b/",
        "spiffe://cluster.local/ns/a/sa/b?x=1",
        "spiffe://cluster.local/ns/../sa/b",
        "spiffe://cluster.local/ns/A/sa/b",
        "spiffe://cluster.local:80/ns/a/sa/b",
        "spiffe://user@cluster.local/ns/a/sa/b",
        "spiffe://cluster.local/sa/a/ns/b",
        "spiffe://cluster.local/ns/a/sa/b\n",
        "spiffe://cluster.local/ns/a/sa/%62",
    ],
)
def test_everything_else_is_no_identity(text: str) -> None:
    with pytest.raises(IdentityError):
        parse(text)


def test_no_part_can_smuggle_another_in() -> None:
    with pytest.raises(IdentityError, match="namespace"):
        Identity(namespace="a/sa/admin", service_account="b")


def test_an_at_sign_in_a_trust_domain_becomes_a_dot() -> None:
    assert trust_domain("me@example.com") == "me.example.com"
    assert trust_domain("") == "cluster.local"
    with pytest.raises(IdentityError):
        trust_domain("a/b")
