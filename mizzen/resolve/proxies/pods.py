"""Pods as gateways: which of them are alike, what they are of, and where they run."""

import hashlib
from collections.abc import Mapping

from mizzen.lazy import dataclass
from mizzen.resources.kubernetes.core import EnvVar, Pod
from mizzen.resources.world import World

CONFIG_ANNOTATION = "proxy.istio.io/config"
PROXY_CONTAINER = "istio-proxy"
WORKLOAD_VARIABLE = "ISTIO_META_WORKLOAD_NAME"
# Where a Pod itself says where it runs; the first that is there counts.
LOCALITY_LABELS = ("topology.istio.io/locality", "istio-locality")
# Labels that differ between Pods which are alike.
_OF_ONE_POD = frozenset(
    {
        "pod-template-hash",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodGroup:
    """Pods that are one gateway: one model does for all of them."""

    name: str  # of their Deployment
    namespace: str
    labels: Mapping[str, str]
    env: tuple[EnvVar, ...]  # of their proxies
    config: str  # their annotation proxy.istio.io/config
    variant: str  # tells this group from others of its name
    pods: tuple[Pod, ...]


def pod_groups(world: World, routers: frozenset[str]) -> tuple[PodGroup, ...]:
    """The gateways that Pods ("namespace/name") are. What is not there is none."""
    alike: dict[tuple[object, ...], list[Pod]] = {}
    for key in sorted(routers):
        namespace, _, name = key.partition("/")
        pod = world.pod_by_key.get((namespace, name))
        if pod is not None:
            alike.setdefault(_traits(world, pod), []).append(pod)
    return tuple(
        PodGroup(
            name=workload_of(pods[0]),
            namespace=pods[0].namespace,
            labels=_labels(pods[0]),
            env=_env(pods[0]),
            config=pods[0].meta.annotations.get(CONFIG_ANNOTATION, ""),
            variant=f"~{hashlib.blake2b(repr(traits).encode(), digest_size=4).hexdigest()}",
            pods=tuple(pods),
        )
        for traits, pods in alike.items()
    )


def _traits(world: World, pod: Pod) -> tuple[object, ...]:
    """All that their configuration depends on."""
    labels = _labels(pod)
    return (
        workload_of(pod),
        pod.namespace,
        pod.spec.service_account_name,
        tuple(sorted(labels.items())),
        tuple((one.name, one.value) for one in _env(pod)),
        pod.meta.annotations.get(CONFIG_ANNOTATION, ""),
        locality_of(world, pod, labels),
    )


def _labels(pod: Pod) -> dict[str, str]:
    return without_labels_of_one_pod(pod.meta.labels)


def without_labels_of_one_pod(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that Pods which are alike have in common."""
    return {key: value for key, value in labels.items() if key not in _OF_ONE_POD}


def _env(pod: Pod) -> tuple[EnvVar, ...]:
    """What is written into its proxy's container; what Kubernetes fills in differs by Pod, and takes no part."""
    return tuple(
        variable
        for container in pod.spec.containers
        if container.name == PROXY_CONTAINER
        for variable in container.env
        if variable.value
    )


def workload_of(pod: Pod) -> str:
    """What a Pod is of: as its proxy was told, else the name of its Deployment, told from its own as Istio does."""
    said = next((one.value for one in _env(pod) if one.name == WORKLOAD_VARIABLE), "")
    stem, _, _ = pod.name.rpartition("-")
    suffix = pod.meta.labels.get("pod-template-hash", "")
    return said or stem.removesuffix(f"-{suffix}") or pod.name


def locality_of(world: World, pod: Pod | None, labels: Mapping[str, str]) -> tuple[str, str, str]:
    """Region, zone and subzone of a Pod that also has these labels."""
    node = world.node_by_key.get(("", pod.spec.node_name)) if pod else None
    return _locality({**(pod.meta.labels if pod else {}), **labels}, node.meta.labels if node else {})


def _locality(pod: Mapping[str, str], node: Mapping[str, str]) -> tuple[str, str, str]:
    """Region, zone, subzone: the label of the Pod itself ("region.zone.subzone"), else those of the node."""
    if own := next((pod[name] for name in LOCALITY_LABELS if pod.get(name)), ""):
        parts = [*own.split("/" if "/" in own else "."), "", ""]
        return parts[0], parts[1], parts[2]

    def label(name: str) -> str:
        return node.get(f"topology.kubernetes.io/{name}") or node.get(
            f"failure-domain.beta.kubernetes.io/{name}", ""
        )

    return label("region"), label("zone"), node.get("topology.istio.io/subzone", "")
