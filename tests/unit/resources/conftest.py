"""What the tests of this package share: a text is read, and what was found is told in short lines."""

from collections.abc import Callable

import pytest

from mizzen.errors import Problem
from mizzen.resources.intake import decode_all
from mizzen.resources.raw_objects import parse_documents
from mizzen.resources.world import World

Read = Callable[[str], tuple[World, tuple[Problem, ...]]]
Judge = Callable[[str, str], list[str]]

_API = {
    "Service": "v1",
    "Secret": "v1",
    "IstioOperator": "install.istio.io/v1alpha1",
    "Ingress": "networking.k8s.io/v1",
}


@pytest.fixture
def read() -> Read:
    """Text -> the world it makes, and all problems."""

    def reading(text: str) -> tuple[World, tuple[Problem, ...]]:
        raws, broken = parse_documents(text, "in.yaml")
        world, problems = decode_all(raws)
        return world, broken + problems

    return reading


@pytest.fixture
def judge(read: Read) -> Judge:
    """(kind, spec as YAML in one line) -> "severity code field" of each problem."""

    def judging(kind: str, spec: str) -> list[str]:
        api = _API.get(kind, "networking.istio.io/v1")
        text = f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: it, namespace: own}}\nspec: {spec}\n"
        return [f"{p.severity.value} {p.code} {p.field}" for p in read(text)[1]]

    return judging
