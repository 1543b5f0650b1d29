"""ServiceEntry (networking.istio.io): a service that is not one of Kubernetes'."""

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource, UInt32
from mizzen.resources.istio import retired
from mizzen.resources.istio.workload_entry import WorkloadEntrySpec

Location = Literal["MESH_EXTERNAL", "MESH_INTERNAL"]
Resolution = Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort(Element):
    number: UInt32
    name: str
    protocol: str = ""
    target_port: UInt32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSelector(Element):
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEntrySpec(Element):
    RETIRED: ClassVar = retired.SERVICE_ENTRY

    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ports: tuple[ServicePort, ...] = ()
    location: Location = "MESH_EXTERNAL"
    resolution: Resolution = "NONE"
    endpoints: tuple[WorkloadEntrySpec, ...] = ()
    workload_selector: WorkloadSelector | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEntry(Resource):
    spec: ServiceEntrySpec = field(default_factory=ServiceEntrySpec)
