"""Objects that choose proxies, and choose none that is here."""

import pytest

from mizzen.resolve.checks.for_nobody import check_for_nobody

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {rootNamespace: root}
  components: {ingressGateways: [{name: gw, namespace: edge}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: shop}
spec: {address: 127.0.0.1, labels: {app: shop}}
"""
GROUPS = {
    "Telemetry": "telemetry.istio.io/v1",
    "ProxyConfig": "networking.istio.io/v1beta1",
    "WasmPlugin": "extensions.istio.io/v1alpha1",
}


@pytest.mark.parametrize(
    ("kind", "namespace", "selector", "expected"),
    [
        ("Telemetry", "root", "", []),
        ("Telemetry", "edge", "", []),
        ("Telemetry", "edge", "selector: {matchLabels: {app: gw}}, ", []),
        ("Telemetry", "shop", "selector: {matchLabels: {app: shop}}, ", []),
        ("Telemetry", "edge", "selector: {matchLabels: {app: other}}, ", ["spec.selector"]),
        ("Telemetry", "nowhere", "", ["metadata.namespace"]),
        ("Telemetry", "root", "selector: {matchLabels: {app: gw}}, ", ["spec.selector"]),
        ("ProxyConfig", "nowhere", "", ["metadata.namespace"]),
        ("WasmPlugin", "root", "selector: {matchLabels: {app: gw}}, ", []),
        ("WasmPlugin", "root", "selector: {matchLabels: {app: other}}, ", ["spec.selector"]),
        ("WasmPlugin", "nowhere", "targetRefs: [{kind: Gateway, name: x}], ", []),
    ],
)
def test_who_is_for_nobody_is_told(gateway, kind, namespace, selector, expected):
    rest = {"Telemetry": "tracing: [{}]", "ProxyConfig": "concurrency: 1", "WasmPlugin": "url: 'file:///x'"}[
        kind
    ]
    found = gateway(
        f"{OPERATOR}\n---\napiVersion: {GROUPS[kind]}\nkind: {kind}\nmetadata: {{name: one, namespace: {namespace}}}\n"
        f"spec: {{{selector}{rest}}}\n"
    )
    check_for_nobody(found.ctx)
    assert [one.field for one in found.problems if one.code == "GW-017"] == expected


DEPLOYMENT = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {}}}
"""


@pytest.mark.parametrize(
    ("kind", "namespace", "labels", "expected"),
    [
        ("AuthorizationPolicy", "shop", "app: cart", []),
        ("RequestAuthentication", "shop", "app: shop", []),
        ("AuthorizationPolicy", "root", "app: cart", []),
        ("AuthorizationPolicy", "shop", "app: card", ["info"]),
        ("AuthorizationPolicy", "edge", "app: gv", ["warning"]),
        ("RequestAuthentication", "edge", "app: gv", ["warning"]),
        ("AuthorizationPolicy", "edge", "tier: front", ["info"]),
        ("AuthorizationPolicy", "edge", "app: gw", []),
    ],
)
def test_guards_of_nobody_are_told_louder_beside_a_gateway(gateway, kind, namespace, labels, expected):
    found = gateway(
        f"{OPERATOR}{DEPLOYMENT}\n---\napiVersion: security.istio.io/v1\nkind: {kind}\n"
        f"metadata: {{name: one, namespace: {namespace}}}\nspec: {{selector: {{matchLabels: {{{labels}}}}}}}\n"
    )
    check_for_nobody(found.ctx)
    assert [one.severity.value for one in found.problems if one.code == "GW-017"] == expected
