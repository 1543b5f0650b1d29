"""Roots of our own, and CA certificates that are plugged in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from mizzen.authority.issue import Issued
from mizzen.authority.root import (
    AuthorityError,
    Key,
    Signer,
    certificates_pem,
    check,
    digest,
    key_pem,
    key_usage,
    plugged_in,
)

DAY = timedelta(days=1)
Files = dict[str, bytes]


def intermediate(
    by: Signer,
    now: datetime,
    *,
    key: Key | None = None,
    ca: bool = True,
    days: int = 100,
    path: int | None = 0,
) -> Signer:
    """A CA below `by`."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder(
            issuer_name=by.certificate.subject,
            subject_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Issuing CA")]),
        )
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(now - DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path if ca else None), critical=True)
        .add_extension(key_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.certificate.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
        .sign(by.key, digest(by.key))
    )
    return Signer(certificate=certificate, key=key, chain=(certificate,), roots=by.roots)


def corporate_root(now: datetime) -> Signer:
    """A root that may have intermediates below it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Corporate root")])
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(4)
        .not_valid_before(now - DAY)
        .not_valid_after(now + 1000 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(key_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, digest(key))
    )
    return Signer(certificate=certificate, key=key, roots=(certificate,))


def layout(signer: Signer, *, chain: str = "") -> Files:
    """The files of Istio's `cacerts`."""
    return {
        "ca-cert.pem": certificates_pem((signer.certificate,)).encode(),
        "ca-key.pem": key_pem(signer.key).encode(),
        "root-cert.pem": certificates_pem(signer.roots).encode(),
        "cert-chain.pem": chain.encode(),
    }


@pytest.fixture
def corporate(now: datetime) -> Signer:
    return corporate_root(now)


def test_a_root_of_our_own_is_a_ca_for_ten_years_and_for_leaves_only(root: Signer, now: datetime) -> None:
    certificate = root.certificate
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value

    check(root, now)
    assert certificate.not_valid_after_utc == now + timedelta(days=3650)
    assert constraints == x509.BasicConstraints(ca=True, path_length=0)
    assert "O=cluster.local" in certificate.subject.rfc4514_string()


def test_a_private_key_is_in_no_representation(root: Signer) -> None:
    assert "key" not in repr(root).replace("mizzen", "")


def test_two_roots_have_different_names(make_root: Callable[..., Signer]) -> None:
    assert make_root(serial=2**70 + 1).certificate.subject != make_root(serial=2**70 + 2).certificate.subject


def test_a_plugged_in_intermediate_issues_what_its_root_vouches_for(
    corporate: Signer, leaf: Callable[..., Issued], accepts: Any, now: datetime
) -> None:
    below = intermediate(corporate, now)
    files = layout(below, chain=certificates_pem((below.certificate, *corporate.roots)))

    signer = plugged_in(files, now)

    assert signer.chain == (below.certificate,)
    issued = leaf(signer)
    assert accepts(issued, corporate.roots, now)
    assert issued.pem.count("BEGIN CERTIFICATE") == 2
    assert signer.ends == below.certificate.not_valid_after_utc


def test_a_chain_of_two_intermediates_is_put_together(
    corporate: Signer, leaf: Callable[..., Issued], accepts: Any, now: datetime
) -> None:
    upper = intermediate(corporate, now, path=1)
    lower = intermediate(upper, now)

    signer = plugged_in(layout(lower, chain=certificates_pem((upper.certificate,))), now)

    assert signer.chain == (lower.certificate, upper.certificate)
    assert accepts(leaf(signer), corporate.roots, now)


def test_a_plugged_in_root_needs_no_chain(root: Signer, leaf: Callable[..., Issued], now: datetime) -> None:
    files = layout(root)
    del files["cert-chain.pem"]

    assert len(leaf(plugged_in(files, now)).chain) == 1


def test_the_layout_of_a_tls_secret_is_taken_too(corporate: Signer, now: datetime) -> None:
    below = intermediate(corporate, now)
    files = layout(below)

    signer = plugged_in(
        {"tls.crt": files["ca-cert.pem"], "tls.key": files["ca-key.pem"], "ca.crt": files["root-cert.pem"]},
        now,
    )

    assert signer == below


def test_the_root_file_may_hold_the_next_root_as_well(
    corporate: Signer, root: Signer, leaf: Callable[..., Issued], now: datetime
) -> None:
    below = intermediate(corporate, now)
    files = layout(below)
    files["root-cert.pem"] = certificates_pem((*root.roots, *corporate.roots)).encode()

    assert plugged_in(files, now).roots == (*root.roots, *corporate.roots)


def refusal(files: Files, now: datetime) -> str:
    with pytest.raises(AuthorityError) as caught:
        plugged_in(files, now)
    return str(caught.value)


def test_an_incomplete_set_is_refused(root: Signer, now: datetime) -> None:
    files = layout(root)

    assert "root-cert.pem missing" in refusal({**files, "root-cert.pem": b" \n"}, now)
    assert "ca-cert.pem, ca-key.pem, root-cert.pem missing" in refusal({}, now)


def test_what_does_not_fit_together_is_refused(root: Signer, corporate: Signer, now: datetime) -> None:
    below = intermediate(corporate, now)
    lower = intermediate(intermediate(corporate, now, path=1), now)
    files = layout(below)

    assert "does not belong" in refusal({**files, "ca-key.pem": layout(root)["ca-key.pem"]}, now)
    assert "not signed by any" in refusal({**files, "root-cert.pem": layout(root)["root-cert.pem"]}, now)
    assert "chain is broken" in refusal(layout(lower, chain=certificates_pem((below.certificate,))), now)


def test_what_is_no_ca_is_refused(corporate: Signer, root: Signer, now: datetime) -> None:
    assert "is no CA" in refusal(layout(intermediate(corporate, now, ca=False)), now)
    assert "allows 0 CA certificates below it, and there are 1" in refusal(
        layout(intermediate(root, now)), now
    )


def test_what_has_ended_or_not_begun_is_refused(corporate: Signer, now: datetime) -> None:
    files = layout(intermediate(corporate, now, days=2))

    assert "ended at 2026-03-03" in refusal(files, now + 3 * DAY)
    assert "begins only at" in refusal(files, now - 3 * DAY)


def test_what_cannot_be_read_is_refused_by_the_name_of_its_file(root: Signer, now: datetime) -> None:
    files = layout(root)
    encrypted = root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))

    assert refusal({**files, "ca-cert.pem": b"rubbish"}, now).startswith("ca-cert.pem holds no")
    assert refusal({**files, "ca-key.pem": b"rubbish"}, now).startswith("ca-key.pem holds no")
    assert "is encrypted" in refusal({**files, "ca-key.pem": encrypted}, now)


def test_a_weak_ca_key_is_refused(corporate: Signer, now: datetime) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)

    assert "1024 bits" in refusal(layout(intermediate(corporate, now, key=weak)), now)
