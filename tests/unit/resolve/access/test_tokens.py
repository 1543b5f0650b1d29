"""RequestAuthentication -> which tokens a gateway takes, with which keys."""

from dataclasses import replace

import pytest

from mizzen.resolve.access.key_sources import publish_key_sets
from mizzen.resolve.access.tokens import token_rules
from mizzen.resolve.context import FetchedKeys

TOKENS = """
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: r, namespace: istio-system}
spec: {jwtRules: [{issuer: me, RULE}]}
"""


def test_tokens_are_verified_with_the_keys_that_are_given(gateway):
    found = gateway(
        TOKENS.replace("RULE", 'jwks: \'{"keys": [{"kty": "oct", "k": "eA", "x5t": "b"}]}\', audiences: [a]')
    )
    [rule] = token_rules(found.ctx)
    assert (rule.name, rule.issuer, rule.audiences) == ("origins-0", "me", ("a",))
    assert rule.keys == '{"keys":[{"kty":"oct","k":"eA"}]}'
    assert not found.problems


@pytest.mark.parametrize("keys", ["jwks: 'no json'", "jwks: '{\"keys\": []}'"])
def test_without_keys_every_token_of_the_issuer_is_refused(gateway, keys):
    found = gateway(TOKENS.replace("RULE", keys))
    [rule] = token_rules(found.ctx)
    assert '"kid":"nobody"' in rule.keys
    assert found.codes == ["JWT-001"]


URL = "https://me/keys"
GOOD = '{"keys":[{"kty":"oct","k":"eA"}]}'


def with_fetched(found, **fetched):
    ctx = replace(found.ctx, key_sets={URL: FetchedKeys(**fetched)} if fetched else {})
    publish_key_sets(ctx)
    [rule] = token_rules(ctx)
    return rule.keys


def at_an_address(gateway):
    return gateway(TOKENS.replace("RULE", f"jwksUri: {URL}"))


def test_keys_that_were_fetched_are_used(gateway):
    found = at_an_address(gateway)
    assert with_fetched(found, text=GOOD) == GOOD
    assert not found.problems


def test_those_that_were_there_hold_while_they_cannot_be_had(gateway):
    found = at_an_address(gateway)
    assert with_fetched(found, text=GOOD, why="connection refused") == GOOD
    assert found.said == [("JWT-005", "RequestAuthentication/istio-system/r", "spec.jwtRules[0].jwksUri")]


@pytest.mark.parametrize(
    ("fetched", "codes"),
    [({"why": "connection refused"}, ["JWT-001"]), ({"text": '{"keys": []}'}, ["JWT-001"]), ({}, [])],
)
def test_without_any_tokens_are_refused(gateway, fetched, codes):
    """Those that are being fetched are no problem yet."""
    found = at_an_address(gateway)
    assert '"kid":"nobody"' in with_fetched(found, **fetched)
    assert found.codes == codes


def test_where_nobody_fetches_that_is_said_and_is_no_error(gateway):
    found = at_an_address(gateway)
    token_rules(found.ctx)
    assert [(one.code, one.severity.value) for one in found.problems] == [("JWT-004", "info")]


def test_an_issuer_that_is_no_address_has_no_description(gateway):
    found = gateway(TOKENS.replace(", RULE", ""))
    [rule] = token_rules(found.ctx)
    assert '"kid":"nobody"' in rule.keys
    assert found.said == [("JWT-001", "RequestAuthentication/istio-system/r", "spec.jwtRules[0].issuer")]


def test_scopes_are_lists_and_so_are_other_claims_that_a_rule_names(gateway):
    [rule] = token_rules(gateway(TOKENS.replace("RULE", "jwks: '{}', spaceDelimitedClaims: [roles]")).ctx)
    assert rule.listed_claims == ("permission", "roles", "scope")
