"""What an Ingress becomes keeps its author."""

import pytest

from mizzen.errors import Problem, ResourceRef
from mizzen.resolve.ingress.conversion import converted
from mizzen.resolve.ingress.written import as_written, author, by_author
from mizzen.resources.istio.mesh import DEFAULT_MESH

REF = ResourceRef(kind="Ingress", group="networking.k8s.io", namespace="shop", name="web")
INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, namespace: shop}
spec:
  ingressClassName: istio
  rules: [{host: a.test, http: {paths: [{path: /%s, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}]}}]
"""


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("spec.tls[1].tls.credentialName", "spec.tls[1].secretName"),
        ("spec.tls[1].tls.mode", "spec.tls[1]"),
        ("spec.tls[1].port.number", "spec.tls[1]"),
        ("spec.tls[1].hosts", "spec.tls[1].hosts"),
        (
            "spec.rules[0].http.paths[2].backend.service.host",
            "spec.rules[0].http.paths[2].backend.service.name",
        ),
        ("spec.port.number", "spec"),
        ("spec.selector", "spec"),
    ],
)
def test_fields_are_called_as_the_ingress_calls_them(field, expected):
    problem = Problem(code="X-001", resource=REF, field=field, message="x")
    assert as_written(problem).field == expected


def test_problems_of_others_stay():
    other = ResourceRef(kind="Gateway", namespace="shop", name="web")
    problem = Problem(code="X-001", resource=other, field="spec.selector", message="x")
    assert as_written(problem) is problem


def test_each_rule_of_a_host_has_its_own_author(world):
    [service] = converted(world(INGRESS % ("a", "x") + INGRESS % ("b", "y")), DEFAULT_MESH).services
    assert [author(service, one).name for one in service.spec.http] == ["a", "b"]
    assert [(part.ref.name, len(part.spec.http)) for part in by_author(service)] == [("a", 1), ("b", 1)]
