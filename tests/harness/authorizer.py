"""External authorizers, as they are asked over HTTP and over gRPC (envoy.service.auth.v3), and what they were asked."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc

from mizzen._api import pb

SERVICE, METHOD = "envoy.service.auth.v3.Authorization", "Check"
_DENIED = 7  # google.rpc.Code.PERMISSION_DENIED


@dataclass
class Asked:
    """One question."""

    method: str = ""
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""  # over gRPC: the whole CheckRequest


@dataclass
class Authorizer:
    """Says what the request's own `x-say` tells: allow, login (302), wait (2 s, then allow); 401 to all others. Over gRPC
    `connections` are let through or not."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: bool = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    authorizer: Authorizer


class _Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.authorizer.asked.append(Asked(self.command, self.path, headers, body))
        said = headers.get("x-say", "")
        if said == "wait":
            time.sleep(2)
        if said in ("allow", "wait"):
            self._send(200, {"x-user": "alice", "x-tier": "gold", "x-seen": "yes", "x-hidden": "yes"})
        elif said == "login":
            self._send(302, {"location": "https://login.test/", "x-why": "login"})
        else:
            self._send(401, {"x-why": "unknown", "x-hidden": "yes"}, b"who are you?")

    def _send(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_OPTIONS = _answer  # the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def over_http() -> Iterator[Authorizer]:
    with _Server(("127.0.0.1", 0), _Http) as server:
        server.authorizer = Authorizer(port=server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.authorizer
        server.shutdown()


@contextlib.contextmanager
def over_grpc() -> Iterator[Authorizer]:
    authorizer = Authorizer()

    def check(request: bytes, _: Any) -> bytes:
        authorizer.asked.append(Asked(body=request))
        if b":path" not in request:  # it is about a connection
            return allowed() if authorizer.connections else denied(403)
        return allowed({"x-user": "bob"}) if b"allow" in request else denied(409, {"x-why": "grpc"}, b"no")

    handlers = {METHOD: grpc.unary_unary_rpc_method_handler(check)}
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    authorizer.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield authorizer
    finally:
        server.stop(None).wait()


# --- envoy.service.auth.v3.CheckResponse ------------------------------------------------------------


def allowed(headers: Mapping[str, str] | None = None) -> bytes:
    return _field(1, b"") + _field(3, _headers(headers or {}))


def denied(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    code = pb.HttpStatus(code=pb.StatusCode.ValueType(status))
    answer = _field(1, code.SerializeToString()) + _headers(headers or {}) + _field(3, body)
    return _field(1, bytes([0x08, _DENIED])) + _field(2, answer)


def _headers(headers: Mapping[str, str]) -> bytes:
    options = (
        pb.HeaderValueOption(header=pb.HeaderValue(key=name, value=value)) for name, value in headers.items()
    )
    return b"".join(_field(2, option.SerializeToString()) for option in options)


def _field(number: int, message: bytes) -> bytes:
    """A message within another, shorter than 128 bytes."""
    assert len(message) < 128
    return bytes([number << 3 | 2, len(message)]) + message
