"""The clients of the end-to-end tests: libcurl, aioquic for odd visitors, bare TLS for certificates.

Each function blocks (from a coroutine: `asyncio.to_thread`). libcurl is the client that users have; aioquic
shows with which code a server closed, and comes back with the session ticket of an earlier visit.
"""

import asyncio
import contextlib
import socket
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, QuicEvent
from aioquic.tls import SessionTicket
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from mizzen.probe.client import Answer, Protocol, Request, fetch

PROTOCOLS = {"h1": Protocol.H1, "h2": Protocol.H2, "h3": Protocol.H3}

# TLS alerts as QUIC close codes (RFC 9001 section 4.8): 0x100 + alert.
CERTIFICATE_REQUIRED = 0x174
UNKNOWN_CA = 0x130


def asked(
    protocol: str,
    url: str,
    *,
    address: str = "127.0.0.1",
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
    **rest: Any,
) -> Request:
    """A `Request` from a URL; `protocol` is h1, h2 or h3, and `rest` are fields of `Request`."""
    parts = urlsplit(url)
    assert parts.hostname
    return Request(
        host=parts.hostname,
        port=parts.port or {"https": 443, "http": 80}[parts.scheme],
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        scheme=parts.scheme,
        headers=tuple((headers or {}).items()),
        protocol=PROTOCOLS[protocol],
        address=address,
        timeout=timedelta(seconds=timeout),
        **rest,
    )


def curl(protocol: str, url: str, **rest: Any) -> Answer:
    """Ask with libcurl, on a connection of its own; the rest as for `asked`."""
    return fetch(asked(protocol, url, **rest))


# --- aioquic ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What came of one HTTP/3 request by aioquic: a status, or a close code, or neither (a timeout)."""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    close_code: int | None = None  # why the connection ended, when not by our leaving
    close_reason: str = ""
    ticket: SessionTicket | None = None  # the last one that the server gave
    resumed: bool = False  # the server took the ticket we brought
    early: bool = False  # the request went as 0-RTT data, and was taken


class _Visitor(QuicConnectionProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.over = asyncio.Event()
        self.events: list[H3Event] = []
        self.closed: ConnectionTerminated | None = None  # unless it was we who left
        self._leaving = False

    def close(self, *args: Any, **kwargs: Any) -> None:
        self._leaving = True
        super().close(*args, **kwargs)

    def ask(self, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        stream = self._quic.get_next_available_stream_id()
        self.http.send_headers(stream, headers, end_stream=not body)
        if body:
            self.http.send_data(stream, body, end_stream=True)
        self.transmit()

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ConnectionTerminated):
            self.closed = None if self._leaving else event
            self.over.set()
            return
        if isinstance(event, ProtocolNegotiated):
            return
        for http_event in self.http.handle_event(event):
            self.events.append(http_event)
            if isinstance(http_event, HeadersReceived | DataReceived) and http_event.stream_ended:
                self.over.set()


def _configuration(
    sni: str, ca_pem: str, cert_pem: str, key_pem: str, ticket: SessionTicket | None
) -> QuicConfiguration:
    configuration = QuicConfiguration(alpn_protocols=["h3"], server_name=sni, idle_timeout=5.0)
    configuration.cadata = ca_pem.encode()
    configuration.session_ticket = ticket
    if cert_pem:
        certificates = x509.load_pem_x509_certificates(cert_pem.encode())
        configuration.certificate = certificates[0]
        configuration.certificate_chain = certificates[1:]
        configuration.private_key = load_pem_private_key(key_pem.encode(), None)
    return configuration


async def _visit(
    address: tuple[str, int],
    configuration: QuicConfiguration,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    timeout: float,
) -> Visit:
    tickets: list[SessionTicket] = []
    visitors: list[_Visitor] = []

    def create(*args: Any, **kwargs: Any) -> _Visitor:
        visitors.append(_Visitor(*args, **kwargs))
        return visitors[0]

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            # The request is handed in before the handshake is done: with a ticket it may go as 0-RTT data.
            async with connect(
                *address,
                configuration=configuration,
                create_protocol=create,
                session_ticket_handler=tickets.append,
                wait_connected=False,
            ):
                visitors[0].ask(headers, body)
                await visitors[0].over.wait()
    return _outcome(visitors[0], tickets)


def _outcome(visitor: _Visitor, tickets: list[SessionTicket]) -> Visit:
    heads = [event for event in visitor.events if isinstance(event, HeadersReceived)]
    pairs = (
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in heads[0].headers)
        if heads
        else ()
    )
    closed = visitor.closed
    tls = visitor._quic.tls
    return Visit(
        status=int(dict(pairs).get(":status", 0)),
        headers=tuple(pair for pair in pairs if not pair[0].startswith(":")),
        body=b"".join(event.data for event in visitor.events if isinstance(event, DataReceived)),
        close_code=closed.error_code if closed else None,
        close_reason=closed.reason_phrase if closed else "",
        ticket=tickets[-1] if tickets else None,
        resumed=tls.session_resumed,
        early=tls.early_data_accepted,
    )


def visit(
    url: str,
    *,
    address: str = "127.0.0.1",
    ca_pem: str,
    cert_pem: str = "",
    key_pem: str = "",
    ticket: SessionTicket | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 3.0,
    protocol: str = "",
) -> Visit:
    """One HTTP/3 request by aioquic, the server's certificate verified; without `cert_pem` it brings none. `protocol`: of an
    extended CONNECT.

    With a `ticket` of an earlier visit it resumes that session, as a client does that comes back.
    """
    parts = urlsplit(url)
    assert parts.hostname
    port = parts.port or 443
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    authority = parts.hostname if port == 443 else f"{parts.hostname}:{port}"
    head = [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path)]
    head += [(":protocol", protocol)] if protocol else []
    head += [("user-agent", "aioquic"), *((name.lower(), value) for name, value in (headers or {}).items())]
    configuration = _configuration(parts.hostname, ca_pem, cert_pem, key_pem, ticket)
    raw = [(name.encode(), value.encode()) for name, value in head]
    return asyncio.run(_visit((address, port), configuration, raw, body, timeout))


# --- TLS over TCP -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What a TLS server over TCP showed."""

    leaf: x509.Certificate
    version: str  # "TLSv1.3"
    alpn: str | None
    cipher: str

    @property
    def leaf_pem(self) -> str:
        return self.leaf.public_bytes(Encoding.PEM).decode()


def handshake(
    sni: str,
    port: int,
    *,
    address: str = "127.0.0.1",
    ca_pem: str = "",
    cert_pem: str = "",
    key_pem: str = "",
    alpn: tuple[str, ...] = ("h2", "http/1.1"),
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    timeout: float = 3.0,
) -> Handshake:
    """A TLS handshake over TCP; verified only with `ca_pem`. OSError (ssl.SSLError) when it fails.

    In TLS 1.3 a server refuses a client without a certificate only after this returns (RFC 8446 section 2).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = newest
    if ca_pem:
        context.load_verify_locations(cadata=ca_pem)
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if cert_pem:
        with tempfile.TemporaryDirectory() as folder:
            both = Path(folder, "client.pem")
            both.write_text(f"{cert_pem}\n{key_pem}")
            context.load_cert_chain(both)
    context.set_alpn_protocols(list(alpn))
    with (
        socket.create_connection((address, port), timeout) as plain,
        context.wrap_socket(plain, server_hostname=sni) as secured,
    ):
        der, cipher = secured.getpeercert(binary_form=True), secured.cipher()
        assert der and cipher
        return Handshake(
            leaf=x509.load_der_x509_certificate(der),
            version=secured.version() or "",
            alpn=secured.selected_alpn_protocol(),
            cipher=cipher[0],
        )
