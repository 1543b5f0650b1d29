"""Which Pods get a sidecar, beyond what the webhooks' selectors say (those the API server judges)."""

from collections.abc import Mapping
from typing import Any

from mizzen.inject.container import Manifest

INJECT = "sidecar.istio.io/inject"
NAMESPACE_LABEL, REVISION_LABEL = "istio-injection", "istio.io/rev"
# Where Istio never injects.
NEVER = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})


def why_not(pod: Manifest, namespace: str) -> str:
    """Why a Pod that the API server asks about stays as it is; "" when it is to be injected."""
    if namespace in NEVER:
        return f"nothing is injected in {namespace}"
    if (pod.get("spec") or {}).get("hostNetwork"):
        return "it uses the network of its node, whose traffic nobody may redirect"
    if said(pod) is False:
        return f"{INJECT} is false"
    return ""


def said(pod: Manifest) -> bool | None:
    """What the Pod itself says: its label over its annotation; None when it says nothing."""
    meta = pod.get("metadata") or {}
    for source in (meta.get("labels"), meta.get("annotations")):
        text = str((source or {}).get(INJECT, "")).lower()
        if text in ("false", "n", "no", "off", "0"):
            return False
        if text in ("true", "y", "yes", "on", "1"):
            return True
    return None


def is_selected(namespace_labels: Mapping[str, str], pod: Manifest, revision: str) -> bool:
    """Would one of the four webhooks of `revision` be called for it? Istio's selectors, for whoever has no API server."""
    labels: Mapping[str, Any] = (pod.get("metadata") or {}).get("labels") or {}
    inject = labels.get(INJECT)
    of_namespace = namespace_labels.get(NAMESPACE_LABEL)
    if inject == "false":
        return False
    if of_namespace is not None:
        return of_namespace == "enabled" and revision == "default"
    if REVISION_LABEL in namespace_labels:
        return namespace_labels[REVISION_LABEL] == revision
    if REVISION_LABEL in labels:
        return bool(labels[REVISION_LABEL] == revision)
    return inject == "true" and revision == "default"
