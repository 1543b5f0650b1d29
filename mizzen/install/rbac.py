"""What the control plane may do, and no more. Secrets it may read only where gateways are.

Rights that bear names cannot say so for `create`: the name of what does not exist yet is not judged.
"""

from collections.abc import Iterable
from typing import Any

from mizzen.inject.container import (
    DNS_CONFIG_MAP,
    PROMISES_CONFIG_MAP,
    ROOTS_CONFIG_MAP,
    SESSION_TICKETS,
    Manifest,
)
from mizzen.install.site import BASE, PILOT, Site

_READ = ("get", "list", "watch")
_ISTIO: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "networking.istio.io",
        (
            "destinationrules",
            "envoyfilters",
            "gateways",
            "proxyconfigs",
            "serviceentries",
            "sidecars",
            "virtualservices",
            "workloadentries",
            "workloadgroups",
        ),
    ),
    ("security.istio.io", ("authorizationpolicies", "peerauthentications", "requestauthentications")),
    ("telemetry.istio.io", ("telemetries",)),
    ("extensions.istio.io", ("trafficextensions", "wasmplugins")),
    ("mizzen.dev", ("http3policies",)),
)


def rule(group: str, resources: Iterable[str], verbs: Iterable[str], names: Iterable[str] = ()) -> Manifest:
    """One rule of a role."""
    said = tuple(names)
    return {
        "apiGroups": [group],
        "resources": list(resources),
        **({"resourceNames": list(said)} if said else {}),
        "verbs": list(verbs),
    }


def _cluster_rules(webhooks: tuple[Manifest, ...]) -> list[Manifest]:
    istio = [rule(group, kinds, _READ) for group, kinds in _ISTIO]
    status = [rule(group, (f"{kind}/status" for kind in kinds), ("patch",)) for group, kinds in _ISTIO]
    own = {
        f"{hook['kind'].lower()}s": [
            one["metadata"]["name"] for one in webhooks if one["kind"] == hook["kind"]
        ]
        for hook in webhooks
    }
    admission = "admissionregistration.k8s.io"
    return [
        *istio,
        *status,
        rule("", ("namespaces", "nodes", "pods", "services"), _READ),
        rule("networking.k8s.io", ("ingressclasses", "ingresses"), _READ),
        rule("networking.k8s.io", ("ingresses/status",), ("patch",)),
        rule("discovery.k8s.io", ("endpointslices",), _READ),
        rule("", ("configmaps",), ("create",)),
        rule("", ("configmaps",), (*_READ, "patch", "update"), (ROOTS_CONFIG_MAP,)),
        rule("externaldns.k8s.io", ("dnsendpoints",), ("get", "list", "create", "patch", "delete")),
        rule("", ("events",), (*_READ, "create", "patch")),
        rule("events.k8s.io", ("events",), ("create", "patch")),
        rule("authentication.k8s.io", ("tokenreviews",), ("create",)),
        rule("authorization.k8s.io", ("subjectaccessreviews",), ("create",)),
        rule(admission, ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"), _READ),
        *(
            rule(admission, (resource,), ("patch", "update"), names)
            for resource, names in sorted(own.items())
        ),
    ]


def _own_rules(site: Site) -> list[Manifest]:
    """In the control plane's own namespace: its settings, its root, its promises, its Leases, and whether its webhook refuses."""
    return [
        rule("", ("configmaps",), _READ),
        rule("", ("configmaps",), ("patch", "update"), _own_config_maps(site)),
        rule("", ("secrets",), (*_READ, "create")),
        rule("", ("secrets",), ("patch", "update"), ("istio-ca-secret", SESSION_TICKETS)),
        rule("coordination.k8s.io", ("leases",), (*_READ, "create", "patch", "update")),
        rule("networking.istio.io", ("gateways",), ("create",)),
    ]


def _own_config_maps(site: Site) -> tuple[str, ...]:
    return f"{DNS_CONFIG_MAP}{site.suffix}", f"{PROMISES_CONFIG_MAP}{site.suffix}"


def cluster_rights(site: Site, webhooks: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """ClusterRole and binding of the control plane. `webhooks`: those that it completes."""
    name = f"istiod-clusterrole{site.suffix}-{site.namespace}"
    role = site.manifest("ClusterRole", name, component=PILOT, namespace=None, rules=_cluster_rules(webhooks))
    binding = site.manifest(
        "ClusterRoleBinding",
        name,
        component=PILOT,
        namespace=None,
        roleRef=_ref("ClusterRole", name),
        subjects=[_account(site.pilot, site.namespace)],
    )
    return role, binding


def own_rights(site: Site) -> tuple[Manifest, ...]:
    """Role and binding in the control plane's own namespace."""
    return role(site, PILOT, site.pilot, site.namespace, _own_rules(site), site.pilot, site.namespace)


def secrets_of_gateways(site: Site, namespaces: Iterable[str]) -> tuple[Manifest, ...]:
    """The control plane reads Secrets where gateways are; its own namespace it has anyway."""
    found: list[Manifest] = []
    for namespace in sorted(set(namespaces) - {site.namespace}):
        name = f"{site.pilot}-secrets"
        rules = [rule("", ("secrets",), _READ)]
        found += role(site, BASE, name, namespace, rules, site.pilot, site.namespace)
    return tuple(found)


def role(
    site: Site,
    component: str,
    name: str,
    namespace: str,
    rules: list[Manifest],
    account: str,
    account_namespace: str,
    app: str = "istiod",
) -> tuple[Manifest, Manifest]:
    """A Role and its binding to one ServiceAccount."""
    where: Any = {"component": component, "namespace": namespace, "app": app}
    return (
        site.manifest("Role", name, **where, rules=rules),
        site.manifest(
            "RoleBinding",
            name,
            **where,
            roleRef=_ref("Role", name),
            subjects=[_account(account, account_namespace)],
        ),
    )


def _ref(kind: str, name: str) -> Manifest:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


def _account(name: str, namespace: str) -> Manifest:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
