"""Authorizers outside (action CUSTOM) are asked by a running gateway and obeyed, over HTTP/1.1, 2 and 3 alike."""

import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.harness import gateway
from tests.harness.authorizer import Authorizer, over_grpc, over_http
from tests.harness.clients import curl
from tests.harness.gateway import HOST, eventually, free_port

pytestmark = pytest.mark.e2e

PROTOCOLS = ("h1", "h2", "h3")
BYTES = 9000

MESH = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: installed, namespace: istio-system}
spec:
  meshConfig: {extensionProviders: PROVIDERS}
  values: {pilot: {env: {PILOT_ENABLE_QUIC_LISTENERS: "true"}}}
  components:
    ingressGateways:
    - name: istio-ingressgateway
      enabled: true
      k8s:
        service:
          ports:
          - {name: https, port: 443, targetPort: 8443}
          - {name: http3, port: 443, targetPort: 8443, protocol: UDP}
          - {name: bytes, port: 9000, targetPort: 9000}
"""
SERVERS = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: SIMPLE, credentialName: shop-tls}
  - {port: {number: 9000, name: bytes, protocol: TCP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [shop]
  http:
  - match: [{headers: {x-tier: {exact: gold}}}]
    directResponse: {status: 200, body: {string: gold}}
  - corsPolicy: {allowOrigins: [{exact: "https://page.test"}]}
    route: [{destination: {host: backend.test}}]
  tcp: [{route: [{destination: {host: backend.test}}]}]
"""


def service(name: str, port: int, protocol: str = "HTTP") -> str:
    spec = {
        "hosts": [f"{name}.test"],
        "resolution": "STATIC",
        "ports": [{"number": 80, "name": protocol.lower(), "protocol": protocol}],
        "endpoints": [{"address": "127.0.0.1", "ports": {protocol.lower(): port}}],
    }
    return whole("networking.istio.io/v1", "ServiceEntry", name, spec)


def policy(path: str, provider: str, **operation: Any) -> str:
    spec = {
        "action": "CUSTOM",
        "provider": {"name": provider},
        "rules": [{"to": [{"operation": operation or {"paths": [f"/anything/{path}*"]}}]}],
    }
    return whole("security.istio.io/v1", "AuthorizationPolicy", f"{path}-{provider}", spec)


def whole(version: str, kind: str, name: str, spec: Mapping[str, Any]) -> str:
    metadata = {"name": name, "namespace": "istio-system"}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}) + "\n---\n"


PROVIDERS: dict[str, dict[str, Any]] = {
    "login": {
        "envoyExtAuthzHttp": {
            "pathPrefix": "/check",
            "includeRequestHeadersInCheck": ["x-s*"],
            "includeAdditionalHeadersInCheck": {"x-asked-of": "%REQ(:AUTHORITY)%", "x-spoof": "ours"},
            "includeRequestBodyInCheck": {"maxRequestBytes": 16},
            "headersToUpstreamOnAllow": ["x-user"],
            "headersToDownstreamOnDeny": ["x-why", "location"],
            "headersToDownstreamOnAllow": ["x-seen"],
        }
    },
    "router": {
        "envoyExtAuthzHttp": {
            "clearRouteCache": True,
            "includeRequestHeadersInCheck": ["x-say"],
            "headersToUpstreamOnAllow": ["x-tier"],
        }
    },
    "slow": {"envoyExtAuthzHttp": {"timeout": "0.2s", "includeRequestHeadersInCheck": ["x-say"]}},
    "down": {"envoyExtAuthzHttp": {"statusOnError": "503"}},
    "open": {"envoyExtAuthzHttp": {"failOpen": True}},
    "opa": {"envoyExtAuthzGrpc": {}},
}


@pytest.fixture(scope="module")
def authorizers() -> Iterator[dict[str, Authorizer]]:
    with over_http() as http, over_grpc() as grpc:
        yield {"http": http, "grpc": grpc}


@pytest.fixture(scope="module")
def served(
    authorizers: dict[str, Authorizer],
    httpbin: int,
    authority: gateway.Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[gateway.Up]:
    folder = tmp_path_factory.mktemp("authorizers")
    of = {"login": "http", "router": "http", "slow": "http", "opa": "grpc", "down": "none", "open": "none"}
    providers = []
    for name, provider in PROVIDERS.items():
        [(kind, settings)] = provider.items()
        providers.append({"name": name, kind: {**settings, "service": f"{of[name]}.test", "port": 80}})
    (folder / "mesh.yaml").write_text(MESH.replace("PROVIDERS", json.dumps(providers)))
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "servers.yaml").write_text(SERVERS + "---\n" + gateway.backend(httpbin))
    (folder / "services.yaml").write_text(
        service("http", authorizers["http"].port)
        + service("grpc", authorizers["grpc"].port, "GRPC")
        + service("none", free_port())
    )
    policies = [policy(name, name) for name in PROVIDERS]
    policies += [
        policy("both", "login"),
        policy("both", "opa"),
        policy("missing", "nobody", paths=["/anything/missing"], ports=["8443"]),
    ]
    policies.append(policy("bytes", "opa", ports=[str(BYTES)]))
    (folder / "policies.yaml").write_text("".join(policies))
    with gateway.up(folder) as up:
        yield up


class Ask:
    def __init__(self, protocol: str, ca_pem: str) -> None:
        self.protocol, self.ca_pem = protocol, ca_pem

    def __call__(self, path: str, say: str = "", **rest: Any) -> Any:
        headers = {**({"x-say": say} if say else {}), **rest.pop("headers", {})}
        url = f"https://{HOST}/anything/{path}"
        return curl(self.protocol, url, headers=headers, ca_pem=self.ca_pem, connect_port=8443, **rest)


@pytest.fixture(params=PROTOCOLS)
def ask(request: pytest.FixtureRequest, served: gateway.Up, authority: gateway.Authority) -> Ask:
    return Ask(request.param, authority.pem)


def seen(answer: Any) -> dict[str, str]:
    assert answer.status == 200, answer
    return {name.lower(): value for name, value in json.loads(answer.text)["headers"].items()}


def test_who_is_let_in_reaches_the_backend_with_what_the_authorizer_adds(
    ask: Ask, authorizers: dict[str, Authorizer]
) -> None:
    answer = ask(
        "login", "allow", headers={"x-user": "mallory", "x-secret": "s", "cookie": "c=1", "x-spoof": "x"}
    )
    headers = seen(answer)
    assert (headers["x-user"], "x-hidden" in headers) == ("alice", False)
    assert (answer.header("x-seen"), answer.header("x-hidden")) == ("yes", "")
    asked = authorizers["http"].asked[-1]
    assert (asked.method, asked.path) == ("GET", "/check/anything/login")
    assert (asked.headers["x-say"], asked.headers["x-secret"], asked.headers["x-spoof"]) == (
        "allow",
        "s",
        "ours",
    )
    assert (asked.headers["host"], asked.headers["x-asked-of"]) == (HOST, HOST)
    assert "cookie" not in asked.headers


def test_who_is_refused_gets_the_authorizers_status_headers_and_body(ask: Ask) -> None:
    answer = ask("login")
    assert (answer.status, answer.text, answer.header("x-why")) == (401, "who are you?", "unknown")
    assert not answer.header("x-hidden")
    answer = ask("login", "login")
    assert (answer.status, answer.header("location")) == (302, "https://login.test/")


def test_nobody_is_asked_about_what_no_rule_describes(ask: Ask, authorizers: dict[str, Authorizer]) -> None:
    before = [len(one.asked) for one in authorizers.values()]
    assert "x-user" not in seen(ask("free"))
    assert [len(one.asked) for one in authorizers.values()] == before


def test_the_body_is_shown_up_to_its_bound(ask: Ask, authorizers: dict[str, Authorizer]) -> None:
    plain = {"content-type": "text/plain"}
    answer = ask("login", "allow", method="POST", body=b"sixteen bytes ok", headers=plain)
    assert json.loads(answer.text)["data"] == "sixteen bytes ok"
    assert authorizers["http"].asked[-1].body == b"sixteen bytes ok"
    assert ask("login", "allow", method="POST", body=b"x" * 100_000).status == 413


def test_without_an_answer_requests_are_refused_or_let_through_as_it_says(ask: Ask) -> None:
    assert ask("down").status == 503
    assert ask("slow", "allow").status == 200
    assert ask("slow", "wait").status == 403
    assert ask("missing").status == 403
    assert ask("open").status == 200


def test_over_grpc(ask: Ask) -> None:
    assert seen(ask("opa", "allow"))["x-user"] == "bob"
    answer = ask("opa")
    assert (answer.status, answer.text, answer.header("x-why")) == (409, "no", "grpc")


def test_all_authorizers_must_agree(ask: Ask) -> None:
    assert ask("both").status == 401
    assert ask("both", "login", headers={"x-other": "allow"}).status == 302
    assert seen(ask("both", "allow"))["x-user"] == "bob"


def test_an_authorizer_may_choose_the_route_where_it_says_so(ask: Ask) -> None:
    assert ask("router", "allow").text == "gold"


def test_preflights_are_asked_about_as_in_istio(ask: Ask) -> None:
    headers = {"origin": "https://page.test", "access-control-request-method": "GET"}
    free = ask("free", method="OPTIONS", headers=headers)
    assert free.header("access-control-allow-origin") == "https://page.test"
    assert ask("login", method="OPTIONS", headers=headers).status == 401


def test_connections_are_asked_about_over_grpc(
    served: gateway.Up, authorizers: dict[str, Authorizer], httpbin: int
) -> None:
    def answer() -> bytes:
        with socket.create_connection(("127.0.0.1", BYTES), 5) as one:
            one.sendall(b"GET /status/204 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            try:
                return one.recv(64)
            except ConnectionResetError:
                return b""

    authorizers["grpc"].connections = True
    assert eventually(answer).startswith(b"HTTP/1.1 204")
    authorizers["grpc"].connections = False
    assert answer() == b""
