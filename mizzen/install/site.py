"""What every manifest of one installation shares: names, labels, where the image is."""

from collections.abc import Mapping
from typing import Any

from mizzen.inject.container import Manifest, ProxySettings
from mizzen.lazy import dataclass
from mizzen.resolve.overlay import overlay
from mizzen.resources.declaring.compile import declared_fields
from mizzen.resources.declaring.declare import Element
from mizzen.resources.istio.gateway_values import namespace_of
from mizzen.resources.istio.mesh import DEFAULT_MESH, ProxyConfig
from mizzen.resources.istio.operator import IstioOperator, OperatorEnvVar

DEFAULT_REVISION = "default"
MANAGED_BY = "app.kubernetes.io/managed-by"
OWNER = "install.operator.istio.io/owning-resource"
OWNER_NAMESPACE = "install.operator.istio.io/owning-resource-namespace"
COMPONENT = "operator.istio.io/component"
REVISION = "istio.io/rev"

_LONGEST_LABEL = 63

BASE, PILOT, INGRESS, EGRESS = "Base", "Pilot", "IngressGateways", "EgressGateways"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One installation: an IstioOperator, its meshConfig as it is written, and the version of mizzen."""

    operator: IstioOperator
    mesh: Mapping[str, Any]
    version: str  # as a tag and a label can be

    @property
    def namespace(self) -> str:
        """Where the control plane is."""
        return namespace_of(self.operator.spec) or "istio-system"

    @property
    def revision(self) -> str:
        """As labels say it: "default" for the one without a name."""
        return self.operator.spec.revision or self.operator.spec.values.revision or DEFAULT_REVISION

    @property
    def suffix(self) -> str:
        """What a revision appends to the names that would otherwise clash."""
        return "" if self.revision == DEFAULT_REVISION else f"-{self.revision}"

    @property
    def pilot(self) -> str:
        """The name of the control plane's Deployment, Service and ServiceAccount."""
        return f"istiod{self.suffix}"

    @property
    def trust_domain(self) -> str:
        spec = self.operator.spec
        domains = (spec.mesh_config.trust_domain, spec.values.mesh_config.trust_domain)
        return next((one for one in domains if one != DEFAULT_MESH.trust_domain), DEFAULT_MESH.trust_domain)

    @property
    def default_config(self) -> ProxyConfig:
        """How every proxy behaves that says nothing else."""
        spec = self.operator.spec
        return overlay(spec.values.mesh_config.default_config, spec.mesh_config.default_config)

    @property
    def pull_policy(self) -> str:
        return self.operator.spec.values.global_.image_pull_policy

    def hub(self, component: str = "") -> str:
        spec = self.operator.spec
        return component or spec.hub or spec.values.global_.hub

    def tag(self, component: str = "") -> str:
        spec = self.operator.spec
        return component or spec.tag or spec.values.global_.tag or self.version

    def image(self, hub: str = "", tag: str = "") -> str:
        """HUB/mizzen:TAG; `hub` and `tag`: what a component says of its own."""
        return f"{self.hub(hub)}/mizzen:{self.tag(tag)}"

    def proxy_settings(self, *, hub: str, tag: str, resources: Mapping[str, Any], pull: str) -> ProxySettings:
        """What `proxy_container` is told of a gateway."""
        return ProxySettings(
            image=self.image(hub, tag),
            pilot=f"{self.pilot}.{self.namespace}.svc:15012",
            trust_domain=self.trust_domain,
            pull_policy=pull or self.pull_policy,
            resources=resources,
        )

    def labels(self, component: str, app: str) -> dict[str, str]:
        """By which everything of this installation is found again."""
        ref = self.operator.ref
        return {
            "app": app,
            MANAGED_BY: "mizzen",
            OWNER: ref.name[:_LONGEST_LABEL].rstrip("-.") or "unknown",
            OWNER_NAMESPACE: ref.namespace or self.namespace,
            REVISION: self.revision,
            COMPONENT: component,
            "operator.istio.io/managed": "Reconcile",
            "operator.istio.io/version": self.version,
            "release": "istio",
        }

    def manifest(
        self,
        kind: str,
        name: str,
        *,
        component: str,
        app: str = "istiod",
        namespace: str | None = "",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Manifest:
        """A manifest with the labels of all. `namespace`: "" is the control plane's, None is none."""
        metadata: Manifest = {"name": name}
        if namespace is not None:
            metadata["namespace"] = namespace or self.namespace
        metadata["labels"] = {**self.labels(component, app), **(labels or {})}
        if annotations:
            metadata["annotations"] = dict(annotations)
        return {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata, **body}


def component_of(manifest: Mapping[str, Any]) -> str:
    """Which component a manifest is of."""
    return str((manifest["metadata"].get("labels") or {}).get(COMPONENT) or BASE)


# Of every kind that is installed.
API_VERSIONS: Mapping[str, str] = {
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "Namespace": "v1",
    "ServiceAccount": "v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ConfigMap": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Deployment": "apps/v1",
    "Service": "v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
}


def plain(element: Element) -> dict[str, Any]:
    """A declared element as it would be written: fields that say more than nothing, by their names in YAML."""
    found: dict[str, Any] = {}
    declaration: type = type(element)
    for declared in declared_fields(declaration):
        value = getattr(element, declared.name)
        if isinstance(value, Element):
            value = plain(value)
        elif isinstance(value, tuple):
            value = [plain(item) if isinstance(item, Element) else item for item in value]
        elif isinstance(value, Mapping):
            value = dict(value)
        if value is not None and value not in ("", [], {}):
            found[declared.key] = value
    return found


def environment(variables: tuple[OperatorEnvVar, ...]) -> dict[str, Any]:
    """Name -> text, or where Kubernetes shall take it from."""
    return {one.name: dict(one.value_from) or one.value for one in variables if one.name}
