"""What a certificate says of the proof that goes with it."""

from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.authority.issue import Issued
from mizzen.authority.named_proof import EXTENSION, named_in
from mizzen.authority.proof import digest, proof_of
from mizzen.authority.root import Signer


def test_a_certificate_names_the_digest_of_its_proof(root: Signer, leaf: Callable[..., Issued]) -> None:
    named = digest(proof_of(b"r" * 32))

    assert named_in(leaf(root, proof=named).certificate) == named
    assert named_in(leaf(root).certificate) == b""


def test_an_odd_extension_fits_no_proof(make_root: Callable[..., Signer]) -> None:
    root: Any = make_root()
    key = ec.generate_private_key(ec.SECP256R1())
    odd = (
        x509.CertificateBuilder(root.certificate.subject, x509.Name([]), key.public_key(), 1)
        .not_valid_before(root.certificate.not_valid_before_utc)
        .not_valid_after(root.certificate.not_valid_after_utc)
        .add_extension(x509.UnrecognizedExtension(EXTENSION, b""), critical=False)
        .sign(root.key, root.certificate.signature_hash_algorithm)
    )

    assert named_in(odd) == b"?"


def test_whoever_reads_certificates_can_read_the_number_of_the_extension() -> None:
    """Go (API servers, Prometheus) reads no certificate at all that has a part of a number over 31 bits."""
    assert all(int(part) < 2**31 for part in EXTENSION.dotted_string.split("."))
