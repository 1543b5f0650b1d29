"""Where a Service's ports lead to: Kubernetes would refuse it, and files have no Kubernetes before them."""

from collections.abc import Iterable

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.kubernetes.core import Endpoints, EndpointSlice, Service, ServicePort

HEADLESS = "None"


def validate_service(service: Service, found: Findings) -> None:
    spec = service.spec
    addresses = [("clusterIP", spec.cluster_ip)]
    addresses += [(f"clusterIPs[{index}]", address) for index, address in enumerate(spec.cluster_ips)]
    for key, address in addresses:
        if address not in ("", HEADLESS) and not checks.is_ip(address):
            found.error("VAL-013", f"{spec.at}.{key}", f'"{address}" is not an IP address')
    target_ports(service.spec.ports, found)


def target_ports(ports: Iterable[ServicePort], found: Findings) -> None:
    """Numbers that a port leads to."""
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


def validate_endpoints(one: Endpoints, found: Findings) -> None:
    """The same of Endpoints."""
    for subset in one.subsets:
        for address in (*subset.addresses, *subset.not_ready_addresses):
            if not checks.is_ip(address.ip):
                message = f'"{address.ip}" is not an IP address: nothing is sent there'
                found.warning("VAL-013", f"{address.at}.ip", message)
