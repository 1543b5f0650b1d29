"""Whose an Ingress is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mizzen.resolve.ingress.classes import is_ours
from mizzen.resources.istio.mesh import DEFAULT_MESH
from mizzen.resources.kubernetes.ingress import Ingress, IngressClass

CLASSES = """
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: front}
spec: {controller: istio.io/ingress-controller}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: own}
spec: {controller: mizzen.dev/ingress-controller}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
"""
USUAL = """
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: usual, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
spec: {controller: istio.io/ingress-controller}
"""
CLASS = "kubernetes.io/ingress.class"


def ingress(annotation=None, named=None):
    annotations = f", annotations: {{{CLASS}: '{annotation}'}}" if annotation is not None else ""
    spec = f"{{ingressClassName: {named}}}" if named else "{}"
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i{annotations}}}\nspec: {spec}\n"
    )


def judged(world, text, **mesh):
    read = world(text)
    classes = {one.name: one for one in read.every(IngressClass)}
    [one] = read.every(Ingress)
    return is_ours(one, classes, replace(DEFAULT_MESH, **mesh))


@pytest.mark.parametrize(
    ("annotation", "named", "expected"),
    [
        ("istio", None, True),
        ("mizzen", None, True),
        ("nginx", None, False),
        ("", None, False),
        ("nginx", "front", False),
        ("istio", "nginx", True),
        (None, "front", True),
        (None, "own", True),
        (None, "nginx", False),
        (None, "istio", True),  # files seldom hold the class itself
        (None, "mizzen", True),
        (None, "gone", False),
        (None, None, False),
    ],
)
def test_by_default_the_class_must_be_named(world, annotation, named, expected):
    assert judged(world, ingress(annotation, named) + CLASSES) is expected


def test_the_mesh_says_which_class_and_how_strictly(world):
    assert judged(world, ingress("mine"), ingress_class="mine")
    assert not judged(world, ingress("istio"), ingress_class="mine")
    assert judged(world, ingress("mizzen"), ingress_class="mine")
    assert judged(world, ingress(), ingress_controller_mode="DEFAULT")
    assert not judged(world, ingress("nginx"), ingress_controller_mode="DEFAULT")
    assert not judged(world, ingress(None, "gone"), ingress_controller_mode="DEFAULT")
    for text in (ingress("istio"), ingress(None, "front") + CLASSES, ingress()):
        assert not judged(world, text, ingress_controller_mode="OFF")


def test_the_default_class_is_that_of_an_ingress_from_a_file(world):
    assert judged(world, ingress() + USUAL)
    assert not judged(world, ingress("") + USUAL)
    [one] = world(ingress()).every(Ingress)
    made = replace(one, meta=replace(one.meta, creation_timestamp=datetime(2026, 1, 1, tzinfo=UTC)))
    classes = {each.name: each for each in world(USUAL).every(IngressClass)}
    assert not is_ours(made, classes, DEFAULT_MESH)
