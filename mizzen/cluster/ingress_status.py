"""The addresses at which Ingresses are served: what is written into their status, as Istio does. Pure."""

from collections.abc import Iterator

from mizzen.kube.client import Json
from mizzen.resolve.ingress.conversion import our_ingresses
from mizzen.resolve.proxies.declared import DEFAULT_NAMESPACE
from mizzen.resolve.proxies.gateways import mesh_config
from mizzen.resources.formats.checks import is_ip
from mizzen.resources.istio.mesh import MeshConfig
from mizzen.resources.kubernetes.core import Service
from mizzen.resources.kubernetes.ingress import Ingress
from mizzen.resources.world import World


def outdated(world: World) -> Iterator[tuple[Ingress, list[Json]]]:
    """The Ingresses of ours whose status names other addresses than their gateway has, and these."""
    mesh = mesh_config(world)
    service = _service(world, mesh)
    if service is None:
        return  # nobody knows: what was written stays
    wanted = [{"ip": one} if is_ip(one) else {"hostname": one} for one in sorted(_addresses(service))]
    for ingress in our_ingresses(world, mesh):
        written = [
            {"ip": one.ip} if one.ip else {"hostname": one.hostname}
            for one in ingress.status.load_balancer.ingress
        ]
        if sorted(written, key=str) != sorted(wanted, key=str):
            yield ingress, wanted


def _service(world: World, mesh: MeshConfig) -> Service | None:
    """meshConfig.ingressService: NAME of the root namespace, or NAMESPACE/NAME."""
    namespace, _, name = mesh.ingress_service.rpartition("/")
    return world.service_by_key.get((namespace or DEFAULT_NAMESPACE, name))


def _addresses(service: Service) -> set[str]:
    if service.spec.type == "ExternalName":
        return {service.spec.external_name}
    told = {one.ip or one.hostname for one in service.status.load_balancer.ingress}
    return {*told, *service.spec.external_ips} - {""}
