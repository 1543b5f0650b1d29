"""Where what Kustomize built was written."""

from pathlib import Path

import pytest

from mizzen.errors import Place, Problem, ResourceRef
from mizzen.sources.kustomize import BUILT
from mizzen.sources.kustomize_origins import with_origins

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: NAME}
spec:
  selector: {a: b}
"""


def told(folder: Path, name: str, field: str = "spec.selector", kind: str = "Gateway") -> str:
    places = {"": Place(str(folder / BUILT), 1, 1)}
    ref = ResourceRef(kind=kind, group="networking.istio.io", name=name, places=places)
    (problem,) = with_origins([Problem(code="GW-005", resource=ref, field=field, message="m", hint="Do it.")])
    return problem.hint.removeprefix("Do it.").strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    base, overlay = tmp_path / "base", tmp_path / "overlay"
    for path in (base, overlay):
        path.mkdir()
    (base / "kustomization.yaml").write_text("resources: [gateway.yaml, both.yaml, gone.yaml]\n")
    (base / "gateway.yaml").write_text(GATEWAY.replace("NAME", "shop"))
    (base / "both.yaml").write_text(
        GATEWAY.replace("NAME", "in") + "---\n" + GATEWAY.replace("NAME", "inner")
    )
    (overlay / "kustomization.yaml").write_text(
        "namePrefix: new-\nresources: [../base, ../base/., https://example.test/base]\npatches: [{path: patch.yaml}]\n"
    )
    (overlay / "patch.yaml").write_text(GATEWAY.replace("NAME", "shop"))
    return overlay


@pytest.mark.parametrize(
    ("name", "kind", "is_told"),
    [
        ("shop", "Gateway", True),
        ("new-shop", "Gateway", True),
        ("new-shop-v2", "Gateway", True),
        ("inner", "Gateway", True),
        ("new-inner", "Gateway", False),  # "in" could be meant as well
        ("other", "Gateway", False),
        ("shop", "VirtualService", False),
    ],
)
def test_an_object_is_known_by_its_name_within(folder: Path, name: str, kind: str, is_told: bool) -> None:
    assert bool(told(folder, name, kind=kind)) == is_told


def test_the_place_is_that_of_the_field_in_the_resource_not_in_a_patch(folder: Path) -> None:
    assert told(folder, "new-shop") == f"It is written in {folder.parent / 'base' / 'gateway.yaml'}:5:3."


def test_a_folder_that_is_gone_and_a_broken_kustomization_say_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / "kustomization.yaml").write_text("resources: [")

    assert told(folder, "shop") == ""
    assert told(tmp_path / "nowhere", "shop") == ""


def test_what_was_not_built_stays_as_it_is() -> None:
    ref = ResourceRef(kind="Gateway", name="a", places={"": Place("a.yaml", 1, 1)})
    problem = Problem(code="GW-005", resource=ref, message="m")

    assert with_origins([problem]) == (problem,)
