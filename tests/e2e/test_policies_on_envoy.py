"""Whatever stands in policies, a real Envoy takes what becomes of them: nothing of it costs the listeners of others."""

import json
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mizzen.pipeline import Settings
from tests.e2e.test_cases_on_envoy import Envoy, running
from tests.golden import built
from tests.harness.snapshots import held

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""
LOGIN = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: login, namespace: istio-system}
spec:
  hosts: [login.test]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 81, name: grpc, protocol: GRPC}]
  endpoints: [{address: 192.0.2.1}]
"""
PROVIDERS = ("http", "grpc", "odd-http", "odd-grpc", "nobody")
# Parts of texts: what patterns, templates, addresses and names are made of, and what breaks them.
PIECES = (
    *(
        "a",
        "B",
        "shop.test",
        "evil",
        "/",
        "//",
        ".",
        "..",
        "*",
        "**",
        "{*}",
        "{**}",
        "{a}",
        "{a=*}",
        "{",
        "}",
        "{}",
    ),
    *(
        "$",
        "^",
        "(",
        ")",
        "[",
        "]",
        "\\",
        "|",
        "+",
        "?",
        "-",
        "_",
        "%",
        "%2F",
        ":",
        ":443",
        ":0",
        ",",
        " ",
        "\t",
        "\n",
        "=",
        "~",
    ),
    *(
        "\x00",
        "\x7f",
        "\xa0",
        "é",
        "\u2028",
        "😀",
        "1.2.3.4",
        "10.0.0.0/8",
        "/33",
        "::1",
        "fe80::1%eth0",
        "\\C",
        "(?i)",
    ),
    *("cluster.local", "spiffe://", "/ns/", "/sa/", "8080", "99999", "٣", "x" * 300, "y" * 5000),
)
# What is right for a field; most values are, so that most policies are judged to their end.
GOOD = {
    "ipBlocks": ("1.2.3.4", "10.0.0.0/8", "::1", "fd00::/7"),
    "ports": ("80", "8443"),
    "paths": (
        "/a",
        "/a/*",
        "*/b",
        "*",
        "/a/{*}/b",
        "/a/{**}",
        "/{*}/{**}",
        "/{*}/",
        "/é/{x",
        "/a b",
        "/a\\b?c[d]",
    ),
    "hosts": (
        "shop.test",
        "*.shop.test",
        "shop*",
        "*",
        "[::1]",
        "shop.test:8443",
        "*:443",
        "shop.test:*",
        "a_b.é",
        ".",
    ),
    "other": (
        "a",
        "a*",
        "*a",
        "*",
        "a/b",
        "*/b",
        "a/*",
        "cluster.local/ns/a/sa/b",
        "a,b",
        " a ",
        "é",
        "**",
        "a.b",
    ),
}
FIELD_OF = {
    "source.ip": "ipBlocks",
    "remote.ip": "ipBlocks",
    "destination.ip": "ipBlocks",
    "destination.port": "ports",
}
KEYS = (
    *(
        "request.headers[x-role]",
        "request.headers[]",
        "request.headers[a b]",
        "request.headers[:authority]",
        "request.headers",
    ),
    *("request.headers[:path]", "request.headers[host]", "request.headers[x\n]", "request.headers[:foo]"),
    *(
        "request.auth.claims[a]",
        "request.auth.claims[]",
        "request.auth.claims[a][b]",
        "request.auth.claims[a.b]",
        "request.auth.claims",
    ),
    *("request.auth.principal", "request.auth.audiences", "request.auth.presenter", "source.ip", "remote.ip"),
    *(
        "source.namespace",
        "source.principal",
        "source.serviceAccount",
        "source.trustDomain",
        "destination.ip",
        "destination.port",
        "connection.sni",
    ),
    *("experimental.envoy.filters.x[y]", "request.moon", ""),
)
SOURCE = (
    "principals",
    "requestPrincipals",
    "namespaces",
    "serviceAccounts",
    "trustDomains",
    "ipBlocks",
    "remoteIpBlocks",
)
OPERATION = ("hosts", "ports", "methods", "paths")


class Writer:
    """Writes random policies: most of them almost good."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def text(self) -> str:
        return "".join(self.chance.choice(PIECES) for _ in range(self.chance.choice((1, 1, 2, 3, 5))))

    def texts(self, field: str = "other") -> list[str]:
        """Of a field: "ipBlocks", "notRemoteIpBlocks", "paths" ..."""
        kind = next((one for one in GOOD if field.lower().endswith(one.lower())), "other")
        good = self.chance.random() < 0.85
        return [self.chance.choice(GOOD[kind]) if good else self.text() for _ in range(2)]

    def lists(self, names: tuple[str, ...]) -> dict[str, list[str]]:
        some = self.chance.sample(names, self.chance.choice((1, 1, 2)))
        return {self.chance.choice((one, f"not{one[0].upper()}{one[1:]}")): self.texts(one) for one in some}

    def condition(self) -> dict[str, object]:
        key = self.chance.choice(KEYS)
        return {
            "key": key,
            self.chance.choice(("values", "notValues")): self.texts(FIELD_OF.get(key, "other")),
        }

    def rule(self) -> dict[str, object]:
        rule: dict[str, object] = {}
        if self.chance.random() < 0.5:
            rule["from"] = [{"source": self.lists(SOURCE)}]
        if self.chance.random() < 0.6:
            rule["to"] = [{"operation": self.lists(OPERATION)}]
        if self.chance.random() < 0.4:
            rule["when"] = [self.condition()]
        return rule

    def policy(self, name: str) -> dict[str, object]:
        action = self.chance.choice(("ALLOW", "DENY", "DENY", "CUSTOM"))
        provider = {"provider": {"name": self.chance.choice(PROVIDERS)}} if action == "CUSTOM" else {}
        spec = {"action": action, "rules": [self.rule() for _ in range(2)], **provider}
        return self.whole("AuthorizationPolicy", name, spec)

    def providers(self) -> dict[str, object]:
        """Two that are good, and two with something odd."""
        http = {"service": "login.test", "port": 80, "headersToUpstreamOnAllow": ["x-user"]}
        grpc = {"service": "login.test", "port": 81, "includeRequestBodyInCheck": {"maxRequestBytes": 9}}
        common = {
            "timeout": self.chance.choice(("1s", "0.0001s", "100000h")),
            "statusOnError": self.chance.choice(("503", "306", "418", "599", "99", self.text())),
            "includeRequestBodyInCheck": {"maxRequestBytes": self.chance.choice((0, 1, 2**32 - 1))},
            "clearRouteCache": True,
        }
        of_http = {
            "pathPrefix": self.chance.choice(("/", "/a?b", "/a#b", "/" + self.text())),
            "includeRequestHeadersInCheck": [self.text(), self.chance.choice(("*", "**", "*a*", "a*"))],
            "includeAdditionalHeadersInCheck": {self.chance.choice(("x-a", ":path", "host")): self.text()},
            "headersToDownstreamOnDeny": [self.text()],
            "headersToDownstreamOnAllow": [self.chance.choice(("*", "**", "*-*"))],
        }
        odd = {**common, **of_http}
        some = {one: odd[one] for one in self.chance.sample(sorted(odd), 1)}
        other = {one: common[one] for one in self.chance.sample(sorted(common), 1)}
        listed = [
            {"name": "http", "envoyExtAuthzHttp": http},
            {"name": "grpc", "envoyExtAuthzGrpc": grpc},
            {"name": "odd-http", "envoyExtAuthzHttp": {**http, **some}},
            {"name": "odd-grpc", "envoyExtAuthzGrpc": {**grpc, **other}},
        ]
        spec = {"meshConfig": {"extensionProviders": listed}}
        return {**self.whole("IstioOperator", "mesh", spec), "apiVersion": "install.istio.io/v1alpha1"}

    def key(self) -> dict[str, object]:
        kind = self.chance.choice(("RSA", "EC", "oct", "OKP", "", "x"))
        names = self.chance.sample(("n", "e", "x", "y", "k", "alg", "crv", "kid"), 5)
        values = (
            "AQAB",
            "eA",
            "eA==",
            "!",
            "",
            "P-256",
            "Ed25519",
            "RS256",
            "HS256",
            1,
            None,
            "A" * 43,
            self.text(),
        )
        return {"kty": kind, **{name: self.chance.choice(values) for name in names}}

    def tokens(self, name: str) -> dict[str, object]:
        keys = {"keys": [self.key() for _ in range(2)]}
        rule = {
            "issuer": self.text(),
            "audiences": self.texts(),
            "jwks": self.chance.choice(
                (json.dumps(keys), self.text(), '{"keys": [{"kty": "oct", "k": "eA"}]}')
            ),
            "fromHeaders": [{"name": self.text(), "prefix": self.text()}],
            "fromParams": self.texts(),
            "fromCookies": self.texts(),
            "outputPayloadToHeader": self.text(),
            "outputClaimToHeaders": [{"header": self.text(), "claim": self.text()}],
        }
        some = self.chance.sample(sorted(rule), self.chance.choice((1, 1, 2)))
        spec = {"jwtRules": [{"issuer": "me", **{one: rule[one] for one in some}}]}
        return self.whole("RequestAuthentication", name, spec)

    def whole(self, kind: str, name: str, spec: dict[str, object]) -> dict[str, object]:
        metadata = {"name": name, "namespace": "istio-system"}
        return {"apiVersion": "security.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="envoy")
async def one_envoy_for_all() -> AsyncIterator[Envoy]:
    async with running() as envoy:
        yield envoy


@pytest.mark.parametrize("seed", range(12))
async def test_envoy_takes_what_becomes_of_random_policies(envoy: Envoy, seed: int) -> None:
    writer = Writer(seed)
    written = [writer.policy(f"p-{number}") for number in range(50)]
    written += [writer.tokens(f"r-{number}") for number in range(10)]
    written.append(writer.providers())
    text = "\n---\n".join([GATEWAY, LOGIN, *map(json.dumps, written)])
    [gateway] = built({"in.yaml": text.encode()}, Settings()).gateways

    assert await envoy.offer(held(gateway.config(gateway.announced_when_proven()))) == ""
