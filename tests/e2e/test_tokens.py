"""Tokens at a running gateway: what verifies, until when, where it is looked for, and what becomes of its claims."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.test_scoped_routes import Clients, clients, stats
from tests.harness import gateway
from tests.harness.clients import Answer, curl
from tests.harness.gateway import HOST, Authority
from tests.harness.issuer import ISSUER, Issuer

pytestmark = pytest.mark.e2e

SKEW = 60  # seconds that Envoy grants to clocks
OTHER = "https://other.test"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def objects(issuer: Issuer) -> list[dict[str, Any]]:
    rule = {
        "issuer": ISSUER,
        "jwks": issuer.jwks,
        "fromHeaders": [{"name": "authorization", "prefix": "Bearer "}, {"name": "x-token"}],
        "fromParams": ["token"],
        "fromCookies": ["session"],
        "forwardOriginalToken": True,
        "outputPayloadToHeader": "x-payload",
        "outputClaimToHeaders": [
            {"header": "x-group", "claim": "group"},
            {"header": "x-plan", "claim": "a.plan"},
        ],
        "spaceDelimitedClaims": ["roles"],
    }
    aud = {"issuer": OTHER, "jwks": issuer.jwks, "audiences": ["shop"]}
    needs = {
        "scope": {"key": "request.auth.claims[scope]", "values": ["write"]},
        "roles": {"key": "request.auth.claims[roles]", "values": ["admin"]},
        "nested": {"key": "request.auth.claims[a][plan]", "values": ["gold"]},
        "audience": {"key": "request.auth.audiences", "values": ["shop"]},
        "presenter": {"key": "request.auth.presenter", "values": ["app"]},
    }
    rules = [
        {"to": [{"operation": {"paths": [f"/anything/{name}"]}}], "when": [when]}
        for name, when in needs.items()
    ]
    rules.append({"to": [{"operation": {"paths": ["/", "/anything/free"]}}]})
    return [
        {"kind": "RequestAuthentication", "spec": {"jwtRules": [rule, aud]}},
        {"kind": "AuthorizationPolicy", "spec": {"action": "ALLOW", "rules": rules}},
    ]


@pytest.fixture(scope="module")
def served(
    issuer: Issuer, httpbin: int, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[gateway.Up]:
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "site.yaml").write_text(
        "---\n".join(
            [
                gateway.gateway("*"),
                gateway.secret("shop-tls", authority.server()),
                gateway.route("*", port=httpbin),
                gateway.backend(httpbin),
            ]
        )
    )
    made = (
        {
            "apiVersion": "security.istio.io/v1",
            "metadata": {"name": "all", "namespace": "istio-system"},
            **one,
        }
        for one in objects(issuer)
    )
    (folder / "tokens.yaml").write_text("\n---\n".join(map(json.dumps, made)))
    with gateway.up(folder) as up:
        yield up


@pytest.fixture(params=["h1", "h2", "h3"])
def ask(request: pytest.FixtureRequest, served: gateway.Up, authority: Authority) -> Any:
    def asked(path: str, token: str = "", **headers: str) -> Answer:
        if token:
            headers["authorization"] = f"Bearer {token}"
        url = f"https://{HOST}/anything/{path}"
        return curl(request.param, url, headers=headers, ca_pem=authority.pem, connect_port=8443)

    return asked


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        ("scope", {"scope": "read write"}, {"scope": "read writer"}),
        ("roles", {"roles": "user admin"}, {"roles": "administrator"}),
        ("nested", {"a": {"plan": "gold"}}, {"a": {"plan": "lead"}, "plan": "gold"}),
        ("audience", {"aud": ["x", "shop"]}, {"aud": "x"}),
        ("presenter", {"azp": "app"}, {"azp": "other"}),
    ],
)
def test_claims_decide(
    ask: Any, issuer: Issuer, path: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    assert ask(path, issuer.token(**good)).status == 200
    assert ask(path, issuer.token(**bad)).status == 403
    assert ask(path).status == 403


def test_a_token_is_found_where_the_rule_says(ask: Any, issuer: Issuer) -> None:
    token = issuer.token(scope="write")
    assert ask("scope", **{"x-token": token}).status == 200
    assert ask(f"scope?token={token}").status == 200
    assert ask("scope", cookie=f"session={token}").status == 200
    assert ask("scope", **{"x-other": token}).status == 403


def test_backends_see_what_the_rule_gives_them(ask: Any, issuer: Issuer) -> None:
    token = issuer.token(group="staff", a={"plan": "gold"})
    seen = {k.lower(): v for k, v in json.loads(ask("free", token).text)["headers"].items()}
    assert (seen["x-group"], seen["x-plan"], seen["authorization"]) == ("staff", "gold", f"Bearer {token}")
    assert seen["x-payload"]


def test_one_that_does_not_verify_is_answered_401(ask: Any, issuer: Issuer) -> None:
    assert ask("free").status == 200
    assert ask("free", Issuer().token()).status == 401
    assert ask("free", issuer.token(iss="https://nobody.test")).status == 401
    assert ask("free", issuer.token(iss=OTHER, aud="shop")).status == 200
    assert ask("free", issuer.token(iss=OTHER, aud="shops")).status == 403


def test_a_token_that_is_known_ends_when_it_ends(
    served: gateway.Up, authority: Authority, issuer: Issuer
) -> None:
    """Connections stay, so that each protocol meets the worker that knows the token."""
    with clients(authority) as of:
        ends = int(time.time()) - SKEW + 4
        told = {"authorization": f"Bearer {issuer.token(exp=ends)}"}
        for _ in range(2):
            assert [one.status for one in ask_all(of, told)] == [200] * 3
        assert stats(served, "jwt_cache_hit")["jwt_cache_hit"] >= 3
        time.sleep(max(0.0, ends + SKEW + 1 - time.time()))
        answers = ask_all(of, told)
        assert [(one.status, one.reused) for one in answers] == [(401, True)] * 3


def ask_all(of: Clients, told: dict[str, str]) -> list[Answer]:
    return list(of.ask(**told).values())
