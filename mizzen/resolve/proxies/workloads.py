"""Gateways that come as workloads: what Istio's charts make, where no IstioOperator says so.

A Deployment (StatefulSet, DaemonSet, ReplicaSet, Rollout of Argo, Pod) is a gateway by its Pod template: by the template that is
injected (`inject.istio.io/templates: gateway`), by a proxy that is all of it (`image: auto`), by a proxy that runs as
a router, or by the labels of Istio's own gateways.
"""

from collections.abc import Iterator, Mapping

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.resolve.proxies.pods import PROXY_CONTAINER, WORKLOAD_VARIABLE, without_labels_of_one_pod
from mizzen.resolve.selecting import fits
from mizzen.resources.declaring.declare import Metadata
from mizzen.resources.kubernetes.apps import (
    DaemonSet,
    Deployment,
    PodTemplate,
    PodTemplateSpec,
    ReplicaSet,
    Rollout,
    StatefulSet,
)
from mizzen.resources.kubernetes.core import Container, EnvVar, Pod
from mizzen.resources.world import World

TEMPLATES_ANNOTATION = "inject.istio.io/templates"
INJECT = "sidecar.istio.io/inject"
_TEMPLATE = "gateway"
_AUTO = "auto"  # the image of a container that the injector fills in
_ROUTER = "router"  # what Istio's proxy is told to be, where nothing is injected
_OVER = frozenset({"Succeeded", "Failed"})
_HASH = "pod-template-hash"
_INGRESS = (("istio", "ingressgateway"), ("app", "istio-ingressgateway"))
_EGRESS = (("istio", "egressgateway"), ("istio", "egress"), ("app", "istio-egressgateway"))


_Templated = Deployment | StatefulSet | DaemonSet | ReplicaSet | Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What makes the Pods of a gateway."""

    name: str
    template: Pod  # as its Pods will be, but for what Kubernetes fills in
    is_off: bool  # scaled to 0
    ref: ResourceRef
    at: str  # where the metadata of its Pods stands: "spec.template.metadata"

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name)"""
        return self.template.namespace, self.name

    @property
    def env(self) -> tuple[EnvVar, ...]:
        """What is written into its proxy's container; where Kubernetes fills a value in, nothing is known."""
        proxies = (one for one in self.template.spec.containers if one.name == PROXY_CONTAINER)
        return tuple(variable for one in proxies for variable in one.env if variable.value)

    @property
    def service_account(self) -> str:
        spec = self.template.spec
        return spec.service_account_name or spec.service_account or "default"


def gateway_workloads(world: World) -> tuple[Workload, ...]:
    """Each workload that is a gateway, once: a Pod or ReplicaSet of a Deployment that is there too is part of it.

    An egress gateway is one while a Gateway asks for its labels: others have nothing to do on one machine.
    """
    found: dict[tuple[str, str], Workload] = {}
    for workload in (*_with_templates(world), *_bare(world)):
        if _is_gateway(workload) and not _is_idle_egress(world, workload):
            found.setdefault(workload.key, workload)
    return tuple(found.values())


def templates(world: World) -> Iterator[Pod]:
    """Pods as each Deployment and its kin makes them, gateways or not."""
    return (one.template for one in _with_templates(world))


def _with_templates(world: World) -> Iterator[Workload]:
    kinds: tuple[type[_Templated], ...] = (Deployment, StatefulSet, DaemonSet, ReplicaSet)
    rollouts = tuple(world.every(Rollout))
    referred = {
        (one.spec.workload_ref.kind, one.namespace, one.spec.workload_ref.name)
        for one in rollouts
        if one.spec.workload_ref
    }
    for kind in kinds:
        for one in world.every(kind):
            if (kind.__name__, one.namespace, one.name) not in referred:
                yield _workload(one, one.spec.template, one)
    for rollout in rollouts:
        source = _source(world, rollout)
        if source is not None:
            template = source.template if isinstance(source, PodTemplate) else source.spec.template
            yield _workload(rollout, template, source)


def _source(world: World, rollout: Rollout) -> "_Templated | PodTemplate | None":
    """What has the template of a Rollout: itself, or what it refers to, which makes no Pods of its own then (Argo scales
    it down). None where that is not there."""
    wanted = rollout.spec.workload_ref
    if wanted is None:
        return rollout
    kinds: tuple[type[Deployment | ReplicaSet | PodTemplate], ...] = (Deployment, ReplicaSet, PodTemplate)
    for kind in kinds:
        for one in world.every(kind):
            if (kind.__name__, one.namespace, one.name) == (wanted.kind, rollout.namespace, wanted.name):
                return one
    return None


def _workload(one: _Templated, of: PodTemplateSpec, source: "_Templated | PodTemplate") -> Workload:
    labels = of.metadata.labels or one.spec.selector.match_labels
    meta = Metadata(
        name=one.name, namespace=one.namespace, labels=labels, annotations=of.metadata.annotations
    )
    return Workload(
        name=_stem(one.name, labels),
        template=Pod(meta=meta, ref=source.ref, spec=of.spec),
        is_off=one.spec.replicas == 0,
        ref=source.ref,
        at="template.metadata" if isinstance(source, PodTemplate) else "spec.template.metadata",
    )


def _bare(world: World) -> Iterator[Workload]:
    for pod in world.pods:
        if pod.status.phase not in _OVER and pod.meta.deletion_timestamp is None:
            yield Workload(name=_owner(pod), template=pod, is_off=False, ref=pod.ref, at="metadata")


def _owner(pod: Pod) -> str:
    """What a Pod is of, as far as its name and labels tell; a Pod that nothing made is itself."""
    told = (v.value for c in pod.spec.containers for v in c.env if v.name == WORKLOAD_VARIABLE and v.value)
    known = next(told, "")
    is_made = len(without_labels_of_one_pod(pod.meta.labels)) < len(pod.meta.labels)
    stem = pod.name.rpartition("-")[0]
    return known or (_stem(stem, pod.meta.labels) if is_made and stem else pod.name)


def _stem(name: str, labels: Mapping[str, str]) -> str:
    return name.removesuffix(f"-{labels[_HASH]}") if labels.get(_HASH) else name


def _is_gateway(workload: Workload) -> bool:
    pod, containers = workload.template, workload.template.spec.containers
    labels, annotations = pod.meta.labels, pod.meta.annotations
    inject = labels.get(INJECT) or annotations.get(INJECT, "")
    if inject != "false":
        templates = {one.strip() for one in annotations.get(TEMPLATES_ANNOTATION, "").split(",")}
        if _TEMPLATE in templates or (inject == "true" and _is_proxy_alone(containers)):
            return True
    if any(one.name == PROXY_CONTAINER and _ROUTER in one.args for one in containers):
        return True
    # A Pod by itself may be written for its endpoints alone (the built-in gateway's, say).
    return workload.ref.kind != "Pod" and _has_any(labels, (*_INGRESS, *_EGRESS))


def _is_proxy_alone(containers: tuple[Container, ...]) -> bool:
    """Beside an application's container the same words adapt its sidecar."""
    return [(one.name, one.image) for one in containers] == [(PROXY_CONTAINER, _AUTO)]


def _is_idle_egress(world: World, workload: Workload) -> bool:
    labels = workload.template.meta.labels
    if not _has_any(labels, _EGRESS):
        return False
    return not any(one.spec.selector and fits(one.spec.selector, labels) for one in world.gateways)


def _has_any(labels: Mapping[str, str], wanted: tuple[tuple[str, str], ...]) -> bool:
    return any(labels.get(key) == value for key, value in wanted)
