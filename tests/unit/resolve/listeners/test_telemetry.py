"""Which Telemetry objects are for a proxy."""

import pytest

from mizzen.resolve.listeners.telemetry import matches, telemetries
from mizzen.resources.istio.telemetry import ModeSelector

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {rootNamespace: root}
  components:
    ingressGateways:
    - {name: gw, namespace: edge, label: {gateway.networking.k8s.io/gateway-name: k8s-gw}}
"""


def telemetry(name, namespace, more=""):
    return f"""
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{{more}accessLogging: [{{disabled: true}}]}}
"""


def names(found):
    return [one.name for one in telemetries(found.ctx)]


def test_the_mesh_then_the_namespace_then_the_proxy(gateway):
    found = gateway(
        OPERATOR
        + telemetry("own", "edge", "selector: {matchLabels: {app: gw}}, ")
        + telemetry("wide", "edge")
        + telemetry("all", "root")
        + telemetry("selects-in-root", "root", "selector: {matchLabels: {app: gw}}, ")
        + telemetry("other", "edge", "selector: {matchLabels: {app: other}}, ")
        + telemetry("elsewhere", "default")
    )
    assert names(found) == ["all", "wide", "own"]
    assert not found.problems


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("{group: gateway.networking.k8s.io, kind: Gateway, name: k8s-gw}", ["one"]),
        ("{group: gateway.networking.k8s.io, kind: Gateway, name: other}", []),
        ("{group: '', kind: Service, name: k8s-gw}", []),
    ],
)
def test_a_gateway_of_kubernetes_is_a_target(gateway, ref, expected):
    found = gateway(OPERATOR + telemetry("one", "edge", f"targetRefs: [{ref}], "))
    assert names(found) == expected


def test_of_each_rank_the_oldest_or_first_takes_part(gateway):
    chosen = "selector: {matchLabels: {app: gw}}, "
    found = gateway(
        OPERATOR
        + "".join(telemetry(name, "edge") for name in ("b", "a"))
        + "".join(telemetry(name, "edge", chosen) for name in ("d", "c"))
    )
    assert names(found) == ["a", "c"]
    assert found.said == [
        ("TEL-001", "Telemetry/edge/b", "spec"),
        ("TEL-001", "Telemetry/edge/d", "spec.selector"),
    ]


def test_a_match_is_for_its_side():
    assert matches(None, "CLIENT")
    assert matches(ModeSelector(), "SERVER")
    assert matches(ModeSelector(mode="CLIENT"), "CLIENT")
    assert not matches(ModeSelector(mode="SERVER"), "CLIENT")
