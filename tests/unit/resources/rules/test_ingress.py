"""What is refused in an Ingress."""

from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]


def ingress(host: str = "a.test", path: str = "path: /, pathType: Prefix", backend: str = "") -> str:
    backend = backend or "service: {name: web, port: {number: 80}}"
    return f"{{rules: [{{host: '{host}', http: {{paths: [{{{path}, backend: {{{backend}}}}}]}}}}]}}"


@pytest.mark.parametrize(
    "spec",
    [
        ingress(),
        ingress("*.a.test"),
        ingress(""),
        ingress(path="path: ''"),
        ingress(backend="service: {name: web, port: {name: http}}"),
        "{defaultBackend: {resource: {kind: Bucket, name: b}}}",
        "{tls: [{hosts: [a.test, '*.b.test'], secretName: c}, {}]}",
    ],
)
def test_a_good_ingress_is_taken(judge: Judge, spec: str) -> None:
    assert judge("Ingress", spec) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (ingress("a b"), "VAL-004"),
        (ingress("10.0.0.1"), "VAL-004"),
        (ingress("*"), "VAL-004"),
        (ingress("a.*.test"), "VAL-004"),
        ("{tls: [{hosts: ['*.*.b']}]}", "VAL-004"),
        (ingress(path="path: a, pathType: Exact"), "VAL-013"),
        (ingress(path='path: "/a\\nb"'), "VAL-013"),
        (ingress(backend="service: {name: web}"), "VAL-002"),
        (ingress(backend="service: {name: web, port: {name: a, number: 80}}"), "VAL-002"),
        (ingress(backend="service: {name: web.other, port: {number: 80}}"), "VAL-007"),
        (
            ingress(backend="resource: {kind: A, name: a}, service: {name: web, port: {number: 80}}"),
            "VAL-002",
        ),
        ("{defaultBackend: {}}", "VAL-001"),
    ],
)
def test_what_kubernetes_would_refuse_is_refused(judge: Judge, spec: str, expected: str) -> None:
    assert [one.split()[1] for one in judge("Ingress", spec)] == [expected]
