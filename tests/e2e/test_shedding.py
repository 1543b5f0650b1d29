"""HTTP/3 given up under real load, step by step, and back when that is over; who is connected stays."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mizzen.probe.load import Load
from tests.harness import gateway
from tests.harness.clients import asked, curl
from tests.harness.gateway import HOST, Authority, Up
from tests.harness.quic_client import connected

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/get"
# So little that a load which leaves room for others is past it.
POLICY = """
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: edge, namespace: istio-system}
spec:
  shedding: {cpuBudget: 8, recoverAt: 5, after: 1s, calm: 2s}
"""
# What costs Envoy much and its clients little: many expressions that a path does not fit.
PIECE = "(abcd)"
PATH = "/" + "abcd" * 15
COSTLY = "/(a|b|c|d)*[a-z]+(x|y)*z"
BY_ENVOY = "  http:\n" + "".join(
    f"  - {{match: [{{uri: {{regex: '{path}'}}}}], directResponse: {{status: 200, body: {{string: hello}}}}}}\n"
    for path in (*(f"{COSTLY}{number}" for number in range(1000)), f"/{PIECE}*")
)
AT_ONCE = 1.0  # seconds; a client that gets no answer waits for three


async def eventually(check: Callable[[], object], seconds: float = 15.0) -> None:
    """Asked now and then: each question is a handshake, which takes CPU too."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(check):
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s: {check}"
        await asyncio.sleep(0.3)


def said(up: Up) -> str:
    return up.mizzen("http3", "status").stdout


async def test_under_load_answers_say_clear_then_quic_refuses_and_both_come_back(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "backend.yaml").write_text(gateway.backend(httpbin))
    (folder / "route.yaml").write_text(gateway.route(port=httpbin).replace("  http:\n", BY_ENVOY))
    (folder / "policy.yaml").write_text(POLICY)

    load = Load(asked("h2", f"https://{HOST}:8443{PATH}", ca_pem=authority.pem), in_flight=20, rate=1000)

    def alt_svc() -> str:
        return curl("h2", URL, ca_pem=authority.pem).header("alt-svc")

    def is_refused() -> bool:
        """Is a new connection over QUIC refused, and at once?"""
        before = time.monotonic()
        error = curl("h3", URL, ca_pem=authority.pem).error
        assert error is None or time.monotonic() - before < AT_ONCE
        return error is not None

    with gateway.up(folder) as up:
        await eventually(lambda: alt_svc().startswith("h3="))
        async with connected(HOST, 8443, ca_pem=authority.pem) as live:
            assert await live.get("/get") == 200
            with load:
                await eventually(lambda: alt_svc() == "clear")
                await eventually(is_refused)
                assert "shed: CPU" in await asyncio.to_thread(said, up)
                # Neither who is connected nor who comes over TCP notices.
                assert await live.get("/get") == 200
            assert load.tally.failed == 0, str(load.tally)
            await eventually(lambda: not is_refused())
            await eventually(lambda: alt_svc().startswith("h3="))
            assert await live.get("/get") == 200
