"""The Services of a gateway as they are told: which ports of it clients reach, and what a load balancer made of them."""

from collections.abc import Iterator

from mizzen.resolve.context import Proxy
from mizzen.resolve.listeners.udp import refusal
from mizzen.resolve.names import service_key
from mizzen.resolve.proxies.declared import declared_gateways
from mizzen.resources.kubernetes.core import Service, ServicePort
from mizzen.resources.world import World
from mizzen.status import PortStatus, ServiceStatus


def services(world: World, proxy: Proxy) -> tuple[ServiceStatus, ...]:
    """Those that lead to a gateway; where none is written, the one that its installation brings."""
    found = []
    for host in dict.fromkeys(target.service for target in proxy.targets):
        service = world.service_by_key.get(service_key(host))
        if service is not None:
            found.append(_written(world, service))
    return tuple(found) or tuple(_installed(world, proxy))


def _written(world: World, service: Service) -> ServiceStatus:
    ingress = service.status.load_balancer.ingress
    return ServiceStatus(
        resource=str(service.ref),
        origin=str(service.ref.place("spec.ports")),
        field="spec.ports",
        type=service.spec.type,
        external_traffic_policy=service.spec.external_traffic_policy,
        ports=tuple(_port(one, _refusal(world, service, one)) for one in service.spec.ports),
        addresses=tuple(one.ip or one.hostname for one in ingress),
    )


def _refusal(world: World, service: Service, port: ServicePort) -> str:
    if port.protocol == "UDP":
        return refusal(world, service, port.port)
    told = (
        one.error
        for each in service.status.load_balancer.ingress
        for one in each.ports
        if (one.port, one.protocol) == (port.port, port.protocol)
    )
    return next(filter(None, told), "")


def _installed(world: World, proxy: Proxy) -> Iterator[ServiceStatus]:
    for gateway in declared_gateways(world):
        if (gateway.name, gateway.namespace) == (proxy.name, proxy.namespace) and gateway.ports:
            ports = f"{gateway.component.at or 'spec.components.ingressGateways[0]'}.k8s.service.ports"
            yield ServiceStatus(
                resource=str(gateway.origin),
                origin=str(gateway.origin.place(ports)),
                field=ports,
                type=gateway.component.k8s.service.type or "LoadBalancer",
                external_traffic_policy=gateway.component.k8s.service.external_traffic_policy,
                ports=tuple(_port(one, "") for one in gateway.ports),
            )


def _port(port: ServicePort, refused: str) -> PortStatus:
    return PortStatus(
        name=port.name,
        protocol=port.protocol,
        port=port.port,
        target=str(port.target_port or port.port),
        refused=refused,
    )
