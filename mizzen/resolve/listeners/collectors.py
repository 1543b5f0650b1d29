"""Who collects logs and spans: a provider's service -> the Backend that they go to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mizzen.errors import Problem, Severity
from mizzen.lazy import dataclass
from mizzen.model.backend import Backend, Discovery, Endpoint, EndpointGroup, Protocol
from mizzen.resolve.context import Context
from mizzen.resolve.names import DOMAIN, backend_name
from mizzen.resources.formats import checks
from mizzen.resources.istio.provider import Collector as Place
from mizzen.resources.istio.provider import ExtensionProvider, provider

CODES = {
    "TEL-002": "A provider of logs or spans is not there, or cannot be used: nothing goes to it.",
    "TEL-003": "The service of a provider is not known; it is looked up by DNS.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """A service that collects. `host` "": nobody does, and what is sent to it is lost."""

    name: str  # of the backend
    host: str
    port: int
    protocol: Protocol = Protocol.HTTP2

    @property
    def of_service(self) -> str:
        """The backend of the service's port, where it is a service of the mesh."""
        return backend_name(self.port, "", self.host)


def wanted_by(collectors: Iterable[Collector]) -> Iterator[str]:
    """The names of the backends of services that collectors are made of."""
    return (collector.of_service for collector in collectors)


def backends_of(
    ctx: Context, collectors: Iterable[Collector], services: Mapping[str, Backend]
) -> Iterator[Backend]:
    """A backend for each: that of the service under another name, in the protocol that is spoken; else found by DNS."""
    for one in collectors:
        service = services.get(one.of_service)
        if service is not None:
            spoken = service.protocol if one.protocol is Protocol.UNKNOWN else one.protocol
            yield replace(service, name=one.name, protocol=spoken, service=None)
            continue
        groups = (EndpointGroup(endpoints=(Endpoint(address=one.host, port=one.port),)),) if one.host else ()
        yield Backend(
            name=one.name,
            discovery=Discovery.DNS if one.host else Discovery.NONE,
            service=None,
            groups=groups,
            protocol=one.protocol,
            origin=ctx.proxy.origin,
        )


def at_address(text: str, name: str, default_port: int, protocol: Protocol) -> Collector:
    """HOST:PORT of ProxyConfig; the port may be left out."""
    host, _, port = text.rpartition(":")
    if checks.port_text(port):
        return Collector(name=name, host=host or text, port=default_port, protocol=protocol)
    return Collector(name=name, host=host, port=int(port), protocol=protocol)


def find(ctx: Context, name: str) -> ExtensionProvider | None:
    """The provider of that name; none is reported by who asks."""
    return provider(ctx.mesh.extension_providers, name)


def collector(
    ctx: Context, named: ExtensionProvider, place: Place, name: str, protocol: Protocol
) -> Collector | None:
    """Where a provider is; None, and reported, where it does not say so."""
    namespace, slash, host = place.service.rpartition("/")
    if (slash and not namespace) or "/" in namespace or (checks.fqdn(host) and not checks.is_ip(host)):
        report(ctx, named, f"{place.at}.service", f"{place.service!r} is not the host of a service")
        return None
    if checks.port(place.port):
        report(ctx, named, f"{place.at}.port", checks.port(place.port))
        return None
    known = ctx.steps.views["indexes"].services if "indexes" in ctx.steps.views else None
    if known is not None and known.get(host) is None and (host.endswith(f".svc.{DOMAIN}") or "." not in host):
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="TEL-003",
                resource=ctx.proxy.origin,
                field=f"{place.at}.service",
                message=f"there is no service {host}: what goes to the provider {named.name} is lost unless DNS knows it",
                hint="Write the whole host of a Service: collector.observability.svc.cluster.local.",
            )
        )
    return Collector(name=name, host=host, port=place.port, protocol=protocol)


def report(ctx: Context, named: ExtensionProvider, at: str, wrong: str) -> None:
    """That a provider cannot be used."""
    ctx.report(
        Problem(
            code="TEL-002",
            resource=ctx.proxy.origin,
            field=at,
            message=f"the provider {named.name} cannot be used: {wrong}",
            hint="Nothing is sent to it; traffic is served all the same.",
        )
    )
