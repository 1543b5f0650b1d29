"""Where modules are published: a server of files that is a registry of images too (OCI Distribution Specification)."""

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER = "Basic dXNlcjpwYXNzd29yZA=="  # user:password
TOKEN = "token-of-the-registry"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def archive(name: str, content: bytes) -> bytes:
    """A tar.gz with one file; the same content gives the same bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def parse_request(self) -> bool:
        """Whoever begins with TLS is sent away."""
        return not self.raw_requestline.startswith(b"\x16") and super().parse_request()

    def do_GET(self) -> None:
        """A page, or what a registry answers."""
        registry: Registry = self.server.registry  # type: ignore[attr-defined]
        path, told = self.path.partition("?")[0], self.headers.get("authorization", "")
        registry.asked.append(self.path)
        if path == "/token":
            body = json.dumps({"token": TOKEN}).encode()
            self._answer(200 if told == USER else 401, body)
        elif path.startswith("/v2/") and registry.is_closed and told != f"Bearer {TOKEN}":
            self._answer(401, b"", f'Bearer realm="{registry.url}/token",service="registry"')
        elif (page := registry.pages.get(path)) is not None:
            self._answer(200, page)
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes, challenge: str = "") -> None:
        self.send_response(status)
        if challenge:
            self.send_header("www-authenticate", challenge)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Registry:
    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.is_closed = False  # to whoever has no token
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.registry = self  # type: ignore[attr-defined]
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def push(self, repository: str, tag: str, layer: bytes, media_type: str) -> str:
        """An image of one layer (and of its configuration); its digest."""
        descriptor = {"mediaType": media_type, "digest": digest(layer), "size": len(layer)}
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(b"{}")},
            "layers": [descriptor],
        }
        body = json.dumps(manifest).encode()
        for name in (tag, digest(body)):
            self.pages[f"/v2/{repository}/manifests/{name}"] = body
        self.pages[f"/v2/{repository}/blobs/{digest(layer)}"] = layer
        return digest(body)

    def __enter__(self) -> "Registry":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
