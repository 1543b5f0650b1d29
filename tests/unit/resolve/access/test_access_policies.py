"""What judges the requests of a proxy is the same for all its connections."""

from mizzen.resolve.access.access_policies import access_policies

POLICIES = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: istio-system}
spec: {jwtRules: [{issuer: me, jwks: '{"keys": []}'}]}
"""


def test_without_policies_nobody_is_judged(gateway):
    made = access_policies(gateway("").ctx)
    assert (made.tokens, made.access) == ((), ())


def test_tokens_and_rules_of_access_are_there(gateway):
    made = access_policies(gateway(POLICIES).ctx)
    assert [rule.issuer for rule in made.tokens] == ["me"]
    assert [(access.deny, len(access.rules)) for access in made.access] == [(True, 1)]
