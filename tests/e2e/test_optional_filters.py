"""Filters that are off until a route asks for them: a first use closes nothing, and none is off that is needed."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from attacked_site import ISSUER, Issuer

from mizzen.envoy import scoped_route
from mizzen.envoy.config import EnvoyConfig
from mizzen.envoy.filters.meeting import Meeting
from mizzen.pipeline import Settings, to_snapshot
from tests.e2e.test_cases_on_envoy import Envoy, running
from tests.e2e.test_scoped_routes import PROTOCOLS, clients, drained, version_is, write
from tests.golden import built
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, eventually

pytestmark = pytest.mark.e2e

FIRST_USES = {
    "cors": "\n    corsPolicy: {allowOrigins: [{exact: 'https://page.test'}], exposeHeaders: [x-shown]}",
    "fault": "\n    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}",
    "grpc": "",  # the port of the backend says so
}


@pytest.mark.parametrize("use", FIRST_USES)
@pytest.mark.parametrize("scoped", ["always", "never"])
def test_a_first_use_closes_no_connection(
    folder: Path, authority: Authority, httpbin: int, scoped: str, use: str
) -> None:
    write(folder, authority)
    backend = gateway.backend(httpbin)
    (folder / "backend.yaml").write_text(backend)
    (folder / "route.yaml").write_text(gateway.route(port=httpbin))
    with gateway.up(folder, environment={"MIZZEN_SCOPED_ROUTES": scoped}) as up, clients(authority) as of:
        of.ask()
        before = drained(up)
        assert before

        changed = gateway.route(header="2", port=httpbin).rstrip() + FIRST_USES[use]
        if use == "grpc":
            gateway.replace_file(folder / "backend.yaml", backend.replace("protocol: HTTP", "protocol: GRPC"))
        gateway.replace_file(folder / "route.yaml", changed + "\n")
        eventually(
            version_is(of, "2")
            if use != "fault"
            else lambda: {one.status for one in of.ask().values()} == {418}
        )

        assert {one.reused for one in of.ask().values()} == {True}
        assert drained(up) == before


# --- decisions ----------------------------------------------------------------------------------------

SEEDS = range(8)
PATHS = ("/a", "/b", "/c", "/d", "/none")
ORIGIN = "https://page.test"
GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https-shop, protocol: HTTPS}
    hosts: [HOSTS]
    tls: {mode: SIMPLE, credentialName: shop-tls}
"""


class Site:
    """Routes with and without what the filters do, rules of access and tokens, at random."""

    def __init__(self, seed: int, issuer: Issuer) -> None:
        self.chance = random.Random(seed)
        self.issuer = issuer
        self.has_tokens = seed % 2 == 1
        self.is_scoped = seed % 4 >= 2

    def text(self, authority: Authority, port: int) -> bytes:
        hosts = f'"{HOST}", "other.test"' if self.is_scoped else '"*"'
        objects = [self.virtual_service("shop", HOST), self.virtual_service("other", "other.test")]
        if self.has_tokens:
            rule = {"issuer": ISSUER, "jwks": self.issuer.jwks}
            objects.append(self.whole("security.istio.io/v1", "RequestAuthentication", {"jwtRules": [rule]}))
        if self.chance.random() < 0.5:
            to = [{"operation": {"paths": [self.chance.choice(PATHS)]}}]
            spec = {"action": "DENY", "rules": [{"to": to}]}
            objects.append(self.whole("security.istio.io/v1", "AuthorizationPolicy", spec))
        documents = [GATEWAY.replace("HOSTS", hosts), gateway.secret("shop-tls", authority.server())]
        documents.append(gateway.backend(port))
        return "\n---\n".join([*documents, *map(json.dumps, objects)]).encode()

    def virtual_service(self, name: str, host: str) -> dict[str, Any]:
        http = [self.rule(path) for path in PATHS[:-1] for _ in range(self.chance.choice((1, 2)))]
        spec = {"hosts": [host], "gateways": ["shop"], "http": http}
        return self.whole("networking.istio.io/v1", "VirtualService", spec, name)

    def rule(self, path: str) -> dict[str, Any]:
        match: dict[str, Any] = {"uri": {"prefix": path}}
        if self.has_tokens and self.chance.random() < 0.5:
            match["headers"] = {"@request.auth.claims.group": {"exact": "staff"}}
        out: dict[str, Any] = {"match": [match]}
        action = self.chance.choice(("redirect", "directResponse", "route", "route"))
        if action == "redirect":
            out[action] = {"uri": "/elsewhere"}
        elif action == "directResponse":
            out[action] = {"status": self.chance.choice((200, 503)), "body": {"string": path}}
        else:
            out[action] = [{"destination": {"host": "backend.test"}}]
            out["rewrite"] = {"uri": self.chance.choice(("/status/200", "/status/404"))}
            if self.chance.random() < 0.5:
                out["fault"] = {"abort": {"httpStatus": 418, "percentage": {"value": 100}}}
        if self.chance.random() < 0.5:
            out["corsPolicy"] = {"allowOrigins": [{"exact": ORIGIN}], "allowMethods": ["GET"]}
        return out

    def whole(self, version: str, kind: str, spec: dict[str, Any], name: str = "all") -> dict[str, Any]:
        metadata = {"name": name, "namespace": "istio-system"}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}

    def requests(self) -> Iterator[tuple[str, str, str, dict[str, str]]]:
        """Protocol, method, path and headers."""
        tokens = [None, self.issuer.token(group="staff"), "no token"] if self.has_tokens else [None]
        for path in PATHS:
            for host in (HOST, "Shop.TEST", "other.test", "nobody.test"):
                for method in ("GET", "OPTIONS"):
                    for token in tokens:
                        headers = {"Host": host, "Origin": ORIGIN}
                        headers |= {"Access-Control-Request-Method": "GET"} if method == "OPTIONS" else {}
                        headers |= {"Authorization": f"Bearer {token}"} if token else {}
                        yield self.chance.choice(PROTOCOLS), method, path, headers


@contextmanager
def always_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Filters that are optional stand in every chain, as they do in Istio's."""
    with monkeypatch.context() as changed:
        changed.setattr(Meeting, "optional_are_off", False)
        changed.setattr(scoped_route, "OPTIONAL_FILTERS", ())
        scoped_route._around.cache_clear()
        yield
    scoped_route._around.cache_clear()


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="envoy")
async def one_envoy_for_all() -> AsyncIterator[Envoy]:
    async with running() as envoy:
        yield envoy


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.asyncio(loop_scope="module")
async def test_no_filter_is_off_that_a_request_needs(
    envoy: Envoy, authority: Authority, httpbin: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same answers as with all filters always on: for routes that are chosen late, redirects, faults and 404s too."""
    site = Site(seed, Issuer())
    environment = {"MIZZEN_SCOPED_ROUTES": "always" if site.is_scoped else "never"}
    [made] = built({"in.yaml": site.text(authority, httpbin)}, Settings(environment=environment)).gateways
    asked = list(site.requests())

    config = made.config(made.announced_when_proven())
    with always_on(monkeypatch):
        all_on = made.config(made.announced_when_proven())
    assert (all_on.bodies != config.bodies) is not site.has_tokens

    ours = await answers(envoy, config, authority, asked)
    theirs = await answers(envoy, all_on, authority, asked)

    assert ours == theirs
    assert len({status for status, _, _ in ours}) > 2


async def answers(
    envoy: Envoy, config: EnvoyConfig, authority: Authority, asked: list[Any]
) -> list[tuple[int, Mapping[str, str], str]]:
    """Status, headers that filters make, and body, of each request."""
    assert await envoy.offer(to_snapshot(config, None)) == ""
    return await asyncio.to_thread(lambda: [answer(authority, *one) for one in asked])


def answer(
    authority: Authority, protocol: str, method: str, path: str, headers: dict[str, str]
) -> tuple[int, Mapping[str, str], str]:
    received = curl(
        protocol, f"https://{HOST}:8443{path}", ca_pem=authority.pem, method=method, headers=headers
    )
    assert received.error is None, (protocol, method, path, headers, received.error)
    shown = {
        name: value for name, value in received.headers if name.startswith(("access-", "location", "alt-"))
    }
    return received.status, shown, received.text
