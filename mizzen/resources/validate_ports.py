"""Where a Service's ports lead to: Kubernetes would refuse it, and files have no Kubernetes before them."""

from collections.abc import Iterable

from mizzen.resources import checks
from mizzen.resources.core import EndpointSlice, Service, ServicePort
from mizzen.resources.findings import Findings
from mizzen.resources.operator import IstioOperator


def validate_service(service: Service, found: Findings) -> None:
    _ports(service.spec.ports, found)


def validate_operator(operator: IstioOperator, found: Findings) -> None:
    components = operator.spec.components
    named = [(f"{operator.spec.at}.namespace", operator.spec.namespace)]
    for gateway in (*components.ingress_gateways, *components.egress_gateways):
        _ports(gateway.k8s.service.ports, found)
        named += [(f"{gateway.at}.name", gateway.name), (f"{gateway.at}.namespace", gateway.namespace)]
    for at, name in named:
        if "/" in name:
            found.error("VAL-007", at, f'"{name}": a name has no slash in it (folders are called so)')


def _ports(ports: Iterable[ServicePort], found: Findings) -> None:
    for port in ports:
        if isinstance(port.target_port, int) and (wrong := checks.port(port.target_port)):
            found.error("VAL-003", f"{port.at}.targetPort", wrong)


def validate_endpoint_slice(one: EndpointSlice, found: Findings) -> None:
    """Addresses that are none take no part, as in Istio."""
    if one.address_type == "FQDN":
        return
    for endpoint in one.endpoints:
        for index, address in enumerate(endpoint.addresses):
            if not checks.is_ip(address):
                message = f'"{address}" is not an IP address: nothing is sent there'
                found.warning("VAL-013", f"{endpoint.at}.addresses[{index}]", message)
