"""HTTP3Policy `transport`: how the QUIC listeners of a gateway carry HTTP/3. What each costs: docs/tuning-http3.md."""

from datetime import timedelta
from typing import Annotated

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Least, Range

KIB, MIB = 1024, 1024 * 1024
LONGEST_IDLE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings(Element):
    """Without a value each is what is good for an edge (`mizzen.model.quic.QuicTransport`). All but `keepalive` are the
    listener's own: to change one closes the HTTP/3 connections of the gateway, after a drain."""

    idle_timeout: Annotated[
        timedelta | None,
        Least(timedelta(seconds=1)),
        "a connection on which nothing moves is closed; to 1h. None: 2m",
    ] = None
    keepalive: Annotated[
        timedelta | None,
        Least(timedelta(seconds=1)),
        "while a request runs the gateway pings this often; reconnects, closes nothing else. None: 15s",
    ] = None
    max_concurrent_streams: Annotated[
        int | None, Range(1, 10_000), "requests of one client at a time. None: 100"
    ] = None
    stream_window_bytes: Annotated[
        int | None, Range(64 * KIB, 16 * MIB), "of an upload that may be under way. None: 1 MiB"
    ] = None
    connection_window_bytes: Annotated[
        int | None, Range(64 * KIB, 24 * MIB), "of all uploads of a client under way. None: 4 MiB"
    ] = None
    active_migration: Annotated[
        bool | None, "whether clients are told that they may change their address on purpose. None: true"
    ] = None
    receive_buffer_bytes: Annotated[
        int | None,
        Range(64 * KIB, 1024 * MIB),
        "of each worker's socket; the kernel's net.core.rmem_max bounds it. None: 2 MiB",
    ] = None
    gro: Annotated[bool | None, "the kernel hands over many datagrams at once. None: true"] = None
    gso: Annotated[bool | None, "the kernel takes many datagrams at once. None: true"] = None
    stats_period: Annotated[
        timedelta | None,
        Least(timedelta(seconds=1)),
        "counters of round trips and losses follow living connections. None: when each ends",
    ] = None
