"""What Ingresses become."""

from dataclasses import replace

import pytest

from mizzen.resolve.ingress.conversion import Converted, as_before, converted, joined
from mizzen.resources.istio.mesh import DEFAULT_MESH

INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, namespace: shop}
spec:
  ingressClassName: istio
"""
PATH = "{path: %s, pathType: %s, backend: {service: {name: web, port: {number: 80}}}}"


def rules(*paths, host="a.test"):
    return f"  rules: [{{host: '{host}', http: {{paths: [{', '.join(PATH % one for one in paths)}]}}}}]\n"


def uris(service):
    found = []
    for one in service.spec.http:
        uri = one.match[0].uri if one.match else None
        found.append(None if uri is None else uri.exact or uri.prefix or uri.regex)
    return found


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/a", "Exact", "/a"),
        ("/", "Exact", "/"),
        ("/", "Prefix", "/"),
        ("/a", "Prefix", "/a(?:/.*)?"),
        ("/a/", "Prefix", "/a(?:/.*)?"),
        ("/a.b", "Prefix", "/a\\.b(?:/.*)?"),
        ("/a", "ImplementationSpecific", "/a"),
        ("/a/*", "ImplementationSpecific", "/a(?:/.*)?"),
        ("/a.*", "ImplementationSpecific", "/a(?:/.*)?"),
        ("/a*", "ImplementationSpecific", "/a*"),
        ("/*", "ImplementationSpecific", None),
        ("''", "ImplementationSpecific", None),
    ],
)
def test_paths_are_read_as_istio_reads_them(world, path, kind, expected):
    made = converted(world(INGRESS % "i" + rules((path, kind))), DEFAULT_MESH)
    assert [uris(one) for one in made.services] == [[expected]]


def test_rules_of_one_host_are_one_with_long_paths_first(world):
    text = (
        INGRESS % "b"
        + rules(("/a", "Prefix"), ("/", "Prefix"))
        + INGRESS % "a"
        + rules(("/a", "Exact"), ("/a/long", "Prefix"), ("/*", "ImplementationSpecific"))
    )
    [service] = converted(world(text), DEFAULT_MESH).services
    assert uris(service) == ["/a/long(?:/.*)?", "/a", "/a(?:/.*)?", "/", None]
    assert service.spec.gateways == (
        "istio-system/a-istio-ingressgateway-shop",
        "istio-system/b-istio-ingressgateway-shop",
    )
    assert [one.ref.name for one in service.spec.http] == ["a", "a", "b", "b", "a"]


def test_servers_are_on_80_for_all_and_on_443_for_each_entry_with_a_secret(world):
    text = (
        INGRESS % "i" + "  tls: [{hosts: [A.test], secretName: one}, {hosts: [b.test]}, {secretName: two}]\n"
    )
    made = converted(world(text), DEFAULT_MESH)
    [gateway] = made.gateways
    assert [(s.port.number, s.hosts, s.tls and s.tls.credential_name) for s in gateway.spec.servers] == [
        (443, ("a.test",), "one"),
        (443, ("*",), "two"),
        (80, ("*",), None),
    ]
    assert [one.code for one in made.problems] == ["ING-004"]


def test_a_host_that_has_its_certificate_already_needs_no_second_server(world):
    tls = "  tls: [{hosts: [%s], secretName: one}]\n"
    text = (
        INGRESS % "a"
        + tls % "a.test"
        + INGRESS % "b"
        + tls % "a.test, b.test"
        + INGRESS % "c"
        + tls % "a.test"
    )
    made = converted(world(text), DEFAULT_MESH)
    assert [[one.hosts for one in each.spec.servers] for each in made.gateways] == [
        [("a.test",), ("*",)],
        [("b.test",), ("*",)],
        [("*",)],
    ]


@pytest.mark.parametrize(
    ("mesh", "expected"),
    [
        ({}, "ingressgateway"),
        ({"ingress_selector": "edge"}, "edge"),
        ({"ingress_service": "front"}, "front"),
        ({"ingress_service": "edge/front"}, "front"),
        ({"ingress_service": "front", "ingress_selector": "edge"}, "edge"),
    ],
)
def test_the_mesh_says_which_gateways_serve(world, mesh, expected):
    made = converted(world(INGRESS % "i"), replace(DEFAULT_MESH, **mesh))
    assert made.gateways[0].spec.selector == {"istio": expected}


def test_what_is_equal_stays_the_same_object_and_a_world_without_ingresses_too(world):
    text = INGRESS % "i" + rules(("/a", "Exact"))
    first, second = (converted(world(text), DEFAULT_MESH) for _ in range(2))
    kept = as_before(second, first)
    assert kept.gateways[0] is first.gateways[0]
    assert kept.services[0] is first.services[0]
    read = world(text)
    assert joined(read, first).gateways == first.gateways
    assert joined(read, Converted()) is read
