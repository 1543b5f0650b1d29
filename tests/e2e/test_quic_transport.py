"""What HTTP3Policy `transport` does, as a client and the kernel see it: one Envoy as it comes, one with all of it set."""

import asyncio
import contextlib
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mizzen.model import Model
from mizzen.model.quic import QuicTransport
from tests.harness import small_models as small
from tests.harness.clients import curl
from tests.harness.foreign_sockets import udp_socket
from tests.harness.quic_client import Connection, connected
from tests.harness.served_model import serving
from tests.harness.small_models import CA_PEM, HOST

pytestmark = pytest.mark.e2e

TUNED = QuicTransport(
    idle_timeout=timedelta(seconds=33),
    keepalive=timedelta(seconds=1),
    max_concurrent_streams=37,
    stream_window_bytes=3 * 1024 * 1024,
    connection_window_bytes=7 * 1024 * 1024,
    active_migration=False,
    receive_buffer_bytes=64 * 1024,
    gro=False,
    gso=False,
    stats_period=timedelta(seconds=1),
)
URL = f"https://{HOST}:8443/anything"
LARGEST_ALONE = 1500  # bytes of a datagram that is one


def tuned(port: int, quic: QuicTransport) -> Model:
    model = small.mirrored(port=port)
    tcp, udp = model.listeners
    return replace(model, listeners=(tcp, replace(udp, quic=quic)))


def told(connection: Connection) -> tuple[object, ...]:
    seen = connection.parameters
    return (
        seen.max_idle_timeout,
        seen.initial_max_streams_bidi,
        seen.initial_max_stream_data_bidi_remote,
        seen.initial_max_data,
        seen.disable_active_migration,
    )


def wanted(quic: QuicTransport) -> tuple[object, ...]:
    return (
        quic.idle_timeout / timedelta(milliseconds=1),
        quic.max_concurrent_streams,
        quic.stream_window_bytes,
        quic.connection_window_bytes,
        not quic.active_migration,
    )


def receive_buffer(pid: int) -> int:
    with udp_socket(pid, 8443) as held:
        return held.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # the kernel doubles it (socket(7))


async def pings(connection: Connection) -> int:
    """How many datagrams come while a request waits for its answer."""
    asked = asyncio.create_task(connection.get("/delay/3"))
    await asyncio.sleep(0.8)
    before = len(connection.datagrams)
    await asyncio.sleep(1.9)
    came = len(connection.datagrams) - before
    assert await asked == 200
    return came


async def largest_datagram(connection: Connection) -> int:
    """Of a download, as the kernel hands them over that were sent at once."""
    connection.merge()
    asked = asyncio.create_task(connection.get("/bytes/102400"))
    while not asked.done() and max(connection.datagrams) <= LARGEST_ALONE:
        await asyncio.sleep(0.01)
    asked.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asked
    return max(connection.datagrams)


async def test_as_it_comes_and_with_all_of_it_set(httpbin: int) -> None:
    for quic in (QuicTransport(), TUNED):
        async with serving(tuned(httpbin, quic)) as served:
            async with connected(HOST, 8443, ca_pem=CA_PEM) as connection:
                assert await connection.get("/get") == 200
                assert told(connection) == wanted(quic)
                sent = served.stat("listener.udp_127.0.0.1_8443.quic_stats.cx_tx_packets_total")
                # Pings while a request runs, and counters while a connection lives.
                assert bool(await pings(connection)) is (quic is TUNED)
                counted = served.stat("listener.udp_127.0.0.1_8443.quic_stats.cx_tx_packets_total")
                assert (counted > sent) is (quic is TUNED)
                assert (await largest_datagram(connection) > LARGEST_ALONE) is quic.gso
            most = int(Path("/proc/sys/net/core/rmem_max").read_text())
            assert receive_buffer(served.envoy.process.pid) == min(quic.receive_buffer_bytes, most)
            # With GRO and without: a client that sends many datagrams at once (libcurl) is heard.
            sent = await asyncio.to_thread(curl, "h3", URL, ca_pem=CA_PEM, method="POST", body=bytes(200_000))
            assert (sent.status, sent.error) == (200, None)
