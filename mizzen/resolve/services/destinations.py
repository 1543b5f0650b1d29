"""Which backend a destination means."""

from dataclasses import field

from mizzen.lazy import dataclass
from mizzen.model.route import Grpc, HashOn
from mizzen.resolve.gateways.attach import Attached
from mizzen.resolve.names import backend_name, expand_host
from mizzen.resolve.services.policies import PolicyIndex, TcpPolicy
from mizzen.resolve.services.services import MeshService, ServiceIndex
from mizzen.resources.istio.virtual_service import Destination

# Protocols of ports that speak HTTP/2 -> how gRPC may be spoken there.
GRPC = {"GRPC": Grpc.NATIVE, "HTTP2": Grpc.NATIVE, "GRPC-Web": Grpc.WEB}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A destination that was looked up. `service` None: nobody knows its host, and requests to it fail."""

    host: str
    port: int
    subset: str
    service: MeshService | None

    @property
    def backend(self) -> str:
        return backend_name(self.port, self.subset, self.host)

    @property
    def is_dynamic(self) -> bool:
        """Is it whatever name below its host a request asks for?"""
        return self.service is not None and self.service.is_dynamic

    @property
    def protocol(self) -> str:
        """What its port is declared to carry; "" where nobody says, or knows the port."""
        port = self.service.port(self.port) if self.service else None
        return port.protocol if port else ""


@dataclass(frozen=True, slots=True)
class Indexes:
    """Where services, their policies, and the VirtualServices of a Gateway are looked up."""

    services: ServiceIndex
    policies: PolicyIndex
    attached: Attached = field(default_factory=Attached)

    def target(self, destination: Destination, namespace: str, server_port: int) -> Target:
        """What a destination of an object of `namespace` means for a server of that port."""
        host = expand_host(destination.host, namespace)
        service = self.services.find(host, namespace)
        wanted = destination.port.number if destination.port else None
        return Target(
            host=self.services.behind(service)[-1] if service and service.alias_of else host,
            port=self.services.port_of(service, wanted, server_port),
            subset=destination.subset,
            service=service,
        )

    def hash_on(self, target: Target) -> HashOn | None:
        """What keeps a client on one endpoint of a target."""
        namespace = target.service.namespace if target.service else ""
        return self.policies.hash_on(target.host, namespace, target.subset, target.port)

    def tcp(self, target: Target, subset: str) -> TcpPolicy:
        namespace = target.service.namespace if target.service else ""
        return self.policies.tcp(target.host, namespace, subset, target.port)
