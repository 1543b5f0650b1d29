"""Join tokens: what a proxy on a new machine proves with, once, that it may have an identity.

A token is bound to one identity, lives for a short time, and works for one key: who redeems it first binds
it to the public key of the signing request. The same key may redeem it again until it ends (the answer may
have been lost on the way); any other key is refused. The text is kept nowhere, only its SHA-256: it has 256
random bits, so nothing slower is needed.

Pure functions over a frozen state.
"""

import hashlib
import hmac
import json
import re
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import Enum

from mizzen.authority.identity import Identity, parse
from mizzen.lazy import dataclass

LIFETIME = timedelta(hours=1)
RANDOM_BYTES = 40  # 8 name the token in lists and logs, 32 are the secret

_TEXT = re.compile(r"mizzen-join\.([0-9a-f]{16})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token that was given out. Nobody can make the token out of it."""

    id: str
    digest: str = field(repr=False)  # SHA-256 of the secret, hex
    identity: Identity
    made: datetime
    ends: datetime
    used: datetime | None = None
    key: str = ""  # SHA-256 of the public key that it was redeemed for, hex


Tokens = tuple[Token, ...]


class Refusal(Enum):
    """Why a token is not taken, as the rest of a sentence. Who hears it holds the secret, or learns nothing."""

    UNKNOWN = "is not known here"
    ENDED = "has ended"
    USED = "has been used"


class TokensError(ValueError):
    """Stored tokens that cannot be read."""


def issue(
    tokens: Tokens, *, identity: Identity, random: bytes, now: datetime, lifetime: timedelta = LIFETIME
) -> tuple[Tokens, str]:
    """A new token: the new state, and the text for the one who shall join. `random`: RANDOM_BYTES bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a join token is made of {RANDOM_BYTES} random bytes")
    name, secret = random[:8].hex(), random[8:].hex()
    token = Token(id=name, digest=_digest(secret), identity=identity, made=now, ends=now + lifetime)
    return (*pruned(tokens, now), token), f"mizzen-join.{name}.{secret}"


def is_token(text: str) -> bool:
    """Whether it has the form of a join token."""
    return _TEXT.fullmatch(text) is not None


def find(tokens: Tokens, text: str, now: datetime) -> Token | Refusal:
    """The token with this text, used or not."""
    match = _TEXT.fullmatch(text)
    if not match:
        return Refusal.UNKNOWN
    token = next((each for each in tokens if each.id == match[1]), None)
    if not token or not hmac.compare_digest(token.digest, _digest(match[2])):
        return Refusal.UNKNOWN
    return token if now < token.ends else Refusal.ENDED


def redeem(tokens: Tokens, text: str, key: str, now: datetime) -> tuple[Tokens, Token | Refusal]:
    """Use a token for a public key (`request.key_digest`): the new state, and whom the token stands for."""
    token = find(tokens, text, now)
    if isinstance(token, Refusal):
        return tokens, token
    if token.used:
        return tokens, token if hmac.compare_digest(token.key, key) else Refusal.USED
    used = replace(token, used=now, key=key)
    return tuple(used if each is token else each for each in tokens), used


def revoke(tokens: Tokens, name: str) -> Tokens:
    """Without the token of this id."""
    return tuple(each for each in tokens if each.id != name)


def pruned(tokens: Tokens, now: datetime) -> Tokens:
    """Without those that ended a day ago: until then "has ended" helps more than "is not known"."""
    return tuple(each for each in tokens if now < each.ends + timedelta(days=1))


def encode(tokens: Tokens) -> bytes:
    """As JSON, for a file."""
    value = [
        {
            "id": each.id,
            "sha256": each.digest,
            "identity": each.identity.uri,
            "made": each.made.isoformat(),
            "ends": each.ends.isoformat(),
            "used": each.used and each.used.isoformat(),
            "key": each.key,
        }
        for each in tokens
    ]
    return json.dumps(value, indent=1).encode() + b"\n"


def decode(data: bytes) -> Tokens:
    """What `encode` wrote. Raises TokensError."""
    try:
        return tuple(
            Token(
                id=each["id"],
                digest=each["sha256"],
                identity=parse(each["identity"]),
                made=datetime.fromisoformat(each["made"]),
                ends=datetime.fromisoformat(each["ends"]),
                used=each["used"] and datetime.fromisoformat(each["used"]),
                key=each["key"],
            )
            for each in json.loads(data)
        )
    except (ValueError, KeyError, TypeError):
        raise TokensError("the stored join tokens are damaged") from None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
