"""Clients that send what they are told, byte by byte: odd hosts, paths and header values, over HTTP/1.1, 2 and 3.

Each asks many requests on few connections; one that the server closes is opened again. Certificates are not verified:
who uses these looks at what is answered to whom.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamReset
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived as Data2
from h2.events import ResponseReceived, StreamEnded
from h2.events import StreamReset as Reset2

SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A request as it goes over the wire."""

    host: bytes = b"shop.test"
    path: bytes = b"/"
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True)
class Got:
    """An answer; status 0: the stream or connection was closed instead."""

    status: int = 0
    body: bytes = b""


def ask(protocol: str, port: int, sni: str, requests: Iterable[Raw]) -> list[Got]:
    """What each of `requests` is answered; `protocol` is "h1" (over TLS), "plain" (HTTP/1.1 without), "h2" or "h3"."""
    listed = list(requests)
    if protocol == "h3":
        return asyncio.run(_ask_h3(port, sni, listed))
    if protocol == "h2":
        return _ask_h2(port, sni, listed)
    return _ask_h1(port, sni if protocol == "h1" else "", listed)


def _dial(port: int, sni: str, alpn: str) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", port), SECONDS)
    if not sni:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    return context.wrap_socket(plain, server_hostname=sni)


# --- HTTP/1.1 ---------------------------------------------------------------------------------------


def _ask_h1(port: int, sni: str, requests: list[Raw]) -> list[Got]:
    found = []
    connection = _dial(port, sni, "http/1.1")
    try:
        for one in requests:
            head = b"GET " + one.path + b" HTTP/1.1\r\nhost: " + one.host + b"\r\n"
            head += b"".join(name + b": " + value + b"\r\n" for name, value in one.headers)
            got, is_open = _exchange(connection, head + b"\r\n")
            found.append(got)
            if not is_open:
                connection.close()
                connection = _dial(port, sni, "http/1.1")
    finally:
        connection.close()
    return found


def _exchange(connection: socket.socket, request: bytes) -> tuple[Got, bool]:
    """The answer, and whether the connection stays open."""
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
    named = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", one.host), (b":path", one.path)]
    return [*named, *one.headers]


def _ask_h2(port: int, sni: str, requests: list[Raw]) -> list[Got]:
    found: list[Got] = []
    while len(found) < len(requests):  # a connection error ends the connection, not the row
        found += _on_one_h2(port, sni, requests[len(found) :])
    return found


def _on_one_h2(port: int, sni: str, requests: list[Raw]) -> list[Got]:
    settings = H2Configuration(
        header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
    )
    http = H2Connection(settings)
    found = []
    with _dial(port, sni, "h2") as connection:
        http.initiate_connection()
        for one in requests:
            stream = http.get_next_available_stream_id()
            http.send_headers(stream, _head(one), end_stream=True)
            got, over = Got(), False
            found.append(got)
            connection.sendall(http.data_to_send())
            while not over:
                data = connection.recv(65536)
                if not data:
                    return found
                for event in http.receive_data(data):
                    if getattr(event, "stream_id", None) != stream:
                        continue
                    if isinstance(event, ResponseReceived):
                        got.status = int(dict(event.headers)[b":status"])
                    elif isinstance(event, Data2):
                        got.body += event.data
                    over = over or isinstance(event, StreamEnded | Reset2)
    return found


# --- HTTP/3 -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Pending:
    got: Got = field(default_factory=Got)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class _Client(QuicConnectionProtocol):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.http = H3Connection(self._quic)
        self.pending: dict[int, _Pending] = {}
        self.is_closed = False

    async def ask(self, one: Raw) -> Got:
        stream = self._quic.get_next_available_stream_id()
        pending = self.pending[stream] = _Pending()
        self.http.send_headers(stream, _head(one), end_stream=True)
        self.transmit()
        await asyncio.wait_for(pending.over.wait(), SECONDS)
        return pending.got

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ConnectionTerminated):
            self.is_closed = True
            for pending in self.pending.values():
                pending.over.set()
        if isinstance(event, StreamReset) and event.stream_id in self.pending:
            self.pending[event.stream_id].over.set()
        for http_event in self.http.handle_event(event):
            pending = self.pending.get(getattr(http_event, "stream_id", -1))
            if pending is None:
                continue
            if isinstance(http_event, HeadersReceived):
                pending.got.status = int(dict(http_event.headers)[b":status"])
            if isinstance(http_event, DataReceived):
                pending.got.body += http_event.data
            if isinstance(http_event, HeadersReceived | DataReceived) and http_event.stream_ended:
                pending.over.set()


async def _ask_h3(port: int, sni: str, requests: list[Raw]) -> list[Got]:
    configuration = QuicConfiguration(alpn_protocols=["h3"], server_name=sni, verify_mode=ssl.CERT_NONE)
    found: list[Got] = []
    while len(found) < len(requests):
        async with connect("127.0.0.1", port, configuration=configuration, create_protocol=_Client) as client:
            assert isinstance(client, _Client)
            for one in requests[len(found) :]:
                found.append(await client.ask(one))
                if client.is_closed:
                    break
    return found
