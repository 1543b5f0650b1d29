from datetime import UTC, datetime

from mizzen.client.analysis import analysis
from mizzen.errors import Problem
from mizzen.pipeline import Settings
from mizzen.resources.raw_objects import parse_documents

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
"""
ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.test]
  gateways: [gw, nobody]
  http:
  - timeout: soon
    retries: {attempts: -1}
    route: [{destination: {host: nowhere}}]
"""


def told(text: str) -> list[tuple[str, str]]:
    raws, broken = parse_documents(text, "in.yaml")
    problems: tuple[Problem, ...] = analysis(raws, broken, Settings(), NOW)
    return [(problem.code, problem.field) for problem in problems]


def test_references_of_an_object_with_errors_are_looked_at_too() -> None:
    assert told(GATEWAY + ROUTE) == [
        ("REF-001", "spec.gateways[1]"),
        ("FLD-002", "spec.http[0].timeout"),
        ("VAL-003", "spec.http[0].retries.attempts"),
        ("REF-002", "spec.http[0].route[0].destination.host"),
    ]


def test_where_nothing_can_be_left_out_the_errors_alone_are_told() -> None:
    assert told(
        GATEWAY + "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: A_}\nspec: []"
    ) == [
        ("META-001", "metadata.name"),
        ("FLD-002", "spec"),
    ]


def test_what_is_wrong_by_itself_is_told_once() -> None:
    mended = ROUTE.replace("timeout: soon", "timeout: 5s").replace("-1", "1")

    assert told(GATEWAY + mended) == [
        ("REF-001", "spec.gateways[1]"),
        ("REF-002", "spec.http[0].route[0].destination.host"),
    ]
