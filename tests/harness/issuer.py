"""Who issues tokens that a gateway believes."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER = "https://issuer.test"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Who issues tokens (RFC 7519), and what it publishes (RFC 7517)."""

    def __init__(self, kid: str = "one") -> None:
        self.kid = kid
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def jwks(self) -> str:
        numbers = self.key.public_key().public_numbers()
        number = {"n": numbers.n, "e": numbers.e}
        encoded = {
            name: base64url(value.to_bytes((value.bit_length() + 7) // 8)) for name, value in number.items()
        }
        return json.dumps(
            {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, **encoded}]}
        )

    def token(self, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        head = {"alg": "RS256", "typ": "JWT", "kid": self.kid, **(header or {})}
        body = {"iss": ISSUER, "sub": "alice", "exp": int(time.time()) + 600, **claims}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (head, body))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"
