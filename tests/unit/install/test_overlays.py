from typing import Any

import pytest

from mizzen.install.overlays import OverlayError, overlaid
from mizzen.resources.istio.operator import ManifestOverlay, OverlayPatch

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "istiod"},
    "spec": {"containers": [{"name": "discovery", "args": ["pilot", "--kubernetes"]}]},
}


def changed(path: str, value: Any = None, **overlay: str) -> dict[str, Any]:
    said = ManifestOverlay(
        at="o",
        kind=overlay.get("kind", "Deployment"),
        name=overlay.get("name", "istiod"),
        api_version=overlay.get("api_version", ""),
        patches=(OverlayPatch(at="o.patches[0]", path=path, value=value),),
    )
    return overlaid([DEPLOYMENT], [said])[0]


def test_a_patch_reaches_an_item_by_its_name_and_by_its_number_from_the_end() -> None:
    args = "spec.containers.[name:discovery].args"

    assert changed(f"{args}.[-1]", "--other")["spec"]["containers"][0]["args"] == ["pilot", "--other"]
    assert changed(f"{args}.[2]", "--more")["spec"]["containers"][0]["args"][-1] == "--more"
    assert DEPLOYMENT["spec"]["containers"][0]["args"] == ["pilot", "--kubernetes"]


def test_a_mapping_is_laid_over_a_mapping_and_absent_ones_are_made() -> None:
    assert changed("metadata", {"labels": {"a": "b"}})["metadata"] == {"name": "istiod", "labels": {"a": "b"}}
    assert changed("spec.template.spec.hostNetwork", True)["spec"]["template"] == {
        "spec": {"hostNetwork": True}
    }


def test_a_patch_without_a_value_removes() -> None:
    assert changed("spec.containers.[name:discovery].args.[0]")["spec"]["containers"][0]["args"] == [
        "--kubernetes"
    ]
    assert "args" not in changed("spec.containers.[name:discovery].args")["spec"]["containers"][0]


@pytest.mark.parametrize(
    ("path", "overlay", "because"),
    [
        ("spec.x", {"name": "other"}, "o: there is no Deployment 'other'; there is Deployment istiod"),
        ("spec.x", {"api_version": "apps/v2"}, "there is no Deployment"),
        ("spec.containers.[name:nobody].args", {}, "leads nowhere at [name:nobody]"),
        ("spec.containers.args", {}, "leads nowhere at 'args'"),
        ("spec.containers.[9]", {}, "leads nowhere at [9]"),
        ("", {}, "must begin with a field"),
    ],
)
def test_an_overlay_that_leads_nowhere_is_named(path: str, overlay: dict[str, str], because: str) -> None:
    with pytest.raises(OverlayError) as caught:
        changed(path, 1, **overlay)
    assert because in str(caught.value)
