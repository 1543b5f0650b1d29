"""Which workloads are gateways."""

import pytest

from mizzen.resolve.proxies.workloads import gateway_workloads

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: edge}
spec:
  template:
"""


def of(world, template):
    return [one.name for one in gateway_workloads(world(DEPLOYMENT + template))]


@pytest.mark.parametrize(
    "template",
    [
        "    metadata: {annotations: {inject.istio.io/templates: gateway}}",
        "    metadata: {annotations: {inject.istio.io/templates: 'mine, gateway'}}",
        "    metadata: {labels: {istio: ingressgateway}}",
        "    metadata: {labels: {app: istio-ingressgateway}}",
        "    metadata: {labels: {sidecar.istio.io/inject: 'true'}}\n"
        "    spec: {containers: [{name: istio-proxy, image: auto}]}",
        "    metadata: {annotations: {sidecar.istio.io/inject: 'true'}}\n"
        "    spec: {containers: [{name: istio-proxy, image: auto}]}",
        "    spec: {containers: [{name: istio-proxy, args: [proxy, router]}]}",
    ],
)
def test_a_template_says_that_it_is_a_gateway(world, template):
    assert of(world, template) == ["edge"]


@pytest.mark.parametrize(
    "template",
    [
        "    metadata: {annotations: {inject.istio.io/templates: sidecar}}",
        "    metadata: {labels: {sidecar.istio.io/inject: 'false'}, annotations: {inject.istio.io/templates: gateway}}",
        "    metadata: {labels: {sidecar.istio.io/inject: 'true'}}\n"
        "    spec: {containers: [{name: istio-proxy, image: auto}, {name: app, image: app}]}",
        "    spec: {containers: [{name: istio-proxy, args: [proxy, sidecar]}]}",
        "    spec: {containers: [{name: app, args: [router]}]}",
        "    metadata: {labels: {istio: egressgateway}, annotations: {inject.istio.io/templates: gateway}}",
    ],
)
def test_other_workloads_are_none(world, template):
    assert of(world, template) == []


def test_an_egress_gateway_is_one_when_a_gateway_asks_for_it(world):
    wanted = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out}
spec: {selector: {istio: egressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""
    assert of(world, "    metadata: {labels: {istio: egressgateway}}" + wanted) == ["edge"]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "ReplicaSet"])
def test_whatever_makes_pods_of_a_template_may_be_one(world, kind):
    text = DEPLOYMENT.replace("Deployment", kind) + "    metadata: {labels: {istio: ingressgateway}}"
    assert [one.key for one in gateway_workloads(world(text))] == [("edge", "edge")]


def test_pods_and_replica_sets_are_part_of_their_deployment(world):
    text = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: edge-5d4, namespace: edge}
spec:
  template:
    metadata: {labels: {pod-template-hash: 5d4}, annotations: {inject.istio.io/templates: gateway}}
---
apiVersion: v1
kind: Pod
metadata: {name: edge-5d4-abcde, namespace: edge, labels: {pod-template-hash: 5d4},
  annotations: {inject.istio.io/templates: gateway}}
---
apiVersion: v1
kind: Pod
metadata: {name: alone-here, namespace: edge, annotations: {inject.istio.io/templates: gateway}}
---
apiVersion: v1
kind: Pod
metadata: {name: over, namespace: edge, annotations: {inject.istio.io/templates: gateway}}
status: {phase: Succeeded}
---
apiVersion: v1
kind: Pod
metadata: {name: labelled, namespace: edge, labels: {istio: ingressgateway}}
---"""
    found = gateway_workloads(
        world(text + DEPLOYMENT + "    metadata: {annotations: {inject.istio.io/templates: gateway}}")
    )
    assert [(one.name, one.ref.kind) for one in found] == [("edge", "Deployment"), ("alone-here", "Pod")]


ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: canary, namespace: edge}
spec:
"""


def test_a_rollout_is_one_as_a_deployment_is(world):
    (found,) = gateway_workloads(
        world(ROLLOUT + "  template: {metadata: {labels: {istio: ingressgateway}, annotations: {a: b}}}")
    )

    assert (found.key, found.is_off, found.ref.kind) == (("edge", "canary"), False, "Rollout")
    assert found.template.meta.annotations == {"a": "b"}


@pytest.mark.parametrize(
    ("source", "at"),
    [
        (
            DEPLOYMENT + "    metadata: {labels: {istio: ingressgateway}}\n  replicas: 0",
            "spec.template.metadata",
        ),
        (
            "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: edge, namespace: edge}\n"
            "template: {metadata: {labels: {istio: ingressgateway}}}",
            "template.metadata",
        ),
    ],
)
def test_a_rollout_may_refer_to_what_has_its_template(world, source, at):
    kind = "Deployment" if "Deployment" in source else "PodTemplate"
    rollout = f"{ROLLOUT}  workloadRef: {{kind: {kind}, name: edge}}\n---\n"

    (found,) = gateway_workloads(world(rollout + source))

    assert (found.key, found.is_off, found.at) == (("edge", "canary"), False, at)
    assert (found.ref.kind, found.ref.name) == (kind, "edge")


def test_a_rollout_that_refers_to_nothing_and_a_template_by_itself_are_none(world):
    text = "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: other, namespace: edge}\n"
    text += "template: {metadata: {labels: {istio: ingressgateway}}}\n---\n"

    assert gateway_workloads(world(text + ROLLOUT + "  workloadRef: {kind: PodTemplate, name: edge}")) == ()
