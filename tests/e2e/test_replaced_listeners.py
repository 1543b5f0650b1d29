"""A QUIC listener whose own fields change while clients are connected: nobody waits, nobody is reset."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority
from tests.harness.quic_client import connected

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/get"
DRAIN_SECONDS = 3
OPERATOR = f"""
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {{name: installed, namespace: istio-system}}
spec:
  meshConfig: {{defaultConfig: {{drainDuration: {DRAIN_SECONDS}s}}}}
  values: {{pilot: {{env: {{PILOT_ENABLE_QUIC_LISTENERS: "true"}}}}}}
  components:
    ingressGateways:
    - name: istio-ingressgateway
      enabled: true
      k8s:
        service:
          ports:
          - {{name: https, port: 443, targetPort: 8443}}
          - {{name: http3, port: 443, targetPort: 8443, protocol: UDP}}
"""
POLICY = """
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: edge, namespace: istio-system}
spec:
  transport: {idleTimeout: 33s}
"""
AT_ONCE = 1.0  # seconds; a client that gets no answer waits for three


async def test_connections_drain_new_ones_are_refused_at_once_and_then_it_is_another(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    (folder / "operator.yaml").write_text(OPERATOR)
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "backend.yaml").write_text(gateway.backend(httpbin))
    (folder / "route.yaml").write_text(gateway.route(port=httpbin))

    async def new() -> tuple[bool, float]:
        """Is a new connection taken over QUIC, and how soon is that known?"""
        before = time.monotonic()
        answer = await asyncio.to_thread(curl, "h3", URL, ca_pem=authority.pem)
        return answer.error is None, time.monotonic() - before

    async def until(wanted: bool) -> list[float]:
        """Ask anew until QUIC takes (or refuses) connections; how long each answer took."""
        took, deadline = [], time.monotonic() + 15
        while True:
            is_taken, seconds = await new()
            took.append(seconds)
            if is_taken is wanted:
                return took
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    with gateway.up(folder) as up:
        await until(True)
        async with connected(HOST, 8443, ca_pem=authority.pem) as live:
            assert live.parameters.max_idle_timeout == 120_000
            running = asyncio.create_task(live.get("/delay/2", timeout=10))
            await asyncio.sleep(0.2)
            (folder / "policy.yaml").write_text(POLICY)
            took = await until(False)
            assert curl("h2", URL, ca_pem=authority.pem).header("alt-svc") == "clear"
            status = await asyncio.to_thread(up.status)
            assert status["gateways"]["istio-ingressgateway.istio-system"]["ready"]
            # What ran when it began ends well, and the connection is closed in good order.
            assert await running == 200
            took += await until(True)
            assert live.closed is not None
            assert live.closed.error_code == 0
        # But for who came in the moment of the change: a datagram of its handshake may have met the old listener.
        assert max(took[:-1]) < AT_ONCE
        # The old listener drains on beside the new one; that is not noticed.
        for _ in range(20):
            began = time.monotonic()
            async with connected(HOST, 8443, ca_pem=authority.pem) as after:
                assert time.monotonic() - began < AT_ONCE
                assert after.parameters.max_idle_timeout == 33_000
                assert await after.get("/get", timeout=AT_ONCE) == 200
