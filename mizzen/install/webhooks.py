"""The webhooks of injection and validation, with Istio's rules of whom they concern.

`failurePolicy` of validation and every `caBundle` belong to the control plane, which writes them when it
serves: `mizzen.install.changes` takes care that a later installation leaves them alone.
"""

from typing import Any

from mizzen.inject.container import Manifest
from mizzen.install.site import DEFAULT_REVISION, PILOT, REVISION, Site

_INJECT = "sidecar.istio.io/inject"
_ENABLED = "istio-injection"
_GROUPS = [
    "extensions.istio.io",
    "mizzen.dev",
    "networking.istio.io",
    "security.istio.io",
    "telemetry.istio.io",
]


def injector(site: Site) -> Manifest:
    """Four webhooks for the default revision; another one is called by its own label alone."""
    own = _in(REVISION, site.revision)
    not_refused = _expression(_INJECT, "NotIn", "false")
    unlabelled = [_absent(REVISION), _absent(_ENABLED)]
    hooks = [
        _injecting(site, "rev.namespace", [own, _absent(_ENABLED)], [not_refused]),
        _injecting(site, "rev.object", unlabelled, [not_refused, own]),
    ]
    if site.revision == DEFAULT_REVISION:
        hooks += [
            _injecting(site, "namespace", [_in(_ENABLED, "enabled")], [not_refused]),
            _injecting(site, "object", unlabelled, [_in(_INJECT, "true"), _absent(REVISION)]),
        ]
    name = f"istio-sidecar-injector{site.suffix}{_elsewhere(site)}"
    return site.manifest(
        "MutatingWebhookConfiguration",
        name,
        component=PILOT,
        app="sidecar-injector",
        namespace=None,
        webhooks=hooks,
    )


def _elsewhere(site: Site) -> str:
    return "" if site.namespace == "istio-system" else f"-{site.namespace}"


def _injecting(site: Site, name: str, namespaces: list[Manifest], pods: list[Manifest]) -> Manifest:
    return {
        "name": f"{name}.sidecar-injector.istio.io",
        "admissionReviewVersions": ["v1"],
        "clientConfig": _client(site, "/inject"),
        "failurePolicy": "Fail",
        "namespaceSelector": {"matchExpressions": namespaces},
        "objectSelector": {"matchExpressions": pods},
        "reinvocationPolicy": "Never",
        "rules": [_rule([""], ["v1"], ["pods"], ["CREATE"])],
        "sideEffects": "None",
    }


def validator(site: Site) -> Manifest:
    """Nothing is refused until the control plane has proven that it can tell: it then sets Fail itself."""
    hooks = [_validating(site, "rev.validation.istio.io", _in(REVISION, site.revision))]
    if site.revision == DEFAULT_REVISION:
        hooks.append(_validating(site, "validation.istio.io", _absent(REVISION)))
    name = f"istio-validator{site.suffix}-{site.namespace}"
    return site.manifest(
        "ValidatingWebhookConfiguration", name, component=PILOT, namespace=None, webhooks=hooks
    )


def _validating(site: Site, name: str, objects: Manifest) -> Manifest:
    return {
        "name": name,
        "admissionReviewVersions": ["v1"],
        "clientConfig": _client(site, "/validate"),
        "failurePolicy": "Ignore",
        "objectSelector": {"matchExpressions": [objects]},
        "rules": [_rule(_GROUPS, ["*"], ["*"], ["CREATE", "UPDATE"])],
        "sideEffects": "None",
    }


def _client(site: Site, path: str) -> Manifest:
    return {"service": {"name": site.pilot, "namespace": site.namespace, "path": path, "port": 443}}


def _rule(groups: list[str], versions: list[str], resources: list[str], verbs: list[str]) -> Manifest:
    return {
        "apiGroups": groups,
        "apiVersions": versions,
        "operations": verbs,
        "resources": resources,
        "scope": "*",
    }


def _in(label: str, value: str) -> Manifest:
    return _expression(label, "In", value)


def _absent(label: str) -> Manifest:
    return {"key": label, "operator": "DoesNotExist"}


def _expression(label: str, operator: str, *values: Any) -> Manifest:
    return {"key": label, "operator": operator, "values": list(values)}
