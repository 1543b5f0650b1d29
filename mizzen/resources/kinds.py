"""The table of kinds: what is declared for each, and which ones are known without being acted upon."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mizzen.errors import Severity
from mizzen.resources.apps import Deployment
from mizzen.resources.core import (
    ConfigMap,
    EndpointSlice,
    Event,
    Namespace,
    Node,
    Pod,
    Secret,
    Service,
    ServiceAccount,
)
from mizzen.resources.declare import Resource, Unknown
from mizzen.resources.destination_rule import DestinationRule
from mizzen.resources.envoy_filter import EnvoyFilter
from mizzen.resources.extension import TrafficExtension, WasmPlugin
from mizzen.resources.gateway import Gateway
from mizzen.resources.operator import IstioOperator
from mizzen.resources.security import AuthorizationPolicy, PeerAuthentication, RequestAuthentication
from mizzen.resources.service_entry import ServiceEntry
from mizzen.resources.sidecar import Sidecar
from mizzen.resources.virtual_service import VirtualService
from mizzen.resources.workload_entry import WorkloadEntry

NETWORKING = "networking.istio.io"
SECURITY = "security.istio.io"
EXTENSIONS = "extensions.istio.io"
TELEMETRY = "telemetry.istio.io"
_VERSIONS = {
    NETWORKING: ("v1", "v1beta1", "v1alpha3"),
    SECURITY: ("v1", "v1beta1"),
    EXTENSIONS: ("v1alpha1",),
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
    # What is done about it is not what it asks for: said of every object, with a warning.
    unapplied: str = ""
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


def _unapplied(declaration: type[Resource], group: str, versions: tuple[str, ...], because: str) -> Kind:
    """One of Istio's that may guard traffic, and that no proxy is told of."""
    return replace(_istio(declaration, group), versions=versions, unapplied=because, may_guard=True)


def _core(declaration: type[Resource], *, namespaced: bool = True) -> Kind:
    name = declaration.__name__
    return Kind(kind=name, group="", versions=("v1",), declaration=declaration, namespaced=namespaced)


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
        _unapplied(EnvoyFilter, NETWORKING, ("v1alpha3",), "its patches are not applied"),
        _unapplied(WasmPlugin, EXTENSIONS, ("v1alpha1",), "its plugin is not run"),
        _unapplied(TrafficExtension, EXTENSIONS, ("v1alpha1",), "its extension is not run"),
        _core(Service),
        _core(Pod),
        _core(Secret),
        _core(Event),
        _core(ConfigMap),
        _core(ServiceAccount),
        _core(Namespace, namespaced=False),
        _core(Node, namespaced=False),
        Kind(kind="EndpointSlice", group="discovery.k8s.io", versions=("v1",), declaration=EndpointSlice),
        Kind(kind="Deployment", group="apps", versions=("v1",), declaration=Deployment),
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
        Inert(
            kind="ProxyConfig",
            group=NETWORKING,
            severity=Severity.WARNING,
            because="its settings have no effect",
        ),
        Inert(
            kind="Telemetry",
            group=TELEMETRY,
            severity=Severity.WARNING,
            because="logs, metrics and traces stay as they are",
        ),
    )
}

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
