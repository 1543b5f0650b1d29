import yaml

from mizzen.install.changes import as_yaml, difference, is_left, said, shown, to_apply
from tests.unit.install.conftest import render


def test_a_webhook_is_applied_without_what_the_control_plane_writes() -> None:
    (validator,) = [m for m in render("{}") if m["kind"] == "ValidatingWebhookConfiguration"]
    validator["webhooks"][0]["clientConfig"]["caBundle"] = "x"

    applied = to_apply(validator)

    assert all("failurePolicy" not in hook for hook in applied["webhooks"])
    assert all("caBundle" not in hook["clientConfig"] for hook in applied["webhooks"])
    assert validator["webhooks"][0]["failurePolicy"] == "Ignore"


def test_nothing_else_is_taken_out_of_a_manifest() -> None:
    for manifest in render("{profile: demo}"):
        if not manifest["kind"].endswith("WebhookConfiguration"):
            assert to_apply(manifest) is manifest


def test_what_an_api_server_adds_is_no_difference() -> None:
    written = {"kind": "A", "metadata": {"name": "a"}, "spec": {"x": 1}}
    metadata = {"name": "a", "uid": "u", "resourceVersion": "7", "managedFields": [], "generation": 3}
    stored = {"kind": "A", "metadata": metadata, "spec": {"x": 1}, "status": {"ready": True}}

    assert said(stored) == said(written)
    assert difference(shown(written), shown(stored), "A/a") == ""
    assert "-  x: 1\n+  x: 2" in difference(shown(written), shown({**stored, "spec": {"x": 2}}), "A/a")


def test_an_object_of_which_only_the_api_server_noted_something_has_no_annotations() -> None:
    noted = {"name": "a", "annotations": {"deployment.kubernetes.io/revision": "3"}}

    assert said({"kind": "Deployment", "metadata": noted}) == said(
        {"kind": "Deployment", "metadata": {"name": "a"}}
    )


def test_manifests_are_printed_so_that_they_can_be_read_back() -> None:
    for manifest in render("{profile: demo}"):
        text = as_yaml(manifest)
        assert yaml.safe_load(text) == manifest
        assert "&id" not in text
        assert "\\n" not in text


def test_namespaces_and_definitions_of_others_stay_as_they_are() -> None:
    every = {manifest["kind"]: manifest for manifest in render("{profile: demo}")}
    definition = {"kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"}}
    labels = {"app.kubernetes.io/managed-by": "mizzen"}

    assert is_left(definition, definition)
    assert not is_left(definition, {"metadata": {"name": "things.example.com", "labels": labels}})
    assert is_left(every["Namespace"], {"metadata": {"name": "a", "labels": labels}})
    assert not is_left(every["Service"], {"metadata": {"name": "a"}})
