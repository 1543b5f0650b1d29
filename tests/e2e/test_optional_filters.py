"""Filters that are off until a route asks for them: a first use closes nothing, and none is off that is needed."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.config import LISTENERS, ROUTES, SCOPED_ROUTES, EnvoyConfig
from mizzen.pipeline import Settings
from tests.e2e.test_cases_on_envoy import Envoy, running
from tests.e2e.test_external_authorizers import MESH
from tests.e2e.test_scoped_routes import PROTOCOLS, clients, drained, version_is, write
from tests.golden import built
from tests.harness import gateway
from tests.harness.authorizer import over_http
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, eventually
from tests.harness.issuer import ISSUER, Issuer
from tests.harness.snapshots import held

pytestmark = pytest.mark.e2e

FIRST_USES = {
    "cors": "\n    corsPolicy: {allowOrigins: [{exact: 'https://page.test'}], exposeHeaders: [x-shown]}",
    "fault": "\n    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}",
    "grpc": "",  # the port of the backend says so
    "policy": "",
    "token": "",
    "authorizer": "",
}
POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}
"""
LOGIN = [{"name": "login", "envoyExtAuthzHttp": {"service": "login.test", "port": 80}}]
ASK = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: asked, namespace: istio-system}
spec: {action: CUSTOM, provider: {name: login}, rules: [{to: [{operation: {methods: [GET]}}]}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: login, namespace: istio-system}
spec:
  hosts: [login.test]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: PORT}}]
"""
STATUS = {"fault": 418, "policy": 403, "token": 401, "authorizer": 401}


def tokens(issuer: Issuer) -> str:
    return (
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\n"
        "metadata: {name: token, namespace: istio-system}\n"
        f"spec:\n  jwtRules:\n  - issuer: {ISSUER}\n    jwks: '{issuer.jwks}'\n"
    )


@pytest.fixture(scope="module")
def authorizer() -> Iterator[int]:
    """The port of one that lets nobody in."""
    with over_http() as one:
        yield one.port


@pytest.mark.parametrize("use", FIRST_USES)
@pytest.mark.parametrize("scoped", ["always", "never"])
def test_a_first_use_closes_no_connection(
    folder: Path, authority: Authority, httpbin: int, authorizer: int, scoped: str, use: str
) -> None:
    write(folder, authority)
    (folder / "mesh.yaml").write_text(MESH.replace("PROVIDERS", json.dumps(LOGIN)))
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
        if use == "policy":
            (folder / "policy.yaml").write_text(POLICY)
        if use == "authorizer":
            (folder / "policy.yaml").write_text(ASK.replace("PORT", str(authorizer)))
        if use == "token":
            (folder / "policy.yaml").write_text(tokens(Issuer()))
        told = {"authorization": "Bearer nonsense"} if use == "token" else {}
        eventually(lambda: {one.status for one in of.ask(**told).values()} == {STATUS.get(use, 200)})
        if use not in STATUS:
            eventually(version_is(of, "2"))

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


def always_on(config: EnvoyConfig) -> EnvoyConfig:
    """The same with all filters on in every chain, as Istio has them, and no table that switches them."""
    bodies = dict(config.bodies)
    for url in (LISTENERS, ROUTES, SCOPED_ROUTES):
        changed = {}
        for name in config.bodies[url]:
            message = config.message(url, name)
            assert message is not None
            _switch_on(message)
            changed[name] = message.SerializeToString(deterministic=True)
        bodies[url] = config.bodies[url].updated(changed)
    return replace(config, bodies=bodies)


def _switch_on(message: Message) -> None:
    if isinstance(message, pb.Listener):
        for chain in (*message.filter_chains, message.default_filter_chain):
            for network_filter in chain.filters:
                manager = pb.HttpConnectionManager()
                network_filter.typed_config.Unpack(manager)
                for http_filter in manager.http_filters:
                    http_filter.disabled = False
                network_filter.typed_config.Pack(manager, deterministic=True)
        return
    table = message.route_configuration if isinstance(message, pb.ScopedRouteConfiguration) else message
    assert isinstance(table, pb.RouteConfiguration)
    for name in ("envoy.filters.http.cors", "envoy.filters.http.fault", "envoy.filters.http.grpc_stats"):
        table.typed_per_filter_config.pop(name, None)


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="envoy")
async def one_envoy_for_all() -> AsyncIterator[Envoy]:
    async with running() as envoy:
        yield envoy


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.asyncio(loop_scope="module")
async def test_no_filter_is_off_that_a_request_needs(
    envoy: Envoy, authority: Authority, httpbin: int, seed: int
) -> None:
    """The same answers as with all filters always on: for routes that are chosen late, redirects, faults and 404s too."""
    site = Site(seed, Issuer())
    environment = {"MIZZEN_SCOPED_ROUTES": "always" if site.is_scoped else "never"}
    [made] = built({"in.yaml": site.text(authority, httpbin)}, Settings(environment=environment)).gateways
    asked = list(site.requests())

    config = made.config(made.announced_when_proven())
    all_on = always_on(config)

    ours = await answers(envoy, config, authority, asked)
    theirs = await answers(envoy, all_on, authority, asked)

    assert ours == theirs
    assert len({status for status, _, _ in ours}) > 2


async def answers(
    envoy: Envoy, config: EnvoyConfig, authority: Authority, asked: list[Any]
) -> list[tuple[int, Mapping[str, str], str]]:
    """Status, headers that filters make, and body, of each request."""
    assert await envoy.offer(held(config)) == ""
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
