"""Sidecar (networking.istio.io): which ports a workload's sidecar opens, and whom it may speak to."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource, UInt32
from mizzen.resources.istio import retired


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSelector(Element):
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarPort(Element):
    number: UInt32
    protocol: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressListener(Element):
    RETIRED: ClassVar = retired.INGRESS_LISTENER
    SUCCEEDED: ClassVar = retired.GUARDING_LISTENER

    port: Annotated[SidecarPort, "what the sidecar opens for the mesh"]
    bind: Annotated[str, "the address; unset: all"] = ""
    default_endpoint: Annotated[str, "where the application listens: 127.0.0.1:PORT or unix:///PATH"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressListener(Element):
    RETIRED: ClassVar = retired.EGRESS_LISTENER

    port: Annotated[SidecarPort | None, "unset: every port of the services"] = None
    bind: Annotated[str, "the address that is opened for the application; unset: 127.0.0.1"] = ""
    hosts: Annotated[tuple[str, ...], "NAMESPACE/HOST; ./ is the own namespace, */ all"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundTrafficPolicy(Element):
    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY"] = "REGISTRY_ONLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarSpec(Element):
    RETIRED: ClassVar = retired.SIDECAR

    workload_selector: Annotated[WorkloadSelector | None, "none: every workload of the namespace"] = None
    ingress: tuple[IngressListener, ...] = ()
    egress: tuple[EgressListener, ...] = ()
    outbound_traffic_policy: OutboundTrafficPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar(Resource):
    spec: SidecarSpec = field(default_factory=SidecarSpec)
