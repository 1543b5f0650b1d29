"""Ingresses -> servers and rules, as Istio reads them (pilot's kube/ingress).

Each Ingress is a Gateway: port 80 for all hosts, and port 443 for each entry of `tls`. All rules for one host, of all
Ingresses, are one VirtualService, longer paths first.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from functools import partial
from typing import TypeVar

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.resolve.ingress.classes import OUR_CLASS, class_of, is_ours
from mizzen.resolve.ingress.written import HostOfIngresses, PathOfIngress
from mizzen.resolve.names import service_host
from mizzen.resources.declaring.declare import Metadata, Resource
from mizzen.resources.istio.gateway import Gateway, GatewaySpec, Port, Server, ServerTlsSettings
from mizzen.resources.istio.mesh import DEFAULT_MESH, MeshConfig
from mizzen.resources.istio.virtual_service import (
    Destination,
    HTTPDirectResponse,
    HTTPMatchRequest,
    HTTPRoute,
    HTTPRouteDestination,
    PortSelector,
    StringMatch,
    VirtualService,
    VirtualServiceSpec,
)
from mizzen.resources.kubernetes.ingress import (
    HTTPIngressPath,
    Ingress,
    IngressClass,
    IngressRule,
    IngressServiceBackend,
    IngressTLS,
)
from mizzen.resources.rules.host_names import folded
from mizzen.resources.world import Key, World

CODES = {
    "ING-001": "The default backend of an Ingress is not served.",
    "ING-002": "A path of an Ingress has a backend that cannot be served; its requests get 503.",
    "ING-003": "An Ingress is of a class that is not served here.",
    "ING-004": "A part of an Ingress says too little, and takes no part.",
}
# Where Istio keeps what it makes of Ingresses. No namespace decides about it.
_NAMESPACE = "istio-system"
_ANY_PATH = frozenset({"", "*", "/*", ".*"})
_HTTP, _HTTPS = 80, 443
_NOWHERE = 503

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What all Ingresses become, and what is wrong with them."""

    gateways: tuple[Gateway, ...] = ()
    services: tuple[HostOfIngresses, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Host:
    """The rules for one host, and the Gateways of their Ingresses."""

    first: Ingress
    gateways: dict[str, None] = field(default_factory=dict)
    rules: list[PathOfIngress] = field(default_factory=list)


def converted(world: World, mesh: MeshConfig) -> Converted:
    """What the Ingresses of a world become, the oldest first."""
    return _Conversion(world, mesh).all()


def joined(world: World, made: Converted) -> World:
    """The world with what its Ingresses became."""
    if not made.gateways and not made.services:
        return world
    changed: dict[type[Resource], dict[Key, Resource]] = {
        Gateway: {one.key: one for one in made.gateways},
        VirtualService: {one.key: one for one in made.services},
    }
    return world.with_changes(changed, {}, world.unread, world.refused)


def as_before(made: Converted, before: Converted) -> Converted:
    """The same, with the very objects that there were before where they are equal."""
    gateways = {one.key: one for one in before.gateways}
    services = {one.key: one for one in before.services}
    return Converted(
        gateways=tuple(_same(one, gateways.get(one.key)) for one in made.gateways),
        services=tuple(_same(one, services.get(one.key)) for one in made.services),
        problems=made.problems,
    )


def _same(made: R, before: R | None) -> R:
    return before if before is not None and before == made else made


def our_ingresses(world: World, mesh: MeshConfig) -> tuple[Ingress, ...]:
    """Those that are served here."""
    classes = _classes(world)
    return tuple(one for one in world.every(Ingress) if is_ours(one, classes, mesh))


def _classes(world: World) -> Mapping[str, IngressClass]:
    return {one.name: one for one in world.every(IngressClass)}


@dataclass(slots=True)
class _Conversion:
    world: World
    mesh: MeshConfig
    hosts: dict[str, _Host] = field(default_factory=dict)
    secured: dict[str, str] = field(default_factory=dict)  # host -> Secret of the first that has it
    problems: list[Problem] = field(default_factory=list)

    def all(self) -> Converted:
        classes, gateways = _classes(self.world), []
        for ingress in self.world.every(Ingress):
            if not is_ours(ingress, classes, self.mesh):
                self._not_ours(ingress, class_of(ingress, classes))
                continue
            take = partial(self._take, ingress)
            gateway = attempt(Stage.RESOLVE, ingress.ref, take, self.problems.append, None)
            gateways += [gateway] if gateway is not None else []
        services = (_service(host, of) for host, of in self.hosts.items())
        return Converted(gateways=tuple(gateways), services=tuple(services), problems=tuple(self.problems))

    def _take(self, ingress: Ingress) -> Gateway:
        gateway = self._gateway(ingress)
        for rule in ingress.spec.rules:
            self._rule(ingress, rule, f"{_NAMESPACE}/{gateway.name}")
        if ingress.spec.default_backend is not None:
            self._default(ingress)
        return gateway

    def _gateway(self, ingress: Ingress) -> Gateway:
        of = f"{ingress.name}-{ingress.namespace}"
        secure = (
            self._secure(ingress, tls, f"https-443-ingress-{of}-{i}")
            for i, tls in enumerate(ingress.spec.tls)
        )
        plain = Server(
            port=Port(number=_HTTP, protocol="HTTP", name=f"http-80-ingress-{of}", at="spec"),
            hosts=("*",),
            at="spec",
        )
        return Gateway(
            meta=Metadata(
                name=f"{ingress.name}-istio-ingressgateway-{ingress.namespace}",
                namespace=_NAMESPACE,
                creation_timestamp=ingress.meta.creation_timestamp,
            ),
            ref=ingress.ref,
            spec=GatewaySpec(
                servers=(*(one for one in secure if one is not None), plain),
                selector=_selector(self.mesh),
            ),
        )

    def _secure(self, ingress: Ingress, tls: IngressTLS, name: str) -> Server | None:
        """The server of an entry of `tls`; hosts that have it already from another Ingress need none."""
        if not tls.secret_name:
            self._tell(
                "ING-004",
                ingress,
                tls.at,
                "without a secretName there is no certificate to show",
                Severity.WARNING,
            )
            return None
        hosts = tuple(map(folded, tls.hosts)) or ("*",)
        wanted = tuple(one for one in dict.fromkeys(hosts) if self.secured.get(one) != tls.secret_name)
        for host in wanted:
            self.secured.setdefault(host, tls.secret_name)
        if not wanted:
            return None
        return Server(
            port=Port(number=_HTTPS, protocol="HTTPS", name=name, at=f"{tls.at}.port"),
            hosts=wanted,
            tls=ServerTlsSettings(mode="SIMPLE", credential_name=tls.secret_name, at=f"{tls.at}.tls"),
            at=tls.at,
        )

    def _rule(self, ingress: Ingress, rule: IngressRule, gateway: str) -> None:
        if rule.http is None or not rule.http.paths:
            self._tell("ING-004", ingress, rule.at, "this rule has no paths", Severity.WARNING)
            return
        of = self.hosts.setdefault(folded(rule.host) or "*", _Host(ingress))
        of.gateways[gateway] = None
        of.rules += [self._path(ingress, path) for path in rule.http.paths]

    def _path(self, ingress: Ingress, path: HTTPIngressPath) -> PathOfIngress:
        match = HTTPMatchRequest(uri=uri, at=path.at) if (uri := _uri(path)) is not None else None
        destination = self._destination(ingress, path)
        return PathOfIngress(
            ref=ingress.ref,
            at=path.at,
            match=(match,) if match is not None else (),
            route=(HTTPRouteDestination(destination=destination, at=path.backend.at),) if destination else (),
            # What cannot be served fails: its requests do not fall to a wider path.
            direct_response=None if destination else HTTPDirectResponse(status=_NOWHERE),
        )

    def _destination(self, ingress: Ingress, path: HTTPIngressPath) -> Destination | None:
        backend = path.backend.service
        if backend is None:
            self._tell("ING-002", ingress, path.backend.at, "a backend that is no Service cannot be served")
            return None
        number = backend.port.number or self._named_port(ingress, backend)
        if number is None:
            return None
        return Destination(
            host=service_host(backend.name, ingress.namespace),
            port=PortSelector(number=number, at=backend.port.at),
            at=backend.at,
        )

    def _named_port(self, ingress: Ingress, backend: IngressServiceBackend) -> int | None:
        service = self.world.service_by_key.get((ingress.namespace, backend.name))
        ports = service.spec.ports if service is not None else ()
        number = next((one.port for one in ports if one.name == backend.port.name), None)
        if service is None:
            message = f"there is no Service {ingress.namespace}/{backend.name}"
            self._tell("ING-002", ingress, f"{backend.at}.name", message)
        elif number is None:
            names = ", ".join(one.name for one in ports if one.name) or "none with a name"
            message = f"the Service {ingress.namespace}/{backend.name} has no port {backend.port.name!r}"
            self._tell("ING-002", ingress, f"{backend.port.at}.name", message, hint=f"It has {names}.")
        return number

    def _default(self, ingress: Ingress) -> None:
        self._tell(
            "ING-001",
            ingress,
            "spec.defaultBackend",
            "the default backend is not served, as in Istio",
            Severity.WARNING,
            "Write a rule without a host and with the path / (Prefix) for it.",
        )

    def _not_ours(self, ingress: Ingress, name: str) -> None:
        served = OUR_CLASS if name == self.mesh.ingress_class else self.mesh.ingress_class
        what = f"it is of the class {name}" if name else "it names no class"
        self._tell(
            "ING-003",
            ingress,
            "spec.ingressClassName",
            f"{what}: it takes no part",
            Severity.INFO,
            f"Write ingressClassName: {served} for an Ingress that is served here.",
        )

    def _tell(
        self,
        code: str,
        ingress: Ingress,
        at: str,
        message: str,
        severity: Severity = Severity.ERROR,
        hint: str = "",
    ) -> None:
        self.problems.append(
            Problem(severity=severity, code=code, resource=ingress.ref, field=at, message=message, hint=hint)
        )


def _service(host: str, of: _Host) -> HostOfIngresses:
    return HostOfIngresses(
        meta=Metadata(
            name=f"{host}-{of.first.name}-istio-ingressgateway",
            namespace=of.first.namespace,
            creation_timestamp=of.first.meta.creation_timestamp,
        ),
        ref=of.first.ref,
        spec=VirtualServiceSpec(
            hosts=(host,),
            gateways=tuple(of.gateways),
            export_to=("*",),
            http=tuple(sorted(of.rules, key=_precedence)),
        ),
    )


def _precedence(rule: HTTPRoute) -> tuple[int, bool]:
    """Longer paths first; of two of one length, the exact one. The rest as it is written, the oldest Ingress first."""
    uri = rule.match[0].uri if rule.match else None
    written = _written(uri) if uri else ""
    return (-len(written), uri is None or uri.exact is None)


def _written(uri: StringMatch) -> str:
    """The path that a match was made of."""
    if uri.exact is not None:
        return uri.exact
    return uri.prefix if uri.prefix is not None else _unquoted(uri.regex or "")


def _uri(path: HTTPIngressPath) -> StringMatch | None:
    """None where any path does. A beginning ends at a slash: /a is no beginning of /ab."""
    written = path.path
    if path.path_type == "Exact":
        return StringMatch(exact=written)
    if path.path_type != "Prefix":
        if written in _ANY_PATH:
            return None
        if not written.endswith((".*", "/*")):
            return StringMatch(exact=written)
        written = written[:-2]
    if written in ("", "/"):
        return StringMatch(prefix="/")
    return StringMatch(regex=f"{_quoted(written.removesuffix('/'))}{_BELOW}")


_BELOW = "(?:/.*)?"


def _quoted(text: str) -> str:
    """`text` in RE2, which takes a backslash before signs of ASCII alone."""
    return "".join(one if not one.isascii() or one.isalnum() or one in "/-_" else f"\\{one}" for one in text)


def _unquoted(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern.removesuffix(_BELOW))


def _selector(mesh: MeshConfig) -> Mapping[str, str]:
    """The labels of the gateways that serve Ingresses."""
    if mesh.ingress_selector not in ("", DEFAULT_MESH.ingress_selector):
        return {"istio": mesh.ingress_selector}
    if mesh.ingress_service not in ("", DEFAULT_MESH.ingress_service):
        return {"istio": mesh.ingress_service.rpartition("/")[2]}
    return {"istio": DEFAULT_MESH.ingress_selector}
