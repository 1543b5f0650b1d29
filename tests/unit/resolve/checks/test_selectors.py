"""What is told of Gateways that no gateway serves."""

import pytest

from mizzen.resolve.checks.selectors import served_by_nobody

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: shop}
spec: {selector: {istio: ingress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""
OFF = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: edge}
spec:
  replicas: 0
  template: {metadata: {annotations: {inject.istio.io/templates: gateway}, labels: {istio: ingress}}}
"""
SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: edge}
spec: {selector: {istio: ingress}, ports: [{port: 80}]}
"""
NONE = """
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {profile: empty}
"""


@pytest.mark.parametrize(
    ("beside", "begin"),
    [
        (OFF, "There is no gateway. Deployment/edge/edge, which has them, is scaled to 0."),
        (SERVICE + NONE, "There is no gateway. Service/edge/edge leads to Pods with them, but"),
        (NONE, "There is no gateway. A gateway is made by a Deployment"),
        (
            "",
            "There is istio-ingressgateway.istio-system (app=istio-ingressgateway, istio=ingressgateway). A",
        ),
    ],
)
def test_it_says_what_is_there_and_what_is_missing(world, beside, begin):
    [problem] = served_by_nobody(world(GATEWAY + beside), {})
    assert (problem.code, problem.message) == ("GW-005", "no gateway has the labels istio=ingress")
    assert problem.hint.startswith(begin)


def test_a_gateway_for_all_is_told_too(world):
    [problem] = served_by_nobody(world(GATEWAY.replace("selector: {istio: ingress}, ", "") + NONE), {})
    assert problem.message == "there is no gateway to serve it"


def test_one_that_is_served_is_not_told(world):
    assert served_by_nobody(world(GATEWAY.replace("istio: ingress}", "istio: ingressgateway}")), {}) == ()
