"""Validation of one decoded resource: what Istio's admission webhook and API server refuse or warn of."""

from collections.abc import Callable, Mapping
from typing import Any

from mizzen.resources.declaring.declare import Resource
from mizzen.resources.declaring.findings import Findings
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
from mizzen.resources.kubernetes.apps import DaemonSet, Deployment, ReplicaSet, Rollout, StatefulSet
from mizzen.resources.kubernetes.core import ConfigMap, Endpoints, EndpointSlice, Namespace, Pod, Service
from mizzen.resources.kubernetes.ingress import Ingress
from mizzen.resources.mizzen.http3_policy import HTTP3Policy
from mizzen.resources.rules import shared_rules
from mizzen.resources.rules.annotations import validate_annotations
from mizzen.resources.rules.destination_rule import validate_destination_rule
from mizzen.resources.rules.envoy_filter import validate_envoy_filter
from mizzen.resources.rules.extension import validate_traffic_extension, validate_wasm_plugin
from mizzen.resources.rules.gateway import validate_gateway
from mizzen.resources.rules.http3_policy import validate_http3_policy
from mizzen.resources.rules.ingress import validate_ingress
from mizzen.resources.rules.mesh_text import validate_mesh_text
from mizzen.resources.rules.operator import validate_operator
from mizzen.resources.rules.ports import validate_endpoint_slice, validate_endpoints, validate_service
from mizzen.resources.rules.proxy_config import validate_proxy_config
from mizzen.resources.rules.security import (
    validate_authorization_policy,
    validate_peer_authentication,
    validate_request_authentication,
)
from mizzen.resources.rules.service_entry import validate_service_entry, validate_workload_entry
from mizzen.resources.rules.sidecar import validate_sidecar
from mizzen.resources.rules.telemetry import validate_telemetry
from mizzen.resources.rules.virtual_service import validate_virtual_service

_ANNOTATED: Mapping[type[Resource], Callable[[Any, Findings], None]] = {
    Gateway: validate_gateway,
    VirtualService: validate_virtual_service,
    DestinationRule: validate_destination_rule,
    ServiceEntry: validate_service_entry,
    WorkloadEntry: validate_workload_entry,
    Sidecar: validate_sidecar,
    AuthorizationPolicy: validate_authorization_policy,
    PeerAuthentication: validate_peer_authentication,
    RequestAuthentication: validate_request_authentication,
    ProxyConfig: validate_proxy_config,
    WasmPlugin: validate_wasm_plugin,
    TrafficExtension: validate_traffic_extension,
    Telemetry: validate_telemetry,
    EnvoyFilter: validate_envoy_filter,
    HTTP3Policy: validate_http3_policy,
}
_BARE: Mapping[type[Resource], Callable[[Any, Findings], None]] = {
    Service: validate_service,
    EndpointSlice: validate_endpoint_slice,
    Endpoints: validate_endpoints,
    Ingress: validate_ingress,
    IstioOperator: validate_operator,
    ConfigMap: validate_mesh_text,
}

_OF_KUBERNETES = (Namespace, Service, Pod, Deployment, DaemonSet, StatefulSet, ReplicaSet, Rollout)


def validate(resource: Resource, found: Findings) -> None:
    """Report what is wrong with `resource`, looking at nothing else. Of Kubernetes' own kinds, only what Envoy
    would stumble over: where one comes from a cluster, the API server has judged it."""
    if rule := _ANNOTATED.get(type(resource)):
        rule(resource, found)
        shared_rules.annotations(resource, found)
        return
    if rule := _BARE.get(type(resource)):
        rule(resource, found)
    if isinstance(resource, _OF_KUBERNETES):
        validate_annotations(resource, found)
