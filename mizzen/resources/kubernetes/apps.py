"""What Pods are made from (Deployment and its kin): their labels, ports and environment."""

from collections.abc import Mapping
from dataclasses import field

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource
from mizzen.resources.kubernetes.core import PodSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector(Element):
    match_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTemplateMetadata(Element):
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTemplateSpec(Element):
    metadata: PodTemplateMetadata = field(default_factory=PodTemplateMetadata)
    spec: PodSpec = field(default_factory=PodSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSpec(Element):
    """What takes part of a Deployment, and of all that makes Pods of a template."""

    replicas: int | None = None
    selector: LabelSelector = field(default_factory=LabelSelector)
    template: PodTemplateSpec = field(default_factory=PodTemplateSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Resource):
    spec: WorkloadSpec = field(default_factory=WorkloadSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatefulSet(Resource):
    spec: WorkloadSpec = field(default_factory=WorkloadSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSet(Resource):
    spec: WorkloadSpec = field(default_factory=WorkloadSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSet(Resource):
    spec: WorkloadSpec = field(default_factory=WorkloadSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTemplate(Resource):
    """Makes no Pods by itself: a Rollout may refer to it."""

    template: PodTemplateSpec = field(default_factory=PodTemplateSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadReference(Element):
    kind: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSpec(WorkloadSpec):
    """Of Argo Rollouts (argoproj.io/v1alpha1): a Deployment's, or a reference to what has the template in its place."""

    workload_ref: WorkloadReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout(Resource):
    spec: RolloutSpec = field(default_factory=RolloutSpec)
