"""What is refused in an IstioOperator: ports that are none, and settings of the mesh that Envoy cannot take."""

from datetime import timedelta

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.mesh import MeshConfig, NamespaceRequirement
from mizzen.resources.istio.operator import IstioOperator
from mizzen.resources.rules import shared_rules
from mizzen.resources.rules.balancing import locality, zones
from mizzen.resources.rules.destination_rule import keepalive, outliers, pool
from mizzen.resources.rules.gateway import suites
from mizzen.resources.rules.http_parts import retries
from mizzen.resources.rules.ports import target_ports

_MORE_THAN = timedelta(milliseconds=1)  # Envoy, Cluster.dns_refresh_rate


def validate_operator(operator: IstioOperator, found: Findings) -> None:
    components = operator.spec.components
    named = [(f"{operator.spec.at}.namespace", operator.spec.namespace)]
    for values in (operator.spec.values.gateways.ingress, operator.spec.values.gateways.egress):
        named += [(f"{values.at}.name", values.name), (f"{values.at}.namespace", values.namespace)]
    for gateway in (*components.ingress_gateways, *components.egress_gateways):
        target_ports(gateway.k8s.service.ports, found)
        named += [(f"{gateway.at}.name", gateway.name), (f"{gateway.at}.namespace", gateway.namespace)]
    for at, name in named:
        if "/" in name:
            found.error("VAL-007", at, f'"{name}": a name has no slash in it (folders are called so)')
    _mesh(operator.spec.mesh_config, found)
    _mesh(operator.spec.values.mesh_config, found)
    for values in (operator.spec.values.gateways.ingress, operator.spec.values.gateways.egress):
        target_ports(values.ports, found)


def _mesh(mesh: MeshConfig, found: Findings) -> None:
    shared_rules.time(mesh.connect_timeout, f"{mesh.at}.connectTimeout", found)
    if mesh.dns_refresh_rate <= _MORE_THAN:
        found.error("VAL-009", f"{mesh.at}.dnsRefreshRate", "names are looked up no oftener than every 2ms")
    if mesh.default_http_retry_policy:
        retries(mesh.default_http_retry_policy, found)
    if mesh.tcp_keepalive:
        keepalive(mesh.tcp_keepalive, found)
    if policy := mesh.default_traffic_policy:
        if policy.connection_pool:
            pool(policy.connection_pool, found)
        if policy.outlier_detection:
            outliers(policy.outlier_detection, found)
    if mesh.locality_lb_setting:
        locality(mesh.locality_lb_setting, found)
    if mesh.zone_aware_lb_setting:
        zones(mesh.zone_aware_lb_setting, found)
    for tls in filter(None, (mesh.mesh_mtls, mesh.tls_defaults)):
        suites(tls, found)
    if mesh.mesh_mtls and mesh.mesh_mtls.ecdh_curves:
        at = f"{mesh.mesh_mtls.at}.ecdhCurves"
        found.warning(
            "VAL-103", at, "the mesh's own TLS goes by no list of curves: it has no effect", "Leave it out."
        )
    for selector in mesh.discovery_selectors:
        for requirement in selector.match_expressions:
            _requirement(requirement, found)


def _requirement(requirement: NamespaceRequirement, found: Findings) -> None:
    """As Kubernetes takes a LabelSelector."""
    at, takes_values = f"{requirement.at}.values", requirement.operator in ("In", "NotIn")
    if takes_values and not requirement.values:
        found.error("VAL-001", at, f"the operator {requirement.operator} needs values")
    elif requirement.values and not takes_values:
        found.error("VAL-002", at, f"the operator {requirement.operator} takes no values", "Leave them out.")
