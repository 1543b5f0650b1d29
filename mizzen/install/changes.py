"""What of a manifest is ours to say, and whether an object has changed by saying it."""

import copy
import difflib
from collections.abc import Mapping
from typing import Any

import yaml

from mizzen.inject.container import Manifest
from mizzen.install.site import MANAGED_BY
from mizzen.resources.kubernetes.metadata import asked

_REVISION = "deployment.kubernetes.io/revision"  # which the API server counts
_WEBHOOKS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})


def to_apply(manifest: Manifest) -> Manifest:
    """`manifest` without what the control plane writes into it once it serves.

    Of a webhook that is the certificate of its authority, and for validation also whether a silent control
    plane refuses everything. An object that is not there yet is created with both.
    """
    if manifest["kind"] not in _WEBHOOKS:
        return manifest
    found = copy.deepcopy(manifest)
    for hook in found.get("webhooks") or ():
        (hook.get("clientConfig") or {}).pop("caBundle", None)
        if manifest["kind"] == "ValidatingWebhookConfiguration":
            hook.pop("failurePolicy", None)
    return found


def is_ours(manifest: Mapping[str, Any]) -> bool:
    """Whether mizzen has installed an object."""
    labels = manifest["metadata"].get("labels") or {}
    return bool(labels.get(MANAGED_BY) == "mizzen")


def is_left(manifest: Manifest, before: Mapping[str, Any]) -> bool:
    """Whether an object that is there stays as it is: namespaces, and definitions that somebody else has made."""
    kind = manifest["kind"]
    return bool(kind == "Namespace" or (kind == "CustomResourceDefinition" and not is_ours(before)))


def said(manifest: Mapping[str, Any]) -> Manifest:
    """An object of the cluster without its status and its bookkeeping: what it asks for."""
    rest = {key: value for key, value in manifest.items() if key not in ("metadata", "status")}
    return {**rest, "metadata": dict(asked(manifest["metadata"], _REVISION))}


def shown(manifest: Mapping[str, Any]) -> str:
    """A manifest as YAML, its keys sorted, texts of several lines as blocks."""
    return as_yaml(said(manifest), sort_keys=True)


def difference(before: str, after: str, name: str) -> str:
    """As `diff -u` prints it; "" where nothing differs."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(lines)


class _Dumper(yaml.SafeDumper):
    """Without anchors, and with texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(manifest: Mapping[str, Any], *, sort_keys: bool = False) -> str:
    """A manifest as one YAML document."""
    return str(
        yaml.dump(dict(manifest), Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True, width=1_000)
    )
