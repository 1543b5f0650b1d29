"""WorkloadEntry (networking.istio.io): one endpoint that is not a pod."""

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource, UInt32, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadEntrySpec(Element):
    """An endpoint; also an item of `endpoints` in a ServiceEntry."""

    address: str = ""
    ports: Mapping[str, UInt32] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    locality: str = ""
    weight: UInt32 = 0
    service_account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Element):
    type: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadEntryStatus(Element):
    """Written by Istio, which says more in it than is read here."""

    UNKNOWN_FIELDS: ClassVar[Unknown] = Unknown.PASS

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadEntry(Resource):
    spec: WorkloadEntrySpec = field(default_factory=WorkloadEntrySpec)
    status: WorkloadEntryStatus = field(default_factory=WorkloadEntryStatus)
