"""Certificates of workloads: what is in them, and who accepts them when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from mizzen.authority.identity import Identity
from mizzen.authority.issue import Issued, LifetimeError, Policy, SignerEndedError, issue
from mizzen.authority.root import Signer

Leaf = Callable[..., Issued]
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def extension(issued: Issued, kind: Any) -> Any:
    return issued.certificate.extensions.get_extension_for_class(kind)


def test_a_leaf_is_an_x509_svid(root: Signer, leaf: Leaf) -> None:
    issued = leaf(root)

    names = extension(issued, x509.SubjectAlternativeName)
    assert names.critical
    assert list(names.value) == [
        x509.UniformResourceIdentifier("spiffe://cluster.local/ns/httpbin/sa/httpbin")
    ]
    assert list(issued.certificate.subject) == []
    assert extension(issued, x509.BasicConstraints).value.ca is False
    usage = extension(issued, x509.KeyUsage).value
    assert usage.digital_signature and not usage.key_cert_sign and not usage.crl_sign
    assert list(extension(issued, x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    ]


def test_only_an_rsa_key_may_encipher_keys(root: Signer, leaf: Leaf, now: datetime) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    identity = Identity(namespace="a", service_account="b")

    issued = issue(root, key, identity=identity, now=now, lifetime=HOUR, serial=1)

    assert extension(issued, x509.KeyUsage).value.key_encipherment
    assert not extension(leaf(root), x509.KeyUsage).value.key_encipherment


def test_a_leaf_is_accepted_for_its_day_and_no_longer(
    root: Signer, leaf: Leaf, accepts: Any, now: datetime
) -> None:
    issued = leaf(root)

    assert accepts(issued, root.roots, now)
    assert accepts(issued, root.roots, now + timedelta(hours=24))
    assert not accepts(issued, root.roots, now + timedelta(hours=24, seconds=1))


def test_a_peer_whose_clock_is_five_minutes_off_accepts_it(
    root: Signer, leaf: Leaf, accepts: Any, now: datetime
) -> None:
    issued = leaf(root, now=now.replace(microsecond=999_999))

    assert accepts(issued, root.roots, now - 5 * MINUTE)
    assert accepts(issued, root.roots, now + 5 * MINUTE)
    assert not accepts(issued, root.roots, now - 6 * MINUTE)


def test_another_authority_is_not_trusted(
    root: Signer, make_root: Callable[..., Signer], leaf: Leaf, accepts: Any, now: datetime
) -> None:
    assert not accepts(leaf(make_root(serial=2**70 + 2)), root.roots, now)


def test_a_leaf_ends_no_later_than_its_issuer(
    make_root: Callable[..., Signer], leaf: Leaf, now: datetime
) -> None:
    root = make_root(lifetime=3 * HOUR)

    assert leaf(root).certificate.not_valid_after_utc == now + 3 * HOUR


def test_an_authority_that_has_ended_issues_nothing(
    make_root: Callable[..., Signer], leaf: Leaf, now: datetime
) -> None:
    with pytest.raises(SignerEndedError):
        leaf(make_root(lifetime=HOUR), now=now + HOUR)


def test_the_control_plane_may_have_host_names_too(root: Signer, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    identity = Identity(namespace="istio-system", service_account="istiod")

    issued = issue(
        root,
        key,
        identity=identity,
        names=("istiod.istio-system.svc", "127.0.0.1"),
        now=now,
        lifetime=HOUR,
        serial=1,
    )

    names = extension(issued, x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["istiod.istio-system.svc"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_a_policy_gives_a_day_when_nothing_is_asked_for() -> None:
    assert Policy().lifetime(timedelta()) == timedelta(hours=24)
    assert Policy().lifetime(timedelta(seconds=-1)) == timedelta(hours=24)
    assert Policy().lifetime(HOUR) == HOUR


def test_a_policy_refuses_what_is_longer_than_the_longest() -> None:
    with pytest.raises(LifetimeError, match="7776000 s"):
        Policy().lifetime(timedelta(days=91))
