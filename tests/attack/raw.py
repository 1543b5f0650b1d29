"""Clients that put bytes on the wire as they are given: HTTP/1.1 over TLS, and HTTP/2 frames (RFC 9113).

HTTP/3 has its own in tests/e2e/h3_raw.py. None of them judges; they say what came back.
"""

import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

Headers = Sequence[tuple[bytes, bytes]]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4


def connect(sni: str, port: int, ca_pem: str, alpn: str, timeout: float = 3.0) -> ssl.SSLSocket:
    """A TLS connection to the gateway on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca_pem)
    context.set_alpn_protocols([alpn])
    plain = socket.create_connection(("127.0.0.1", port), timeout)
    return context.wrap_socket(plain, server_hostname=sni)


def exchange(sni: str, port: int, ca_pem: str, sent: bytes, timeout: float = 0.7) -> bytes:
    """Send bytes over HTTP/1.1; what came back until the server closed or said nothing for `timeout`."""
    received = b""
    with connect(sni, port, ca_pem, "http/1.1") as secured:
        secured.sendall(sent)
        secured.settimeout(timeout)
        try:
            while chunk := secured.recv(65536):
                received += chunk
        except (TimeoutError, OSError):
            pass
    return received


def statuses(received: bytes) -> list[int]:
    """The status of every HTTP/1.1 answer."""
    parts = received.split(b"HTTP/1.1 ")[1:]
    return [int(part[:3]) for part in parts]


@dataclass(slots=True)
class Stream:
    """What came of one HTTP/2 stream."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: int | None = None  # RST_STREAM, or
    goaway: int | None = None  # the connection was ended


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def h2_request(headers: Headers, body: bytes = b"", stream: int = 1) -> bytes:
    """The frames of a request; nothing about `headers` is checked, and nothing of them is changed."""
    block = Encoder().encode([(name, value) for name, value in headers], huffman=False)
    sent = frame(HEADERS, END_HEADERS | (0 if body else END_STREAM), stream, block)
    return sent + (frame(DATA, END_STREAM, stream, body) if body else b"")


def h2(sni: str, port: int, ca_pem: str, headers: Headers, body: bytes = b"", timeout: float = 2.0) -> Stream:
    """One request over HTTP/2."""
    outcome, decoder = Stream(), Decoder()
    with connect(sni, port, ca_pem, "h2", timeout) as secured:
        secured.sendall(_PREFACE + frame(SETTINGS, 0, 0, b"") + h2_request(headers, body))
        received = b""
        try:
            while chunk := secured.recv(65536):
                received += chunk
                while len(received) >= 9 and len(received) >= 9 + int.from_bytes(received[:3]):
                    length = int.from_bytes(received[:3])
                    kind, flags = received[3], received[4]
                    payload, received = received[9 : 9 + length], received[9 + length :]
                    if _take(outcome, decoder, kind, flags, payload):
                        return outcome
        except (TimeoutError, OSError):
            pass
    return outcome


def _take(outcome: Stream, decoder: Decoder, kind: int, flags: int, payload: bytes) -> bool:
    """Take in one frame; True when the stream is over."""
    if kind == HEADERS:
        pairs = decoder.decode(payload)
        outcome.headers = {str(name): str(value) for name, value in pairs}
        outcome.status = int(outcome.headers.get(":status", 0))
    elif kind == DATA:
        outcome.body += payload
    elif kind == RST_STREAM:
        outcome.reset = int.from_bytes(payload[:4])
    elif kind == GOAWAY:
        outcome.goaway = int.from_bytes(payload[4:8])
    return kind in (RST_STREAM, GOAWAY) or (kind in (HEADERS, DATA) and bool(flags & END_STREAM))
