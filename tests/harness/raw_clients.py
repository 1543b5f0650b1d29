"""Clients that send what they are told, byte by byte: odd hosts, paths and header values, over HTTP/1.1, 2 and 3.

Each asks many requests on few connections; one that the server closes is opened again. Certificates are not verified:
who uses these looks at what is answered to whom.
"""

import contextlib
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, ResponseReceived, StreamEnded
from h2.events import DataReceived as Data2
from h2.events import StreamReset as Reset2

from tests.harness.h3_raw import RawRequest, converse

SECONDS = 5.0

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A request as it goes over the wire. `head`: all of it, pseudo-headers too (HTTP/2 and 3 alone)."""

    host: bytes = b"shop.test"
    path: bytes = b"/"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    head: Headers = ()
    body: bytes = b""


@dataclass(slots=True)
class Got:
    """An answer; status 0: the stream (`is_reset`) or connection was closed instead."""

    status: int = 0
    body: bytes = b""
    is_reset: bool = False


def ask(
    protocol: str, port: int, sni: str, requests: Iterable[Raw], *, timeout: float = SECONDS
) -> list[Got]:
    """What each of `requests` is answered; `protocol` is "h1" (over TLS), "plain" (HTTP/1.1 without), "h2" or "h3"."""
    listed = list(requests)
    if protocol == "h3":
        return _ask_h3(port, sni, listed, timeout)
    if protocol == "h2":
        return _ask_h2(port, sni, listed, timeout)
    return _ask_h1(port, sni if protocol == "h1" else "", listed)


def dial(port: int, sni: str, alpn: str, timeout: float = SECONDS) -> socket.socket:
    """A connection to this machine: TLS, or plain where `sni` is empty."""
    plain = socket.create_connection(("127.0.0.1", port), timeout)
    if not sni:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    return context.wrap_socket(plain, server_hostname=sni)


# --- HTTP/1.1 ---------------------------------------------------------------------------------------


def _ask_h1(port: int, sni: str, requests: list[Raw]) -> list[Got]:
    found = []
    connection = dial(port, sni, "http/1.1")
    try:
        for one in requests:
            head = b"GET " + one.path + b" HTTP/1.1\r\nhost: " + one.host + b"\r\n"
            head += b"".join(name + b": " + value + b"\r\n" for name, value in one.headers)
            got, is_open = _exchange(connection, head + b"\r\n")
            found.append(got)
            if not is_open:
                connection.close()
                connection = dial(port, sni, "http/1.1")
    finally:
        connection.close()
    return found


def exchange(port: int, sni: str, sent: bytes, timeout: float) -> bytes:
    """Send bytes over HTTP/1.1; what came back until the server closed or said nothing for `timeout`."""
    received = b""
    with dial(port, sni, "http/1.1") as connection, contextlib.suppress(OSError):
        connection.sendall(sent)
        connection.settimeout(timeout)
        while chunk := connection.recv(65536):
            received += chunk
    return received


def _exchange(connection: socket.socket, request: bytes) -> tuple[Got, bool]:
    """The answer, its body by content-length alone, and whether the connection stays open."""
    data = b""
    with contextlib.suppress(ConnectionError):
        connection.sendall(request)
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return Got(), False
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        return Got(int(head.split()[1]), body), b"connection: close" not in lines
    return Got(), False


# --- HTTP/2 -----------------------------------------------------------------------------------------


def _head(one: Raw) -> list[tuple[bytes, bytes]]:
    if one.head:
        return list(one.head)
    named = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", one.host), (b":path", one.path)]
    return [*named, *one.headers]


def _ask_h2(port: int, sni: str, requests: list[Raw], timeout: float) -> list[Got]:
    found: list[Got] = []
    while len(found) < len(requests):  # a connection error ends the connection, not the row
        found += _on_one_h2(port, sni, requests[len(found) :], timeout)
    return found


def _on_one_h2(port: int, sni: str, requests: list[Raw], timeout: float) -> list[Got]:
    settings = H2Configuration(
        header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
    )
    http = H2Connection(settings)
    found = []
    with dial(port, sni, "h2", timeout) as connection, contextlib.suppress(TimeoutError, ConnectionError):
        http.initiate_connection()
        for one in requests:
            stream = http.get_next_available_stream_id()
            http.send_headers(stream, _head(one), end_stream=not one.body)
            if one.body:
                http.send_data(stream, one.body, end_stream=True)
            got, over = Got(), False
            found.append(got)
            connection.sendall(http.data_to_send())
            while not over:
                data = connection.recv(65536)
                if not data:
                    return found
                for event in http.receive_data(data):
                    if isinstance(event, ConnectionTerminated):
                        return found
                    if getattr(event, "stream_id", None) != stream:
                        continue
                    if isinstance(event, ResponseReceived):
                        got.status = int(dict(event.headers)[b":status"])
                    elif isinstance(event, Data2):
                        got.body += event.data
                    got.is_reset = got.is_reset or isinstance(event, Reset2)
                    over = over or isinstance(event, StreamEnded | Reset2)
    return found


# --- HTTP/3 -----------------------------------------------------------------------------------------


def _ask_h3(port: int, sni: str, requests: list[Raw], timeout: float) -> list[Got]:
    found: list[Got] = []
    while len(found) < len(requests):
        rest = [RawRequest(headers=_head(one), body=one.body) for one in requests[len(found) :]]
        for outcome in converse(sni, port, rest, timeout=timeout):
            found.append(Got(outcome.status, outcome.body, is_reset=outcome.reset is not None))
            if outcome.closed is not None:  # the rest of the row comes on a new connection
                break
    return found
