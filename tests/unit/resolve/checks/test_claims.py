"""Rules by claims are told of where nobody reads tokens, and only there."""

import pytest

from mizzen.resolve import resolve

SITE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: default}
spec:
  hosts: [app.test]
  gateways: [istio-system/gw]
  http:
  - match: [{KEY: {NAME: {exact: staff}}}]
    directResponse: {status: 200}
"""
READS = """
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: NAMESPACE}
spec: {jwtRules: [{issuer: me, jwks: '{"keys": [{"kty": "oct", "k": "eA"}]}'}]}
"""


def told(gateway, key="headers", name='"@request.auth.claims.groups"', more=""):
    found = gateway(SITE.replace("KEY", key).replace("NAME", name) + more)
    resolve(found.ctx)
    return [(one.field, one.message) for one in found.problems if one.code == "JWT-003"]


@pytest.mark.parametrize("name", ['"@request.auth.claims.groups"', '"@request.auth.claims[a][b]"'])
def test_without_a_requestauthentication_they_never_hold(gateway, name):
    [(field, message)] = told(gateway, name=name)
    assert field == "spec.http[0].match[0].headers"
    assert message.endswith(": it never holds")


def test_one_that_wants_no_claim_holds_for_everybody(gateway):
    [(_, message)] = told(gateway, "withoutHeaders")
    assert message.endswith(": it holds for every request")


@pytest.mark.parametrize(("namespace", "count"), [("istio-system", 0), ("default", 1)])
def test_it_must_be_for_the_gateway(gateway, namespace, count):
    assert len(told(gateway, more=READS.replace("NAMESPACE", namespace))) == count


def test_one_that_is_there_with_an_error_is_named_instead(gateway):
    broken = READS.replace("NAMESPACE", "istio-system").replace("issuer: me", "issuer: 7, moon: full")
    assert not told(gateway, more=broken)


def test_ordinary_headers_are_no_claims(gateway):
    assert not told(gateway, name="x-group")
