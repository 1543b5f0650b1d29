"""A JSON Web Key Set (RFC 7517), judged as Envoy reads it (source/common/jwt/jwks.cc).

Envoy refuses a set, and with it every listener, for one key that it does not understand: such a key is left out.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.lazy import dataclass

_CURVES: Mapping[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_EXPONENTS = frozenset({3, 65537})
_MODULUS_BITS = range(512, 8193)
_ED25519_BYTES = 32
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
# What a key is verified by. The rest (x5c, x5t, ...) is of no use to Envoy.
_FIELDS = ("kty", "kid", "alg", "use", "crv")
_NUMBERS = ("n", "e", "x", "y", "k")

Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """The keys that can be used, as JSON. `fault`: why there are none; `left_out`: what is wrong with the others."""

    text: str = ""
    fault: str = ""
    left_out: tuple[str, ...] = ()


class _Unusable(ValueError):
    """What is wrong with a key."""


def key_set(text: str) -> KeySet:
    """The usable keys of a set. Raises nothing."""
    try:
        keys = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return KeySet(fault="the keys are no JSON Web Key Set")
    good: list[Key] = []
    left_out: list[str] = []
    for index, key in enumerate(keys if isinstance(keys, list) else ()):
        try:
            good.append(_plain(_judge(key)))
        except _Unusable as wrong:
            left_out.append(f"the key {_name(key, index)} cannot be used ({wrong})")
    if not good:
        return KeySet(fault="the JSON Web Key Set holds no key that can be used", left_out=tuple(left_out))
    return KeySet(text=json.dumps({"keys": good}, separators=(",", ":")), left_out=tuple(left_out))


def _name(key: object, index: int) -> str:
    kid = key.get("kid") if isinstance(key, Mapping) else None
    return f"{kid[:60]!a}" if isinstance(kid, str) and kid else f"number {index}"


def _plain(key: Key) -> Key:
    """A key that was judged good, in one spelling."""
    texts = {name: key[name] for name in _FIELDS if isinstance(key.get(name), str)}
    numbers = {
        name: base64.urlsafe_b64encode(_bytes(key, name)).rstrip(b"=").decode()
        for name in _NUMBERS
        if name in key
    }
    return texts | numbers


def _judge(key: object) -> Key:
    if not isinstance(key, Mapping):
        raise _Unusable("it is no object")
    judges = {"RSA": _rsa, "EC": _ec, "oct": _symmetric, "OKP": _okp}
    kind = key.get("kty")
    judge = judges.get(kind) if isinstance(kind, str) else None
    if judge is None:
        raise _Unusable("kty is none of RSA, EC, OKP, oct")
    judge(key)
    return key


def _rsa(key: Key) -> None:
    _algorithm(key, "RS", "PS")
    modulus, exponent = _number(key, "n"), _number(key, "e")
    if exponent not in _EXPONENTS:
        raise _Unusable("e is neither 3 nor 65537")
    if modulus.bit_length() not in _MODULUS_BITS or modulus % 2 == 0:
        raise _Unusable("n is not the modulus of an RSA key")


def _ec(key: Key) -> None:
    _algorithm(key, "ES")
    algorithm, curve = _text(key, "alg"), _text(key, "crv")
    wanted = _CURVE_OF.get(algorithm, "") if algorithm else curve or "P-256"
    if wanted not in _CURVES or curve not in ("", wanted):
        raise _Unusable("crv is none of P-256, P-384, P-521, or not that of alg")
    try:
        ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), _CURVES[wanted]).public_key()
    except ValueError as error:
        raise _Unusable("x and y are no point of the curve") from error


def _symmetric(key: Key) -> None:
    _algorithm(key, "HS256", "HS384", "HS512")
    if not _bytes(key, "k"):
        raise _Unusable("k is empty")


def _okp(key: Key) -> None:
    _algorithm(key, "EdDSA")
    if key.get("crv") != "Ed25519" or len(_bytes(key, "x")) != _ED25519_BYTES:
        raise _Unusable("it is no key of Ed25519")


def _algorithm(key: Key, *beginnings: str) -> None:
    if not (_text(key, "alg") or beginnings[0]).startswith(beginnings):
        raise _Unusable("alg does not fit kty")


def _text(key: Key, name: str) -> str:
    value = key.get(name, "")
    if not isinstance(value, str):
        raise _Unusable(f"{name} is no text")
    return value


def _bytes(key: Key, name: str) -> bytes:
    text = _text(key, name)
    if not _BASE64URL.fullmatch(text):
        raise _Unusable(f"{name} is not in base64url")
    bare = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error as error:
        raise _Unusable(f"{name} is not in base64url") from error


def _number(key: Key, name: str) -> int:
    return int.from_bytes(_bytes(key, name))
