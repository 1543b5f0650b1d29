from collections.abc import Callable
from typing import Any

import pytest

from mizzen.install.declaring import Declared, declared
from mizzen.install.manifests import manifests
from mizzen.resources.raw_objects import parse_documents

Manifest = dict[str, Any]
HUB = ("hub=registry.example", "tag=1")


def declare(*texts: str, sets: tuple[str, ...] = HUB) -> Declared:
    """What files with these texts declare."""
    objects = [raw for number, text in enumerate(texts) for raw in parse_documents(text, f"{number}.yaml")[0]]
    return declared(objects, sets)


def of_spec(spec: str) -> str:
    """An IstioOperator with a spec in YAML's flow style."""
    return f"{{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, spec: {spec}}}"


def render(*specs: str, sets: tuple[str, ...] = HUB, **arguments: Any) -> tuple[Manifest, ...]:
    """The manifests of IstioOperators with these specs. Fails when there is an error."""
    found = declare(*map(of_spec, specs), sets=sets)
    assert found.operator is not None, found.problems
    return manifests(found.operator, found.mesh, version="1.2.3", **arguments)


@pytest.fixture
def one() -> Callable[..., Manifest]:
    """The manifest of a kind and name among several."""

    def choose(made: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
        (found,) = [m for m in made if (m["kind"], m["metadata"]["name"]) == (kind, name)]
        return found

    return choose
