"""Who issues tokens that a gateway believes."""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A page of the site, or 404."""
        site: Site = self.server.site  # type: ignore[attr-defined]
        site.asked.append(self.path)
        page = site.pages.get(self.path)
        status, body = (404, "") if page is None else (page if isinstance(page, tuple) else (200, page))
        self.send_response(status)
        if status in (301, 302, 307):
            self.send_header("location", body)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Site:
    """Where an issuer publishes its keys, by path: a text, or (status, text or location)."""

    def __init__(self, port: int = 0) -> None:
        self.pages: dict[str, str | tuple[int, str]] = {}
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _Page)
        self.server.daemon_threads = True
        self.server.site = self  # type: ignore[attr-defined]
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, issuer: Issuer) -> None:
        """Its keys, and where they are."""
        self.pages["/certs"] = issuer.jwks
        self.pages["/.well-known/openid-configuration"] = json.dumps({"jwks_uri": f"{self.url}/certs"})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
