"""What the cases become, a real Envoy takes: one after the other, over delta ADS, all on one Envoy."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from mizzen._api import pb
from mizzen.envoy import authorization, config, listeners, route, route_tables, virtual_host
from mizzen.pipeline import Settings
from mizzen.xds.resource_type import ENDPOINTS, LISTENER
from mizzen.xds.snapshot import Snapshot, snapshot
from tests.golden import Case, built, cases, filled, material
from tests.harness.clients import curl
from tests.harness.snapshots import held
from tests.harness.told_envoy import Told, told_envoy

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

SECONDS = 5.0  # until a case has arrived


@dataclass(frozen=True, slots=True)
class Envoy:
    """One that is offered what it shall hold, and says what it has against it."""

    told: Told

    async def offer(self, snapshot: Snapshot) -> str:
        """What Envoy has against `snapshot`; "" once it holds all of it."""
        start = len(self.told.log.read_text(errors="replace"))
        self.told.ads.publish(self.told.spec.key, snapshot)
        await asyncio.sleep(0.005)  # else it would be answered by what was before
        deadline = time.monotonic() + SECONDS
        while not (said := self._said(snapshot)):
            if time.monotonic() > deadline:
                return f"it did not arrive within {SECONDS:g} s: {self._missing(snapshot)}\n{self._logged(start)}"
            await asyncio.sleep(0.005)
        return "" if said == "taken" else said

    def _said(self, snapshot: Snapshot) -> str:
        """ "taken", why not, or "" while Envoy is still at it."""
        for client in self.told.ads.status():
            if refused := client.stream.rejections:
                return "\n".join(
                    f"{url.rpartition('.')[2]} {name}: {why}" for (url, name), why in refused.items()
                )
            if not self._missing(snapshot):
                return "taken"
        return ""

    def _missing(self, snapshot: Snapshot) -> list[str]:
        """What Envoy has neither confirmed nor refused."""
        clients = self.told.ads.status()
        held = {one.type_url: one.acked for client in clients for one in client.stream.types}
        return [
            f"{url.rpartition('.')[2]} {name}"
            for url, named in snapshot.types.items()
            for name, entry in named.items()
            if held.get(url, {}).get(name) != entry.version
        ]

    def _logged(self, start: int) -> str:
        return self.told.log.read_text(errors="replace")[start:][-3000:]


@asynccontextmanager
async def running() -> AsyncIterator[Envoy]:
    # What one case listened on shall not be in the way of the next.
    async with told_envoy(drain_seconds=1) as told:
        yield Envoy(told)


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="envoy")
async def one_envoy_for_all() -> AsyncIterator[Envoy]:
    async with running() as envoy:
        yield envoy


# Of the others nothing is made, on purpose.
MADE = [case for case in cases() if case.build().gateways]


@pytest.mark.parametrize("case", MADE, ids=lambda case: case.name)
async def test_envoy_takes(envoy: Envoy, case: Case) -> None:
    gateway = case.chosen(case.build())
    made = gateway.config(gateway.announced_when_proven())

    assert await envoy.offer(held(made)) == ""


async def test_envoys_refusal_would_be_noticed(envoy: Envoy) -> None:
    match = pb.RouteMatch(safe_regex=pb.RegexMatcher(regex="("))
    host = pb.VirtualHost(name="all", domains=["*"], routes=[pb.Route(match=match)])
    manager = pb.HttpConnectionManager(
        stat_prefix="bad", route_config=pb.RouteConfiguration(virtual_hosts=[host])
    )
    bad = pb.Listener(name="bad")
    bad.address.socket_address.address = "127.0.0.1"
    bad.address.socket_address.port_value = 9999
    bad.filter_chains.add().filters.add(name="hcm").typed_config.Pack(manager)

    assert "Listener bad: " in await envoy.offer(snapshot({LISTENER.url: {"bad": bad}}))


# --- what stands for a fault of ours ------------------------------------------------------------------

CLOSED = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: istio-system}
spec:
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [shop.test]
    tls: {mode: SIMPLE, credentialName: shop}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routes, namespace: istio-system}
spec:
  hosts: [shop.test]
  gateways: [web]
  http:
  - {match: [{uri: {prefix: /free}}], directResponse: {status: 200}}
  - match: [{uri: {prefix: /behind}}]
    rewrite: {uri: /free}  # behind it is the gateway itself
    route: [{destination: {host: behind.test}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: behind, namespace: istio-system}
spec:
  hosts: [behind.test]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: web, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: 8080, web: 8080}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: istio-system}
spec:
  action: DENY
  rules: [{to: [{operation: {paths: [/secret]}}]}]
---
apiVersion: v1
kind: Secret
metadata: {name: shop, namespace: istio-system}
type: kubernetes.io/tls
data: {tls.crt: "${b64:shop.test.crt}", tls.key: "${b64:shop.test.key}"}
"""
URLS = (("h1", "http://shop.test:8080"), ("h2", "https://shop.test:8443"), ("h3", "https://shop.test:8443"))
FREE, BEHIND = "/free", "/behind"


def outcome(protocol: str, url: str) -> int:
    """The status; 0 where the connection is refused."""
    answer = curl(protocol, url, verify=False)
    return 0 if answer.error else answer.status


@pytest.mark.parametrize(
    ("where", "step", "free", "behind"),
    [
        (None, "", 200, 200),
        (listeners, "filter_chain", 0, 0),
        (route_tables, "virtual_host", 404, 404),
        (virtual_host, "route", 404, 404),
        (route, "route_action", 200, 500),
        (route, "direct_response_action", 500, 500),
        (config, "cluster_load_assignment", 200, 503),
        (config, "cluster", 200, 503),
        (authorization, "header", 200, 200),  # this policy has none
        (authorization, "text", 403, 403),
    ],
)
async def test_what_stands_for_a_fault_is_taken_and_closes(
    envoy: Envoy, monkeypatch: pytest.MonkeyPatch, where: Any, step: str, free: int, behind: int
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise RecursionError("made to fail")

    if where is not None:
        monkeypatch.setattr(where, step, fails)
    (gateway,) = built({"all.yaml": filled(CLOSED.encode(), material)}, Settings()).gateways
    made = held(gateway.config(gateway.announced_when_proven()))
    if step == "cluster":  # nobody asks for the endpoints of a cluster that is not there
        made = made.without(ENDPOINTS.url)

    assert await envoy.offer(made) == ""
    for protocol, url in URLS:
        assert await asyncio.to_thread(outcome, protocol, url + FREE) == free, protocol
        assert await asyncio.to_thread(outcome, protocol, url + BEHIND) == behind, protocol


@pytest.mark.parametrize(
    ("where", "step", "spoil", "free", "behind"),
    [
        (route, "route_action", lambda out: out.hash_policy.add().header.SetInParent(), 200, 500),
        (config, "cluster", lambda out: setattr(out.connect_timeout, "seconds", -1), 200, 503),
        (listeners, "filter_chain", lambda out: out.filters.add(), 0, 0),
    ],
    ids=["route", "cluster", "chain"],
)
async def test_what_envoy_would_refuse_is_not_sent_and_closes(
    envoy: Envoy,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    step: str,
    spoil: Callable[[Any], object],
    free: int,
    behind: int,
) -> None:
    original = getattr(where, step)

    def spoilt(*given: Any, **more: Any) -> Any:
        out = original(*given, **more)
        spoil(out)
        return out

    monkeypatch.setattr(where, step, spoilt)
    (gateway,) = built({"all.yaml": filled(CLOSED.encode(), material)}, Settings()).gateways
    told = gateway.config(gateway.announced_when_proven())
    made = held(told)
    if step == "cluster":
        made = made.without(ENDPOINTS.url)

    assert {problem.code for problem in told.problems} == {"INT-003"}
    assert all("RefusedByEnvoy" in problem.message for problem in told.problems)
    assert await envoy.offer(made) == ""
    for protocol, url in URLS:
        assert await asyncio.to_thread(outcome, protocol, url + FREE) == free, protocol
        assert await asyncio.to_thread(outcome, protocol, url + BEHIND) == behind, protocol
