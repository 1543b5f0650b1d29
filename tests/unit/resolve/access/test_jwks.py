"""JSON Web Key Sets: what Envoy would stumble over is left out, the rest stays."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mizzen.resolve.access.jwks import key_set


def number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).decode().rstrip("=")


_POINT = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
_MODULUS = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
EC = {"kty": "EC", "crv": "P-256", "x": number(_POINT.x), "y": number(_POINT.y)}
RSA = {"kty": "RSA", "n": number(_MODULUS), "e": "AQAB"}
OCT = {"kty": "oct", "k": "eA"}
ED = {"kty": "OKP", "crv": "Ed25519", "x": number(2**255 + 1)}


@pytest.mark.parametrize(
    "key", [EC, RSA, OCT, ED, {**RSA, "alg": "PS256", "kid": "a"}, {**EC, "alg": "ES256"}]
)
def test_good_keys_stay(key):
    found = key_set(json.dumps({"keys": [key]}))
    assert not found.fault and not found.left_out
    assert json.loads(found.text) == {"keys": [key]}


BAD = [
    None,
    "x",
    {},
    {"kty": 7},
    {"kty": "x"},
    {**RSA, "e": "Ag"},
    {**RSA, "n": "AQAB"},
    {**RSA, "n": number(_MODULUS * 2)},
    {**RSA, "n": 7},
    {**RSA, "n": "not base64!"},
    {**RSA, "alg": "ES256"},
    {"kty": "RSA"},
    {**EC, "y": number(_POINT.y ^ 1)},
    {**EC, "crv": "P-384"},
    {**EC, "alg": "ES384"},
    {**EC, "crv": "secp256k1"},
    {**OCT, "k": ""},
    {**OCT, "alg": "none"},
    {**ED, "x": "eA"},
    {**ED, "crv": "X25519"},
]


@pytest.mark.parametrize("key", BAD)
def test_bad_keys_are_left_out_and_told(key):
    found = key_set(json.dumps({"keys": [key, OCT]}))
    assert json.loads(found.text) == {"keys": [OCT]}
    assert len(found.left_out) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "[]",
        "{}",
        '{"keys": {}}',
        '{"keys": []}',
        '{"keys": [{}]}',
        "[" * 100_000,
        '{"keys": ' + "9" * 5000,
    ],
)
def test_without_a_key_there_is_a_fault(text):
    found = key_set(text)
    assert found.fault and not found.text


def test_what_envoy_has_no_use_for_is_not_passed_on():
    found = key_set(json.dumps({"keys": [{**OCT, "x5c": ["a"], "kid": 7}], "more": "x"}))
    assert json.loads(found.text) == {"keys": [OCT]}
