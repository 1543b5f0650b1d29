"""Which services a gateway can send requests to: Kubernetes Services and ServiceEntries, one per host."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap
from mizzen.resolve.context import Context, grouped, mapped
from mizzen.resolve.gateways.attach import exported_to
from mizzen.resolve.names import service_host
from mizzen.resources.istio.service_entry import ServiceEntry
from mizzen.resources.kubernetes import core
from mizzen.resources.world import age_order

CODES = {
    "BE-001": "A host of a ServiceEntry already belongs to another service; the entry takes no part for it.",
    "BE-012": "ServiceEntries of one host say different protocols for one port; that of the oldest holds.",
}

EXPORT_TO = "networking.istio.io/exportTo"

# Istio's words for what a port carries, by how users write them.
_PROTOCOLS = {
    "tcp": "TCP",
    "udp": "UDP",
    "grpc": "GRPC",
    "grpc-web": "GRPC-Web",
    "http": "HTTP",
    "http_proxy": "HTTP_PROXY",
    "http2": "HTTP2",
    "https": "HTTPS",
    "tls": "TLS",
    "mongo": "MONGO",
    "redis": "REDIS",
    "mysql": "MYSQL",
}
_APP_PROTOCOLS = {"kubernetes.io/h2c": "HTTP2", "kubernetes.io/ws": "HTTP", "kubernetes.io/wss": "HTTPS"}
# Ports on which servers speak first: looking for HTTP there would wait for ever.
_TCP_PORTS = frozenset({25, 53, 3306, 27017})


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshPort:
    """A port of a service. `protocol` "" means that nobody said."""

    name: str
    number: int
    protocol: str = ""
    target_port: int | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshService:
    """What is known under one host. `sources` are ServiceEntries of one namespace, or a single Service."""

    host: str
    name: str
    namespace: str
    ports: tuple[MeshPort, ...]
    alias_of: str = ""  # the host that a Kubernetes ExternalName leads to
    external: bool = False
    export_to: frozenset[str]
    sources: tuple[core.Service | ServiceEntry, ...]
    ref: ResourceRef

    @property
    def kubernetes(self) -> core.Service | None:
        first = self.sources[0]
        return first if isinstance(first, core.Service) else None

    @property
    def entries(self) -> tuple[ServiceEntry, ...]:
        return tuple(one for one in self.sources if isinstance(one, ServiceEntry))

    @property
    def is_dynamic(self) -> bool:
        """Is it whatever name below its host a request asks for (DYNAMIC_DNS)?"""
        return any(entry.spec.resolution == "DYNAMIC_DNS" for entry in self.entries)

    def port(self, number: int) -> MeshPort | None:
        return next((port for port in self.ports if port.number == number), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHost:
    """Who has a host: for all, and for objects of each namespace."""

    service: MeshService
    by_namespace: Mapping[str, MeshService]


@dataclass(frozen=True, slots=True)
class ServiceIndex:
    """The services that the namespace of the gateway may see."""

    by_host: PersistentMap[str, ServiceHost] = field(repr=False)  # for who goes through all of them
    _hosts: Mapping[str, ServiceHost] = field(repr=False)

    @property
    def all(self) -> Iterable[MeshService]:
        """One per host, sorted by host."""
        return [self._hosts[host].service for host in self._hosts]

    def get(self, host: str) -> MeshService | None:
        """The service that the gateway knows under a host."""
        found = self._hosts.get(host)
        return found.service if found else None

    def find(self, host: str, namespace: str) -> MeshService | None:
        """The same, but a service of `namespace` (where the VirtualService is) goes first."""
        found = self._hosts.get(host)
        return found.by_namespace.get(namespace, found.service) if found else None

    def behind(self, service: MeshService) -> tuple[str, ...]:
        """The hosts that an ExternalName leads to, one after the other, each once; the last is the one that counts. Of
        names that lead in a circle, that is an ExternalName again."""
        found: dict[str, bool] = {}
        following: MeshService | None = service
        while following is not None and following.alias_of and following.alias_of not in found:
            found[following.alias_of] = True
            following = self.get(following.alias_of)
        return tuple(found)

    def port_of(self, service: MeshService | None, wanted: int | None, server_port: int) -> int:
        """The port that a destination means: the one written, else the only one, else the server's."""
        if wanted:
            return wanted
        if service is not None and len(service.ports) == 1:
            return service.ports[0].number
        return server_port


def service_index(ctx: Context) -> ServiceIndex:
    """Services over ServiceEntries, older over younger; what is exported to us by name goes first."""
    objects = ctx.steps.united(
        "service objects", ctx.world.all_by_key(core.Service), ctx.world.all_by_key(ServiceEntry)
    )
    hosts = mapped(ctx, _of_host, grouped(ctx, _visible, objects))
    return ServiceIndex(hosts, ctx.steps.published("services", hosts))


def _visible(
    ctx: Context, key: Hashable, one: core.Service | ServiceEntry
) -> Mapping[str, tuple[tuple[object, ...], MeshService]]:
    """The services of an object that the gateway may see, by host, each with its place among those of one host. What
    raises keeps its hosts, and has no port: its requests fail."""
    default = ctx.mesh.default_service_export_to
    made = attempt(Stage.RESOLVE, one.ref, partial(_of, one, default), ctx.report, None)
    return {
        service.host: (("*" in service.export_to, age_order(one), key), service)
        for service in (_failing(one) if made is None else made)
        if _is_visible(service, ctx.proxy.namespace)
    }


def _of_host(
    ctx: Context, _: str, members: Mapping[Hashable, tuple[tuple[object, ...], MeshService]]
) -> ServiceHost:
    """Services over ServiceEntries, older over younger; what is exported to us by name goes first."""
    services = [service for _, service in sorted(members.values(), key=lambda pair: pair[0])]
    by_namespace: dict[str, MeshService] = {}
    winner = None
    for service in services:
        by_namespace[service.namespace] = _chosen(by_namespace.get(service.namespace), service)
        winner = _chosen(winner, service)
    assert winner is not None
    _report_hidden(ctx, services, winner)
    return ServiceHost(service=winner, by_namespace=by_namespace)


def _is_visible(service: MeshService, namespace: str) -> bool:
    return "*" in service.export_to or namespace in service.export_to


def _chosen(known: MeshService | None, other: MeshService) -> MeshService:
    """Who has a host that both claim."""
    if known is None or (other.kubernetes and not known.kubernetes):
        return other
    return _merged(known, other) if _may_merge(known, other) else known


def _may_merge(one: MeshService, other: MeshService) -> bool:
    """ServiceEntries of one namespace that differ in nothing but ports and endpoints are one service."""
    if one.kubernetes or other.kubernetes or one.namespace != other.namespace:
        return False
    if one.export_to != other.export_to:
        return False
    first, second = one.entries[0], other.entries[0]
    return (first.spec.resolution, first.spec.location, first.meta.labels, first.spec.workload_selector) == (
        second.spec.resolution,
        second.spec.location,
        second.meta.labels,
        second.spec.workload_selector,
    )


def _merged(one: MeshService, other: MeshService) -> MeshService:
    known = {port.number for port in one.ports}
    more = tuple(port for port in other.ports if port.number not in known)
    return replace(one, ports=one.ports + more, sources=one.sources + other.sources)


def _report_hidden(ctx: Context, services: list[MeshService], winner: MeshService) -> None:
    for one in services:
        if not one.kubernetes and any(one.entries[0] is source for source in winner.sources):
            _report_protocols(ctx, one, winner)
            continue
        if one.kubernetes:
            continue
        entry = one.entries[0]
        index = entry.spec.hosts.index(one.host)
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="BE-001",
                resource=one.ref,
                field=f"spec.hosts[{index}]",
                message=f"{one.host} is already {winner.ref}; this entry takes no part for it",
                hint="A Kubernetes Service has its host; of several entries the oldest has it.",
            )
        )


def _report_protocols(ctx: Context, one: MeshService, winner: MeshService) -> None:
    """The ports of an entry for which an older one of the same service says another protocol (istioctl: IST0177)."""
    holding = {port.number: port.protocol for port in winner.ports}
    for port in one.entries[0].spec.ports:
        mine = next((known.protocol for known in one.ports if known.number == port.number), "")
        if mine and mine != holding.get(port.number, mine):
            ctx.report(
                Problem(
                    severity=Severity.WARNING,
                    code="BE-012",
                    resource=one.ref,
                    field=f"{port.at}.protocol",
                    message=f"port {port.number} of {one.host} is {holding[port.number]} by {winner.ref}, which is older: "
                    f"{mine} takes no part",
                    hint="Write the same protocol in both, or give one of them another host or port.",
                )
            )


# --- from objects -----------------------------------------------------------------------------------


def _of(one: core.Service | ServiceEntry, default: tuple[str, ...]) -> tuple[MeshService, ...]:
    if isinstance(one, core.Service):
        return (_of_kubernetes(one, default),)
    return tuple(_of_entry(one, default))


def _failing(one: core.Service | ServiceEntry) -> tuple[MeshService, ...]:
    """What stands for a service that cannot be made."""
    hosts = one.spec.hosts if isinstance(one, ServiceEntry) else (service_host(one.name, one.namespace),)
    return tuple(
        MeshService(
            host=host,
            name=one.name,
            namespace=one.namespace,
            ports=(),
            export_to=frozenset({"*"}),
            sources=(one,),
            ref=one.ref,
        )
        for host in dict.fromkeys(hosts)
    )


def _of_kubernetes(service: core.Service, default: tuple[str, ...]) -> MeshService:
    spec = service.spec
    written = service.meta.annotations.get(EXPORT_TO, "")
    export_to = tuple(filter(None, (part.strip() for part in written.split(","))))
    is_alias = spec.type == "ExternalName"
    return MeshService(
        host=service_host(service.name, service.namespace),
        name=service.name,
        namespace=service.namespace,
        ports=tuple(
            MeshPort(
                name=port.name,
                number=port.port,
                protocol=kubernetes_protocol(port),
                target_port=port.target_port,
            )
            for port in spec.ports
        ),
        alias_of=spec.external_name.lower().removesuffix(".") if is_alias else "",
        external=is_alias,
        export_to=exported_to(export_to, default, service.namespace),
        sources=(service,),
        ref=service.ref,
    )


def _of_entry(entry: ServiceEntry, default: tuple[str, ...]) -> Iterator[MeshService]:
    ports = tuple(
        MeshPort(
            name=port.name,
            number=port.number,
            protocol=_PROTOCOLS.get(port.protocol.lower(), ""),
            target_port=port.target_port or None,
        )
        for port in entry.spec.ports
    )
    for host in dict.fromkeys(entry.spec.hosts):
        yield MeshService(
            host=host,
            name=host,
            namespace=entry.namespace,
            ports=ports,
            external=entry.spec.location == "MESH_EXTERNAL",
            export_to=exported_to(entry.spec.export_to, default, entry.namespace),
            sources=(entry,),
            ref=entry.ref,
        )


def kubernetes_protocol(port: core.ServicePort) -> str:
    """What a port of a Service carries: by its appProtocol, else by its name ("http2-api"), else by number."""
    if port.protocol == "UDP":
        return "UDP"
    if port.app_protocol:
        app = port.app_protocol.lower()
        return _APP_PROTOCOLS.get(app) or named_protocol(app) or _by_number(port.port)
    return named_protocol(port.name.lower()) or _by_number(port.port)


def named_protocol(name: str) -> str:
    if name == "grpc-web" or name.startswith("grpc-web-"):
        return "GRPC-Web"
    return _PROTOCOLS.get(name.partition("-")[0], "")


def _by_number(number: int) -> str:
    return "TCP" if number in _TCP_PORTS else ""
