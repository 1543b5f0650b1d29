"""The addresses that are written into the status of Ingresses."""

import pytest

from mizzen.cluster.ingress_status import outdated
from mizzen.resources.intake import decode_all
from mizzen.resources.raw_objects import parse_documents

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: %s
status: {loadBalancer: {ingress: %s}}
"""
INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop, annotations: {kubernetes.io/ingress.class: %s}}
status: {loadBalancer: {ingress: %s}}
"""


def told(text):
    raws, _ = parse_documents(text, "x.yaml")
    world, _ = decode_all(raws)
    return [(one.name, addresses) for one, addresses in outdated(world)]


@pytest.mark.parametrize(
    ("spec", "addresses", "expected"),
    [
        ("{}", "[{ip: 192.0.2.2}, {ip: 192.0.2.1}]", [{"ip": "192.0.2.1"}, {"ip": "192.0.2.2"}]),
        ("{}", "[{hostname: lb.test}]", [{"hostname": "lb.test"}]),
        ("{externalIPs: [192.0.2.9]}", "[]", [{"ip": "192.0.2.9"}]),
        ("{type: ExternalName, externalName: lb.test}", "[]", [{"hostname": "lb.test"}]),
    ],
)
def test_they_are_those_of_the_gateways_service(spec, addresses, expected):
    assert told(SERVICE % (spec, addresses) + INGRESS % ("istio", "[]")) == [("web", expected)]


def test_nothing_is_written_where_it_stands_already_or_nobody_knows():
    service = SERVICE % ("{}", "[{ip: 192.0.2.1}, {hostname: lb.test}]")
    assert told(service + INGRESS % ("istio", "[{hostname: lb.test}, {ip: 192.0.2.1}]")) == []
    assert told(service + INGRESS % ("nginx", "[]")) == []
    assert told(INGRESS % ("istio", "[{ip: 192.0.2.1}]")) == []


def test_addresses_that_are_gone_are_taken_back():
    assert told(SERVICE % ("{}", "[]") + INGRESS % ("istio", "[{ip: 192.0.2.1}]")) == [("web", [])]


def test_the_mesh_may_name_another_service():
    mesh = """
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh}
spec: {meshConfig: {ingressService: edge/front}}
"""
    service = (
        (SERVICE % ("{}", "[{ip: 192.0.2.1}]"))
        .replace("istio-ingressgateway", "front")
        .replace("istio-system", "edge")
    )
    assert told(service + mesh + INGRESS % ("istio", "[]")) == [("web", [{"ip": "192.0.2.1"}])]
