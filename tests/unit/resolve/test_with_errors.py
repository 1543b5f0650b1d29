import pytest

from mizzen.errors import ResourceRef
from mizzen.resolve import with_errors
from mizzen.resources.refusal import refused_ref

OBJECTS = """
    {apiVersion: v1, kind: Service, metadata: {name: a, namespace: shop}, spec: {ports: [{port: x}]}}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: b, namespace: shop}
    spec: {hosts: [b.test], resolution: NOWHERE}
    ---
    apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: c, namespace: shop}
    spec: {host: '*.c.test', odd: 1}
    ---
    apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: d, namespace: shop}
    spec: {host: d, odd: 1}
"""


@pytest.mark.parametrize(
    ("host", "service", "rule"),
    [
        ("a.shop.svc.cluster.local", refused_ref("Service", "shop", "a"), None),
        ("b.test", refused_ref("ServiceEntry", "shop", "b"), None),
        ("x.c.test", None, refused_ref("DestinationRule", "shop", "c")),
        ("d.shop.svc.cluster.local", None, refused_ref("DestinationRule", "shop", "d")),
        ("d.other.svc.cluster.local", None, None),
    ],
)
def test_who_would_have_a_host(
    gateway, host: str, service: ResourceRef | None, rule: ResourceRef | None
) -> None:
    ctx = gateway(OBJECTS).ctx

    assert with_errors.service(ctx, host) == service
    assert with_errors.rule(ctx, host) == rule


def test_by_its_name(gateway) -> None:
    ctx = gateway(OBJECTS).ctx

    assert with_errors.named(ctx, "Service", "shop", "a") == refused_ref("Service", "shop", "a")
    assert with_errors.named(ctx, "Service", "shop", "b") is None
