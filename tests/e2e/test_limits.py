"""A control plane on the network, and strangers who would use it up."""

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from mizzen.authority.identity import Identity
from mizzen.authority.messages import METHOD, SERVICE
from tests.e2e.test_network import EDGE, URL, Site, _configuration, site  # noqa: F401
from tests.harness.clients import curl
from tests.harness.gateway import Authority, eventually, route

pytestmark = pytest.mark.e2e

IDLE = 1_200
MB = 2**20


def memory(pid: int) -> int:
    """MB that a process has in memory."""
    line = next(
        one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")
    )
    return int(line.split()[1]) // 1024


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.parametrize("port", ["join", "secure"])
def test_idle_connections_starve_nobody(site: Site, authority: Authority, port: str) -> None:  # noqa: F811
    site.open_files = 1024
    pilot = site.pilot()
    site.open_files = 0
    site.proxy("router", EDGE, site.token(*EDGE[1:]))
    site.wait_ready(EDGE[0])
    before = open_files(pilot.pid)
    with contextlib.ExitStack() as idle:
        for _ in range(IDLE):
            with contextlib.suppress(OSError):
                idle.enter_context(socket.create_connection(("127.0.0.1", getattr(site, port)), timeout=5))
        assert open_files(pilot.pid) < 1024 - 100
        # Files are read, and the proxy that is there is served.
        (site.folder / "route.yaml").write_text(route(header="2"))
        eventually(lambda: curl("h2", URL, ca_pem=authority.pem).header("x-version") == "2")
        if port == "join":  # who says nothing is cut off, and others come in again
            eventually(lambda: open_files(pilot.pid) < before + 20, 20.0)
            assert asyncio.run(_configuration(site, Identity(namespace=EDGE[1], service_account=EDGE[2])))
    assert pilot.poll() is None
    assert "Traceback" not in site.log("pilot")


@pytest.mark.parametrize("port", ["join", "plaintext"])
def test_a_large_message_of_somebody_unknown_costs_little(site: Site, port: str) -> None:  # noqa: F811
    pilot = site.pilot()
    before = memory(pilot.pid)
    assert asyncio.run(_send(site, port, b"x" * (256 * MB))) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert memory(pilot.pid) - before < 100
    assert asyncio.run(_send(site, port, b"")) in (
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.INVALID_ARGUMENT,
    )


async def _send(site: Site, port: str, message: bytes) -> grpc.StatusCode:  # noqa: F811
    """How the control plane answers to bytes from somebody without a certificate."""
    where, options = f"127.0.0.1:{getattr(site, port)}", [("grpc.max_send_message_length", -1)]
    if port == "join":
        channel = grpc.aio.secure_channel(
            where, grpc.ssl_channel_credentials(site.bundle.read_bytes()), options
        )
        method = f"/{SERVICE}/{METHOD}"
    else:
        channel = grpc.aio.insecure_channel(where, options)
        method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
    async with channel:
        if port == "join":
            call: Any = channel.unary_unary(method)(message, timeout=60)
        else:
            call = channel.stream_unary(method)(iter([message]), timeout=60)
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK
