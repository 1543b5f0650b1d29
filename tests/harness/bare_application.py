"""An HTTP/1.1 application on bare sockets: it answers with the very bytes of the request, so that nothing is hidden.

What it does beside that is said by the end of the path: /none (204), /same (304), /until-the-end (no length), /hops
(headers of one connection alone), /trailers, /early (103 first), /socket (becomes a WebSocket that gives bytes back),
/endless (1 GB), /deaf (reads no body), /odd/NAME (one of `ODD`).
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

PREFACE = b"PRI * HTTP/2.0"  # RFC 9113, section 3.4

_ANSWERS = {
    b"/none": b"HTTP/1.1 204 No Content\r\nx-kind: none\r\n\r\n",
    b"/same": b'HTTP/1.1 304 Not Modified\r\netag: "1"\r\n\r\n',
    b"/until-the-end": b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end",
    b"/hops": b"HTTP/1.1 200 OK\r\nconnection: keep-alive, upgrade, x-hop\r\nkeep-alive: timeout=5\r\n"
    b"upgrade: h2,h2c\r\nproxy-connection: keep-alive\r\nx-hop: 1\r\ncontent-length: 2\r\n\r\nok",
    b"/trailers": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n"
    b"4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n",
    b"/early": b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
}
# Answers that are malformed, or nearly so, by /odd/NAME.
ODD = {
    b"bytes-above-127": b"x-a: \xff\xe4\r\ncontent-length: 2\r\n\r\nok",
    b"control": b"x-a: a\x01b\r\ncontent-length: 2\r\n\r\nok",
    b"delete": b"x-a: a\x7fb\r\ncontent-length: 2\r\n\r\nok",
    b"return": b"x-a: a\rb\r\ncontent-length: 2\r\n\r\nok",
    b"fold": b"x-a: a\r\n b\r\ncontent-length: 2\r\n\r\nok",
    b"name": b"x(a): 1\r\ncontent-length: 2\r\n\r\nok",
    b"token": b"x_a!#$%&'*+-.^`|~: 1\r\ncontent-length: 2\r\n\r\nok",
    b"pseudo": b":status: 500\r\ncontent-length: 2\r\n\r\nok",
    b"nameless": b": 1\r\ncontent-length: 2\r\n\r\nok",
    b"hops": b"te: gzip\r\nupgrade: x\r\nconnection: te, upgrade\r\ncontent-length: 2\r\n\r\nok",
    b"lengths": b"content-length: 2\r\ncontent-length: 3\r\n\r\nok",
    b"short": b"content-length: 20\r\nconnection: close\r\n\r\nok",
    b"chunk": b"transfer-encoding: chunked\r\n\r\nzz\r\nok",
    b"trailer": b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n:status: 1\r\n\r\n",
    b"large": b"x-a: " + b"a" * 58_000 + b"\r\ncontent-length: 2\r\n\r\nok",
    b"many": b"".join(b"x-%d: 1\r\n" % number for number in range(300)) + b"\r\n",
}
_SOCKET = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: any\r\n\r\n"


@dataclass(slots=True)
class Application:
    """What has come so far."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)  # their heads
    prefaces: int = 0  # how often somebody began to speak HTTP/2


@contextlib.contextmanager
def running(address: str = "127.0.0.1") -> Iterator[Application]:
    """One on a port of its own, until the block ends."""
    seen = Application()
    with socket.create_server((address, 0), backlog=1000) as listening:
        seen.port = listening.getsockname()[1]
        threading.Thread(target=_accept, args=(listening, seen), daemon=True).start()
        yield seen
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, seen: Application) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, seen), daemon=True).start()


def _serve(connection: socket.socket, seen: Application) -> None:
    with connection, contextlib.suppress(OSError, ValueError), connection.makefile("rb") as stream:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while _answer(connection, stream, seen):
            pass


def _answer(connection: socket.socket, stream: BinaryIO, seen: Application) -> bool:
    """Take one request and answer it. False: the connection is over."""
    head = _head(stream)
    if head.startswith(PREFACE):
        seen.prefaces += 1
        return False
    if not head:
        return False
    seen.requests.append(head)
    method, path = head.split(b" ", 2)[:2]
    kind = b"/" + path.partition(b"?")[0].rpartition(b"/")[2]
    lines = head.lower()
    if kind == b"/socket":
        connection.sendall(_SOCKET)
        while data := connection.recv(65536):
            connection.sendall(data)
        return False
    if kind == b"/endless":
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(bytes(65536))
    if kind == b"/deaf":
        threading.Event().wait()
    if b"\r\nexpect: 100-continue" in lines:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _body(stream, lines)
    answer = _ANSWERS.get(kind) or _odd(path)
    if answer is None:
        echo = head + b"body of %d bytes" % len(body)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Way: both\r\n\r\n" % len(echo)
        answer += b"" if method == b"HEAD" else echo
    connection.sendall(answer)
    return b"\r\nconnection: close" not in answer


def _odd(path: bytes) -> bytes | None:
    """A malformed answer; None where none is asked for."""
    rest = ODD.get(path.rpartition(b"/")[2])
    return None if rest is None else b"HTTP/1.1 200 OK\r\n" + rest


def _head(stream: BinaryIO) -> bytes:
    lines = []
    while line := stream.readline(1 << 20):
        lines.append(line)
        if line in (b"\r\n", b"\n"):
            break
    return b"".join(lines)


def _body(stream: BinaryIO, lines: bytes) -> bytes:
    if b"\r\ntransfer-encoding: chunked" in lines:
        body = b""
        while size := int(stream.readline().partition(b";")[0], 16):
            body += stream.read(size)
            stream.readline()
        while stream.readline() not in (b"\r\n", b""):
            pass
        return body
    for line in lines.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return stream.read(int(line.partition(b":")[2]))
    return b""
