"""Signing requests: whose key it is, and nothing else."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from mizzen.authority.request import RequestError, key_digest, requested_key, signing_request

KEY = ec.generate_private_key(ec.SECP256R1())
EMPTY = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))


def test_the_key_of_a_request_is_read_from_pem_and_der() -> None:
    pem = signing_request(KEY)
    der = x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER)

    assert requested_key(pem.encode()) == requested_key(der) == KEY.public_key()


def test_a_request_names_nobody() -> None:
    request = x509.load_pem_x509_csr(signing_request(KEY).encode())

    assert list(request.subject) == [] and list(request.extensions) == []


def test_who_does_not_hold_the_key_gets_no_certificate_for_it() -> None:
    mine = bytearray(x509.load_pem_x509_csr(signing_request(KEY).encode()).public_bytes(Encoding.DER))
    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    point = b"\x04" + KEY.public_key().public_numbers().x.to_bytes(32, "big")
    at = mine.find(point)
    mine[at + 1 : at + 65] = other.x.to_bytes(32, "big") + other.y.to_bytes(32, "big")

    with pytest.raises(RequestError, match="not signed with the key in it"):
        requested_key(bytes(mine))


def test_a_p384_key_is_strong_enough() -> None:
    key = ec.generate_private_key(ec.SECP384R1())

    assert requested_key(signing_request(key).encode()) == key.public_key()


def test_weak_and_strange_keys_are_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    small = rsa.generate_private_key(public_exponent=3, key_size=2048)
    curve = ec.generate_private_key(ec.SECP224R1())
    edwards = EMPTY.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM)

    for key, why in ((short, "2048"), (small, "exponent"), (curve, "P-256")):
        with pytest.raises(RequestError, match=why):
            requested_key(signing_request(key).encode())
    with pytest.raises(RequestError, match="RSA, or ECDSA"):
        requested_key(edwards)


def test_a_weak_hash_is_refused() -> None:
    request = EMPTY.sign(KEY, hashes.SHA224()).public_bytes(Encoding.PEM)

    with pytest.raises(RequestError, match="SHA-256"):
        requested_key(request)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        b"0" * 65537,
    ],
)
def test_what_cannot_be_read_is_refused_without_being_quoted(text: bytes) -> None:
    with pytest.raises(RequestError, match=r"cannot be read|too long"):
        requested_key(text)


def test_two_keys_have_two_digests() -> None:
    assert key_digest(KEY.public_key()) == key_digest(requested_key(signing_request(KEY).encode()))
    assert key_digest(KEY.public_key()) != key_digest(ec.generate_private_key(ec.SECP256R1()).public_key())
