"""The CustomResourceDefinitions of the kinds that users' YAML has: Istio's groups, names and columns, and our own kind.

Schemas and versions come from the declarations that decode the kinds. A field that is not declared is pruned by
the API server, and kubectl says so: it checks fields strictly unless it is told otherwise. Kinds that nothing is done
about are served without a schema, so that YAML which has them applies.
"""

from collections.abc import Mapping

from mizzen.inject.container import Manifest
from mizzen.install.schema import ANYTHING, object_schema
from mizzen.lazy import dataclass
from mizzen.resources.kinds import INERT, KINDS, OWN

_AGE = ("Age", "date", ".metadata.creationTimestamp", "When it was created.")


# Istio's labels: of its chart, and of what `istioctl` installs.
_LABELS = {"app": "istio-pilot", "operator.istio.io/component": "Base", "release": "istio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a kind is explained, called and listed. `versions`: the first is stored; () are the declared ones."""

    about: str
    versions: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    columns: tuple[tuple[str, str, str, str], ...] = (_AGE,)


_SHOWN: Mapping[str, Shown] = {
    "Gateway": Shown(about="The ports that gateways open, and the hosts and TLS on each.", short=("gw",)),
    "VirtualService": Shown(
        about="Which request goes where, and what is done with it.",
        short=("vs",),
        columns=(
            ("Gateways", "string", ".spec.gateways", "The gateways and sidecars that have these routes."),
            ("Hosts", "string", ".spec.hosts", "The hosts to which requests are sent."),
            _AGE,
        ),
    ),
    "DestinationRule": Shown(
        about="How a service is balanced, limited, watched and secured.",
        short=("dr",),
        columns=(("Host", "string", ".spec.host", "The service that it is about."), _AGE),
    ),
    "ServiceEntry": Shown(
        about="A service that is not one of Kubernetes'.",
        short=("se",),
        columns=(
            ("Hosts", "string", ".spec.hosts", "The hosts of the service."),
            ("Location", "string", ".spec.location", "Within the mesh, or outside."),
            ("Resolution", "string", ".spec.resolution", "How its addresses are found."),
            _AGE,
        ),
    ),
    "WorkloadEntry": Shown(
        about="One endpoint that is not a Pod.",
        short=("we",),
        columns=(_AGE, ("Address", "string", ".spec.address", "Where the workload is.")),
    ),
    "Sidecar": Shown(about="Which ports the sidecars of workloads open, and whom they may speak to."),
    "EnvoyFilter": Shown(
        about="Patches of Envoy's configuration. Not applied: what one may guard is refused."
    ),
    "ProxyConfig": Shown(about="Settings of proxies, by namespace and labels."),
    "WorkloadGroup": Shown(
        about="A template of WorkloadEntries. No workload is made from it.",
        versions=("v1", "v1beta1", "v1alpha3"),
        short=("wg",),
    ),
    "PeerAuthentication": Shown(
        about="Whether workloads demand mutual TLS of their peers.",
        short=("pa",),
        columns=(("Mode", "string", ".spec.mtls.mode", "What is demanded of peers."), _AGE),
    ),
    "AuthorizationPolicy": Shown(
        about="Who may speak with a workload.",
        short=("ap",),
        columns=(("Action", "string", ".spec.action", "What becomes of requests that fit."), _AGE),
    ),
    "RequestAuthentication": Shown(
        about="Which tokens are good, and where requests carry them.", short=("ra",)
    ),
    "Telemetry": Shown(
        about="What is logged and traced.",
        short=("telemetry",),
    ),
    "WasmPlugin": Shown(about="A plugin for proxies: a WebAssembly module."),
    "HTTP3Policy": Shown(
        about="What is chosen about HTTP/3: for a mesh, a gateway, a server or a host.",
        short=("h3p",),
        columns=(
            ("Mode", "string", ".spec.mode", "Whether there is HTTP/3."),
            ("Gateways", "string", ".spec.targetRefs[*].name", "The Gateways that it is for."),
            _AGE,
        ),
    ),
    "TrafficExtension": Shown(about="An extension of proxies: a WebAssembly module or a script in Lua."),
}


def crds() -> tuple[Manifest, ...]:
    """All of them, by name."""
    made = [_crd(kind, shown) for kind, shown in _SHOWN.items()]
    return tuple(sorted(made, key=lambda one: str(one["metadata"]["name"])))


def _schema(kind: str, about: str) -> Manifest:
    """`spec` as it is declared; what the API server adds, and what is written about an object, around it."""
    spec: Manifest = {"type": "object", **ANYTHING}
    if kind in KINDS:
        declaration: type = KINDS[kind].declaration
        spec = object_schema(declaration)["properties"]["spec"]
    return {
        "type": "object",
        "description": about,
        "properties": {"spec": spec, "status": {"type": "object", **ANYTHING}},
    }


def _crd(kind: str, shown: Shown) -> Manifest:
    known = KINDS.get(kind)
    group = known.group if known else INERT[kind].group
    versions = known.versions if known else shown.versions
    schema = _schema(kind, shown.about)
    singular = kind.lower()
    plural = f"{singular[:-1]}ies" if singular.endswith(("ry", "cy")) else f"{singular}s"
    theirs = {"categories": ["istio-io", f"{group.partition('.')[0]}-istio-io"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"helm.sh/resource-policy": "keep"},
            **({"labels": dict(_LABELS)} if group != OWN else {}),
        },
        "spec": {
            "group": group,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": singular,
                **(theirs if group != OWN else {}),
                **({"shortNames": list(shown.short)} if shown.short else {}),
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == versions[0],
                    "additionalPrinterColumns": [
                        {"name": name, "type": kind_, "jsonPath": path, "description": text}
                        for name, kind_, path, text in shown.columns
                    ],
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
                for version in versions
            ],
        },
    }
