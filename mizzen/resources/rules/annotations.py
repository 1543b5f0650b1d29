"""Annotations of Istio on objects of Kubernetes: one that is misspelt, or on another kind, does nothing.

Names and kinds are those of istio/api annotation/annotations.yaml.
"""

from collections.abc import Mapping

from mizzen.resources.declaring.compile import nearest
from mizzen.resources.declaring.declare import Resource
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.kubernetes.apps import DaemonSet, Deployment, ReplicaSet, Rollout, StatefulSet
from mizzen.resources.yaml.places import child

_ANY, _POD, _SERVICE, _NAMESPACE = "Any", "Pod", "Service", "Namespace"
_ON_PODS = (
    "ambient.istio.io/bypass-inbound-capture ambient.istio.io/dns-capture ambient.istio.io/redirection "
    "inject.istio.io/templates istio.io/reroute-virtual-interfaces istio.io/rev prometheus.istio.io/merge-metrics "
    "proxy.istio.io/config proxy.istio.io/overrides readiness.status.sidecar.istio.io/applicationPorts "
    "readiness.status.sidecar.istio.io/failureThreshold readiness.status.sidecar.istio.io/initialDelaySeconds "
    "readiness.status.sidecar.istio.io/periodSeconds sidecar.istio.io/agentLogLevel sidecar.istio.io/bootstrapOverride "
    "sidecar.istio.io/componentLogLevel sidecar.istio.io/discoveryAddress sidecar.istio.io/extraStatTags "
    "sidecar.istio.io/inject sidecar.istio.io/interceptionMode sidecar.istio.io/logLevel sidecar.istio.io/nativeSidecar "
    "sidecar.istio.io/proxyCPU sidecar.istio.io/proxyCPULimit sidecar.istio.io/proxyImage "
    "sidecar.istio.io/proxyImageType sidecar.istio.io/proxyMemory sidecar.istio.io/proxyMemoryLimit "
    "sidecar.istio.io/rewriteAppHTTPProbers sidecar.istio.io/statsCompression sidecar.istio.io/statsEvictionInterval "
    "sidecar.istio.io/statsFlushInterval sidecar.istio.io/statsHistogramBins sidecar.istio.io/statsHistogramBuckets "
    "sidecar.istio.io/statsInclusionPrefixes sidecar.istio.io/statsInclusionRegexps "
    "sidecar.istio.io/statsInclusionSuffixes sidecar.istio.io/status sidecar.istio.io/userVolume "
    "sidecar.istio.io/userVolumeMount status.sidecar.istio.io/port traffic.sidecar.istio.io/excludeInboundPorts "
    "traffic.sidecar.istio.io/excludeInterfaces traffic.sidecar.istio.io/excludeOutboundIPRanges "
    "traffic.sidecar.istio.io/excludeOutboundPorts traffic.sidecar.istio.io/includeInboundPorts "
    "traffic.sidecar.istio.io/includeOutboundIPRanges traffic.sidecar.istio.io/includeOutboundPorts "
    "traffic.sidecar.istio.io/kubevirtInterfaces"
)
_KINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_ON_PODS.split(), (_POD,)),
    "alpha.istio.io/canonical-serviceaccounts": (_SERVICE,),
    "alpha.istio.io/kubernetes-serviceaccounts": (_SERVICE,),
    "networking.istio.io/exportTo": (_SERVICE,),
    "traffic.istio.io/nodeSelector": (_SERVICE,),
    "topology.istio.io/controlPlaneClusters": (_NAMESPACE,),
    "networking.istio.io/traffic-distribution": (_NAMESPACE, _SERVICE, "ServiceEntry"),
    "istio.io/use-waypoint-canary-weight": (_NAMESPACE, _SERVICE, "ServiceEntry"),
    "galley.istio.io/analyze-suppress": (_ANY,),
    "gateway.istio.io/controller-version": (_ANY,),
    "istio.io/dry-run": ("AuthorizationPolicy",),
    **dict.fromkeys(
        ("istio.io/autoRegistrationGroup", "istio.io/workloadController", "istio.io/connectedAt"),
        ("WorkloadEntry",),
    ),
    "istio.io/disconnectedAt": ("WorkloadEntry",),
    "ambient.istio.io/waypoint-inbound-binding": ("Gateway", "GatewayClass"),
    **dict.fromkeys(
        (
            "gateway.istio.io/service-account",
            "gateway.istio.io/name-override",
            "networking.istio.io/service-type",
        ),
        ("Gateway",),
    ),
}
_OUT_OF_USE: Mapping[str, str] = {
    "alpha.istio.io/canonical-serviceaccounts": "",
    "alpha.istio.io/kubernetes-serviceaccounts": "",
    "sidecar.istio.io/discoveryAddress": "Write discoveryAddress in proxy.istio.io/config.",
    "sidecar.istio.io/extraStatTags": "",
    "sidecar.istio.io/inject": "Write it as a label.",
    "sidecar.istio.io/statsCompression": "",
    "sidecar.istio.io/statsInclusionPrefixes": "",
    "sidecar.istio.io/statsInclusionRegexps": "",
    "sidecar.istio.io/statsInclusionSuffixes": "",
    "traffic.sidecar.istio.io/kubevirtInterfaces": "Write istio.io/reroute-virtual-interfaces.",
}


def validate_annotations(resource: Resource, found: Findings) -> None:
    """Warn of what is written at the object itself, and of what a workload writes at its Pods."""
    _check(resource.meta.annotations, "metadata.annotations", resource.ref.kind, found, resource.meta.labels)
    if isinstance(resource, Deployment | DaemonSet | StatefulSet | ReplicaSet | Rollout):
        inside = resource.spec.template.metadata
        _check(inside.annotations, "spec.template.metadata.annotations", _POD, found, inside.labels)


def _check(
    annotations: Mapping[str, str], at: str, kind: str, found: Findings, labels: Mapping[str, str]
) -> None:
    for name in annotations:
        if not name.partition("/")[0].endswith("istio.io"):
            continue
        here, kinds = child(at, name), _KINDS.get(name)
        if kinds is None:
            like = nearest(name, tuple(_KINDS))
            found.warning(
                "META-004", here, f"Istio has no annotation {name}", f"Did you mean {like}?" if like else ""
            )
            continue
        if name in _OUT_OF_USE and name not in labels:
            found.info("META-006", here, f"the annotation {name} is out of use", _OUT_OF_USE[name])
        if _ANY not in kinds and kind not in kinds:
            where = " and ".join(f"{one}s" for one in kinds)
            hint = "Write it at the Pods: spec.template.metadata.annotations." if kinds == (_POD,) else ""
            found.warning("META-005", here, f"the annotation {name} is for {where}, not for a {kind}", hint)
