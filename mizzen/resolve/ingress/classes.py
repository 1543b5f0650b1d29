"""Whose an Ingress is to serve."""

from collections.abc import Mapping

from mizzen.resources.istio.mesh import MeshConfig
from mizzen.resources.kubernetes.ingress import (
    CLASS_ANNOTATION,
    DEFAULT_CLASS_ANNOTATION,
    Ingress,
    IngressClass,
)

OUR_CLASS = "mizzen"
CONTROLLERS = frozenset({"istio.io/ingress-controller", "mizzen.dev/ingress-controller"})


def class_of(ingress: Ingress, classes: Mapping[str, IngressClass]) -> str:
    """The class that an Ingress names, or has because it names none; "" for none.

    An API server writes the default class into an Ingress when it is made; in files nobody does.
    """
    named = ingress.meta.annotations.get(CLASS_ANNOTATION)
    if named is None:
        named = ingress.spec.ingress_class_name
    if named is None and ingress.meta.creation_timestamp is None:
        is_default = (name for name, one in sorted(classes.items()) if _is_default(one))
        named = next(is_default, None)
    return named or ""


def is_ours(ingress: Ingress, classes: Mapping[str, IngressClass], mesh: MeshConfig) -> bool:
    """As Istio: by the class in the annotation, else by the controller of its IngressClass, else by the mesh's mode.

    One that names a class which is not there is ours where the name says so: files seldom hold the class itself.
    """
    if mesh.ingress_controller_mode == "OFF":
        return False
    own = {mesh.ingress_class, OUR_CLASS}
    name = class_of(ingress, classes)
    if CLASS_ANNOTATION in ingress.meta.annotations:
        return name in own
    known = classes.get(name)
    if known is not None:
        return known.spec.controller in CONTROLLERS
    return name in own or (not name and mesh.ingress_controller_mode == "DEFAULT")


def _is_default(one: IngressClass) -> bool:
    return one.meta.annotations.get(DEFAULT_CLASS_ANNOTATION) == "true"
