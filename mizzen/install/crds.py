"""The CustomResourceDefinitions of the kinds that users' YAML has: Istio's groups, names and columns.

Schemas come from the declarations that decode the kinds. A field that is not declared is pruned by the API
server, and kubectl says so: it checks fields strictly unless it is told otherwise. Kinds that nothing is done
about are served without a schema, so that YAML which has them applies.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mizzen.inject.container import Manifest
from mizzen.install.schema import ANYTHING, object_schema
from mizzen.resources.kinds import EXTENSIONS, INERT, KINDS, NETWORKING, SECURITY, TELEMETRY

_GROUPS = (NETWORKING, SECURITY, TELEMETRY, EXTENSIONS)
_AGE = ("Age", "date", ".metadata.creationTimestamp", "When it was created.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a kind is called and listed. `versions`: the first is stored."""

    versions: tuple[str, ...]
    short: tuple[str, ...] = ()
    columns: tuple[tuple[str, str, str, str], ...] = (_AGE,)


_NETWORK = ("v1", "v1beta1", "v1alpha3")
_SHOWN: Mapping[str, Shown] = {
    "Gateway": Shown(versions=_NETWORK, short=("gw",)),
    "VirtualService": Shown(
        versions=_NETWORK,
        short=("vs",),
        columns=(
            ("Gateways", "string", ".spec.gateways", "The gateways and sidecars that have these routes."),
            ("Hosts", "string", ".spec.hosts", "The hosts to which requests are sent."),
            _AGE,
        ),
    ),
    "DestinationRule": Shown(
        versions=_NETWORK,
        short=("dr",),
        columns=(("Host", "string", ".spec.host", "The service that it is about."), _AGE),
    ),
    "ServiceEntry": Shown(
        versions=_NETWORK,
        short=("se",),
        columns=(
            ("Hosts", "string", ".spec.hosts", "The hosts of the service."),
            ("Location", "string", ".spec.location", "Within the mesh, or outside."),
            ("Resolution", "string", ".spec.resolution", "How its addresses are found."),
            _AGE,
        ),
    ),
    "WorkloadEntry": Shown(
        versions=_NETWORK,
        short=("we",),
        columns=(_AGE, ("Address", "string", ".spec.address", "Where the workload is.")),
    ),
    "Sidecar": Shown(versions=_NETWORK),
    "EnvoyFilter": Shown(versions=("v1alpha3",)),
    "ProxyConfig": Shown(versions=("v1beta1",)),
    "WorkloadGroup": Shown(versions=_NETWORK, short=("wg",)),
    "PeerAuthentication": Shown(
        versions=("v1", "v1beta1"),
        short=("pa",),
        columns=(("Mode", "string", ".spec.mtls.mode", "What is demanded of peers."), _AGE),
    ),
    "AuthorizationPolicy": Shown(
        versions=("v1", "v1beta1"),
        short=("ap",),
        columns=(("Action", "string", ".spec.action", "What becomes of requests that fit."), _AGE),
    ),
    "RequestAuthentication": Shown(versions=("v1", "v1beta1"), short=("ra",)),
    "Telemetry": Shown(versions=("v1", "v1alpha1"), short=("telemetry",)),
    "WasmPlugin": Shown(versions=("v1alpha1",)),
    "TrafficExtension": Shown(versions=("v1alpha1",)),
}


def crds() -> tuple[Manifest, ...]:
    """All of them, by name."""
    made = []
    for name, shown in _SHOWN.items():
        known = KINDS.get(name)
        group = known.group if known else INERT[name].group
        schema = _schema(object_schema(known.declaration) if known else None)
        made.append(_crd(name, group, shown, schema))
    return tuple(sorted(made, key=lambda one: str(one["metadata"]["name"])))


def _schema(declared: Manifest | None) -> Manifest:
    """`spec` as it is declared; what the API server adds, and what is written about an object, around it."""
    spec = (declared or {}).get("properties", {}).get("spec")
    if spec is None:
        spec = {"type": "object", **ANYTHING}
    spec = {key: value for key, value in spec.items() if key != "nullable"}
    return {
        "type": "object",
        **({"description": declared["description"]} if declared and "description" in declared else {}),
        "properties": {"spec": spec, "status": {"type": "object", **ANYTHING}},
    }


def _crd(kind: str, group: str, shown: Shown, schema: Manifest) -> Manifest:
    singular = kind.lower()
    plural = f"{singular[:-1]}ies" if singular.endswith(("ry", "cy")) else f"{singular}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"helm.sh/resource-policy": "keep"},
            "labels": {"app": "istio-pilot", "release": "istio"},
        },
        "spec": {
            "group": group,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": singular,
                "categories": ["istio-io", f"{group.partition('.')[0]}-istio-io"],
                **({"shortNames": list(shown.short)} if shown.short else {}),
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == shown.versions[0],
                    "additionalPrinterColumns": [
                        {"name": name, "type": kind_, "jsonPath": path, "description": text}
                        for name, kind_, path, text in shown.columns
                    ],
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
                for version in shown.versions
            ],
        },
    }
