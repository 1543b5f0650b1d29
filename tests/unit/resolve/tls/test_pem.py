"""What is in a PEM."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption as Locked
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from mizzen.resolve.tls.pem import Bad, Chain, crl_fault, key_fault, read_chain, roots_fault


def test_a_chain_says_what_it_is_for(pair):
    chain = read_chain(pair("A.com", "*.b.com").certificate)
    assert isinstance(chain, Chain)
    assert (chain.algorithm, chain.names, chain.must_staple) == ("ECDSA", ("a.com", "*.b.com"), False)
    assert read_chain(pair("a.com", algorithm="rsa2048").certificate).algorithm == "RSA"
    assert read_chain(pair("a.com", must_staple=True).certificate).must_staple


def test_without_alternative_names_the_common_name_counts(pair):
    assert read_chain(pair().certificate).names == ("nobody",)


@pytest.mark.parametrize("text", [b"", b"nonsense", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_nonsense_is_bad_and_nothing_is_raised(text):
    assert isinstance(read_chain(text), Bad)
    assert roots_fault(text)
    assert crl_fault(text)


def test_a_key_fits_its_certificate_and_no_other(pair):
    one, other = pair("a.com"), pair("b.com")
    assert key_fault(one.key, read_chain(one.certificate)) == ""
    assert "does not belong" in key_fault(other.key, read_chain(one.certificate))
    assert "no PEM private key" in key_fault(one.certificate, read_chain(one.certificate))


def test_an_encrypted_key_is_told_as_such(pair):
    one = pair("a.com")
    key = load_pem_private_key(one.key, None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, Locked(b"secret"))
    assert key_fault(locked, read_chain(one.certificate)) == "the private key is encrypted"


def test_a_key_of_another_kind_does_not_belong(pair):
    key = ed25519.Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert "does not belong" in key_fault(text, read_chain(pair("a.com").certificate))
