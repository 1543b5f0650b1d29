"""How QUIC listeners carry HTTP/3. The defaults are ours, for an edge; docs/tuning-http3.md says why and when to touch them."""

from dataclasses import field
from datetime import timedelta

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass

# While a request runs the gateway pings, so that its client hears from it within the shortest idle time that clients
# offer (30 s): QUIC's idle time (RFC 9000 section 10.1) knows nothing of requests, unlike that of HTTP over TCP.
KEEPALIVE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicTransport:
    """From HTTP3Policy `transport`. All but `keepalive` are fields of the listener itself."""

    idle_timeout: timedelta = timedelta(seconds=120)
    keepalive: timedelta = KEEPALIVE
    # How much a client may keep in flight. Envoy's own windows (16 and 24 MiB) are what one slow client could
    # make the gateway hold.
    max_concurrent_streams: int = 100
    stream_window_bytes: int = 1024 * 1024
    connection_window_bytes: int = 4 * 1024 * 1024
    active_migration: bool = True
    # All clients of a port share one UDP socket per worker; with the kernel's 208 KiB it overflows under uploads.
    receive_buffer_bytes: int = 2 * 1024 * 1024
    gro: bool = True
    gso: bool = True
    stats_period: timedelta | None = None  # None: a connection counts when it ends


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionIds:
    """How connection ids are made that a balancer can read (QUIC-LB). Each Envoy knows its own server id."""

    server_id_bytes: int
    nonce_bytes: int
    key: str  # name of a ConnectionIdKey
    origin: ResourceRef  # the policy that says so
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionIdKey:
    """What connection ids are encrypted with, and which key that is."""

    name: str
    key: bytes = field(repr=False)  # 16 bytes: AES-128
    version: int  # 0 to 6
    origin: ResourceRef
