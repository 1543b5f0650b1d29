"""The table of kinds: what is declared for each, and which ones are known without being acted upon."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from mizzen.errors import ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Resource, Unknown
from mizzen.resources.istio.destination_rule import DestinationRule
from mizzen.resources.istio.envoy_filter import EnvoyFilter
from mizzen.resources.istio.extension import TrafficExtension, WasmPlugin
from mizzen.resources.istio.gateway import Gateway
from mizzen.resources.istio.operator import IstioOperator
from mizzen.resources.istio.proxy_config import ProxyConfig
from mizzen.resources.istio.security import AuthorizationPolicy, PeerAuthentication, RequestAuthentication
from mizzen.resources.istio.service_entry import ServiceEntry
from mizzen.resources.istio.sidecar import Sidecar
from mizzen.resources.istio.telemetry import Telemetry
from mizzen.resources.istio.virtual_service import VirtualService
from mizzen.resources.istio.workload_entry import WorkloadEntry
from mizzen.resources.kubernetes.apps import (
    DaemonSet,
    Deployment,
    PodTemplate,
    ReplicaSet,
    Rollout,
    StatefulSet,
)
from mizzen.resources.kubernetes.core import (
    ConfigMap,
    Endpoints,
    EndpointSlice,
    Event,
    Namespace,
    Node,
    Pod,
    Secret,
    Service,
    ServiceAccount,
)
from mizzen.resources.kubernetes.ingress import Ingress, IngressClass
from mizzen.resources.mizzen.http3_policy import HTTP3Policy

NETWORKING = "networking.istio.io"
SECURITY = "security.istio.io"
EXTENSIONS = "extensions.istio.io"
TELEMETRY = "telemetry.istio.io"
INGRESSES = "networking.k8s.io"
OWN = "mizzen.dev"  # our own group
_VERSIONS = {
    NETWORKING: ("v1", "v1beta1", "v1alpha3"),
    SECURITY: ("v1", "v1beta1"),
    EXTENSIONS: ("v1alpha1",),
    TELEMETRY: ("v1", "v1alpha1"),
    OWN: ("v1alpha1",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How the objects of one kind are read."""

    kind: str
    group: str  # "" for the core of Kubernetes
    versions: tuple[str, ...]
    declaration: type[Resource]
    unknown: Unknown = Unknown.PASS
    namespaced: bool = True
    # An object that may be written without a name, and the namespace it then belongs to.
    nameless: bool = False
    home: str = ""
    # An object that may guard something: one that cannot be read closes all that it may be for.
    may_guard: bool = False

    @property
    def api_version(self) -> str:
        """The preferred apiVersion."""
        return f"{self.group}/{self.versions[0]}" if self.group else self.versions[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inert:
    """A kind that is known and that nothing is done about."""

    kind: str
    group: str
    severity: Severity
    because: str


def _istio(declaration: type[Resource], group: str = NETWORKING) -> Kind:
    return Kind(
        kind=declaration.__name__,
        group=group,
        versions=_VERSIONS[group],
        declaration=declaration,
        unknown=Unknown.REFUSE,
    )


def _core(declaration: type[Resource], *, namespaced: bool = True) -> Kind:
    name = declaration.__name__
    return Kind(kind=name, group="", versions=("v1",), declaration=declaration, namespaced=namespaced)


def _apps(declaration: type[Resource]) -> Kind:
    return Kind(kind=declaration.__name__, group="apps", versions=("v1",), declaration=declaration)


KINDS: Mapping[str, Kind] = {
    kind.kind: kind
    for kind in (
        _istio(Gateway),
        _istio(VirtualService),
        _istio(DestinationRule),
        _istio(ServiceEntry),
        _istio(WorkloadEntry),
        _istio(Sidecar),
        _istio(PeerAuthentication, SECURITY),
        _istio(AuthorizationPolicy, SECURITY),
        _istio(RequestAuthentication, SECURITY),
        _istio(Telemetry, TELEMETRY),
        replace(_istio(ProxyConfig), versions=("v1beta1",)),
        replace(_istio(EnvoyFilter), versions=("v1alpha3",), may_guard=True),
        replace(_istio(WasmPlugin, EXTENSIONS), may_guard=True),
        replace(_istio(TrafficExtension, EXTENSIONS), may_guard=True),
        _istio(HTTP3Policy, OWN),
        _core(Service),
        _core(Pod),
        _core(Secret),
        _core(Event),
        _core(ConfigMap),
        _core(ServiceAccount),
        _core(Namespace, namespaced=False),
        _core(Node, namespaced=False),
        _core(Endpoints),
        Kind(kind="EndpointSlice", group="discovery.k8s.io", versions=("v1",), declaration=EndpointSlice),
        Kind(kind="Ingress", group=INGRESSES, versions=("v1",), declaration=Ingress),
        Kind(
            kind="IngressClass",
            group=INGRESSES,
            versions=("v1",),
            declaration=IngressClass,
            namespaced=False,
        ),
        *map(_apps, (Deployment, StatefulSet, DaemonSet, ReplicaSet)),
        _core(PodTemplate),
        Kind(kind="Rollout", group="argoproj.io", versions=("v1alpha1",), declaration=Rollout),
        Kind(
            kind="IstioOperator",
            group="install.istio.io",
            versions=("v1alpha1",),
            declaration=IstioOperator,
            nameless=True,
            home="istio-system",
        ),
    )
}

INERT: Mapping[str, Inert] = {
    inert.kind: inert
    for inert in (
        Inert(
            kind="WorkloadGroup",
            group=NETWORKING,
            severity=Severity.WARNING,
            because="no workload is made from it",
        ),
    )
}

_MIXER = "Mixer is gone: AuthorizationPolicy, Telemetry and WasmPlugin do what it did."
_ACCESS = "Write an AuthorizationPolicy (security.istio.io/v1)."
# Kinds that Istio once had, by group; "" is every other kind of the group. No API server of today has them.
RETIRED: Mapping[str, Mapping[str, str]] = {
    "authentication.istio.io": {
        "": "Write a PeerAuthentication for peers, a RequestAuthentication for tokens (security.istio.io/v1)."
    },
    "rbac.istio.io": {"": _ACCESS},
    "config.istio.io": {
        "RouteRule": "Write a VirtualService (networking.istio.io/v1).",
        "DestinationPolicy": "Write a DestinationRule (networking.istio.io/v1).",
        "EgressRule": "Write a ServiceEntry (networking.istio.io/v1).",
        "": _MIXER,
    },
    NETWORKING: {"ExternalService": "Write a ServiceEntry (networking.istio.io/v1)."},
    "install.istio.io": {"IstioControlPlane": "Write an IstioOperator (install.istio.io/v1alpha1)."},
}


def successor(kind: str, group: str) -> str:
    """What is written in the place of a kind that Istio has retired; "" for any other kind."""
    kinds = RETIRED.get(group, {})
    return kinds.get(kind) or kinds.get("", "")


# Groups whose objects take no part in what a gateway does, and usually stand beside those that do.
UNCONCERNED = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    }
)


_GATEWAY_API = "gateway.networking.k8s.io"


def is_for_gateways(group: str) -> bool:
    """Does a group that is not read ask something of gateways? What nobody knows stands beside the rest, and asks nothing."""
    return group == _GATEWAY_API


# --- whose kind it is -------------------------------------------------------------------------------

# RFC 1123 subdomain: what is written otherwise is nobody's group.
_GROUP = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")
_SLIPS = 2  # letters that are wrong, missing or too many in a group that is misspelt
_LONGEST = 253  # letters of a group


@lru_cache(maxsize=1024)
def meant(kind: str, api_version: str) -> Kind | None:
    """The kind of ours that an object is of, or would be without a slip in its apiVersion.

    None for what we do not read, and for another group's kind of one name: a Gateway of gateway.networking.k8s.io, a
    Service of serving.knative.dev. A slip is an apiVersion that is missing or malformed, a group that Kubernetes or
    Istio gives to other kinds, and one that is nearly right.
    """
    known = KINDS.get(kind)
    group = api_version.rpartition("/")[0]
    return known if known and (group == known.group or _is_slip(group, known.group)) else None


def group_of(kind: str, api_version: str) -> str:
    """The group in the identity of an object: that of the kind that is meant, else as it is written."""
    known = meant(kind, api_version)
    return known.group if known else api_version.rpartition("/")[0]


def is_ours(ref: ResourceRef) -> bool:
    """Is the object of a kind that we read?"""
    known = KINDS.get(ref.kind)
    return known is not None and known.group == ref.group


def _is_slip(group: str, own: str) -> bool:
    return (
        not _GROUP.fullmatch(group)
        or group in UNCONCERNED
        or group.endswith("istio.io")
        or (bool(own) and _is_near(group[: _LONGEST + 1], own))
    )


def _is_near(one: str, other: str) -> bool:
    """Are they apart by at most `_SLIPS` letters? (Levenshtein's distance.)"""
    if abs(len(one) - len(other)) > _SLIPS:
        return False
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, row = row, [at]
        for to, wanted in enumerate(other, 1):
            row.append(min(before[to] + 1, row[-1] + 1, before[to - 1] + (letter != wanted)))
    return row[-1] <= _SLIPS
