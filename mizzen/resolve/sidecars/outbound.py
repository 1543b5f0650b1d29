"""The outbound side of a sidecar: what its application may reach through it, and the routes on the way.

Nobody redirects connections on a plain machine: the application connects to the ports that a Sidecar's
`egress` opens, or uses the mesh's `proxyHttpPort` as its HTTP proxy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.listener import Chain, Edge, HttpService, Listener, TcpService, Transport
from mizzen.model.route import NO_CHANGES, Forward, Host, Route, RouteMatch, RouteTable, Weighted
from mizzen.model.telemetry import AccessLog
from mizzen.persistent import by_name
from mizzen.resolve.context import Context
from mizzen.resolve.gateways.attach import MESH, gateway_keys, hosts_of, is_visible
from mizzen.resolve.hosts import overlap, specificity_key
from mizzen.resolve.listeners.tracing import trace_headers
from mizzen.resolve.names import DOMAIN, backend_name
from mizzen.resolve.routes.actions import Actions
from mizzen.resolve.routes.delegates import rules_of
from mizzen.resolve.routes.header_changes import telling_operation
from mizzen.resolve.routes.redirects import Where
from mizzen.resolve.routes.retries import retry
from mizzen.resolve.routes.rules import failing, ordered, routes_of
from mizzen.resolve.services.destinations import GRPC, Indexes
from mizzen.resolve.services.services import MeshPort, MeshService, ServiceIndex, named_protocol
from mizzen.resolve.sidecars.workload_ports import sidecar_of
from mizzen.resources.istio.sidecar import EgressListener
from mizzen.resources.istio.virtual_service import VirtualService
from mizzen.resources.rules.host_names import folded

CODES = {
    "SC-004": "An egress listener carries bytes, and its hosts are not exactly one service with that port.",
}

_HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-Web", ""})
_LOOPBACK = "127.0.0.1"
HTTP_PROXY = "http_proxy"  # Istio's name of the routes behind proxyHttpPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """What the application may use."""

    listeners: tuple[Listener, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()


def outbound(ctx: Context, indexes: Indexes, edge: Edge, logs: tuple[AccessLog, ...]) -> Outbound:
    """Every port that the application may connect to. Applications are not at the edge of the mesh."""
    maker = OutboundMaker(ctx, indexes, replace(edge, remote_address=False, server_header=None), logs)
    sidecar = sidecar_of(ctx)
    made: list[tuple[Listener, RouteTable | None]] = []
    ref = sidecar.ref if sidecar else ctx.proxy.origin
    for egress in sidecar.spec.egress if sidecar else ():
        if egress.port is not None:
            found = maker.egress(egress, ref)
            made += [found] if found else []
    if ctx.mesh.proxy_http_port:
        wanted = [host for one in (sidecar.spec.egress if sidecar else ()) for host in one.hosts]
        made.append(maker.http_proxy(ctx.mesh.proxy_http_port, tuple(wanted) or ("*/*",)))
    return Outbound(
        listeners=tuple(listener for listener, _ in made),
        route_tables=tuple(table for _, table in made if table is not None),
    )


def allowed(ctx: Context, services: ServiceIndex, hosts: Iterable[str]) -> Iterator[MeshService]:
    """The services that "NAMESPACE/HOST" patterns let a workload reach; "." is its own namespace."""
    patterns = [host.partition("/") for host in hosts]
    for service in services.all:
        for namespace, slash, host in patterns:
            if not slash:
                namespace, host = "*", namespace  # the short form
            own = ctx.proxy.namespace if namespace == "." else namespace
            if own in ("*", service.namespace) and overlap(host, service.host):
                yield service
                break


@dataclass(frozen=True, slots=True)
class OutboundMaker:
    """Makes listeners and routes for what applications send."""

    ctx: Context
    indexes: Indexes
    edge: Edge
    logs: tuple[AccessLog, ...]

    def egress(self, egress: EgressListener, ref: ResourceRef) -> tuple[Listener, RouteTable | None] | None:
        """One port of a Sidecar; None, and a problem, when it cannot be."""
        assert egress.port is not None
        number = egress.port.number
        bind = egress.bind or _LOOPBACK
        protocol = named_protocol(egress.port.protocol.lower())
        ports = [
            (service, port)
            for service in allowed(self.ctx, self.indexes.services, egress.hosts)
            for port in service.ports
            if port.number == number and port.protocol != "UDP"
        ]
        if protocol in _HTTP:
            name = f"{number}" if bind == _LOOPBACK else f"{bind}_{number}"
            return self._listener(bind, number, self._http(bind, number, name), ref), self.table(
                name, ports, ref
            )
        if len(ports) != 1:
            self.ctx.report(
                Problem(
                    code="SC-004",
                    resource=ref,
                    field=f"{egress.at}.hosts",
                    message=f"{len(ports)} services with port {number} are meant, and bytes go to one",
                    hint="Name one service whose port this is, or use another port for each.",
                )
            )
            return None
        service, port = ports[0]
        name = backend_name(port.number, "", service.host)
        passed = TcpService(to=(Weighted(backend=name),), stat_prefix=name)
        return self._listener(bind, number, passed, ref), None

    def http_proxy(self, number: int, hosts: tuple[str, ...]) -> tuple[Listener, RouteTable]:
        """The port that applications name as their HTTP proxy: every host that they may reach, by its port."""
        ports = [
            (service, port)
            for service in allowed(self.ctx, self.indexes.services, hosts)
            for port in service.ports
            if port.protocol in _HTTP
        ]
        origin = self.ctx.proxy.origin
        serve = self._http(_LOOPBACK, number, HTTP_PROXY)
        return self._listener(_LOOPBACK, number, serve, origin), self.table(HTTP_PROXY, ports, origin)

    def _http(self, bind: str, number: int, table: str) -> HttpService:
        return HttpService(route_table=table, stat_prefix=f"outbound_{bind}_{number};")

    def _listener(
        self, bind: str, number: int, serve: HttpService | TcpService, ref: ResourceRef
    ) -> Listener:
        name = f"{bind}_{number}"
        chain = Chain(name=name, server_names=(), tls=None, serve=serve, origin=ref, at="spec.egress")
        return Listener(
            name=name,
            transport=Transport.TCP,
            address=bind,
            port=number,
            chains=(chain,),
            edge=self.edge,
            access_logs=self.logs,
            log_unmatched=not self.ctx.mesh.disable_envoy_listener_log,
            origin=ref,
        )

    # --- routes -------------------------------------------------------------------------------------

    def table(
        self,
        name: str,
        ports: list[tuple[MeshService, MeshPort]],
        ref: ResourceRef,
        other: Host | None = None,
    ) -> RouteTable:
        """The hosts of some ports; `other` takes the requests for no host of theirs."""
        hosts: dict[str, Host] = {}
        for service, port in ports:
            closed = Host(
                name=f"{service.host}:{port.number}", domains=self._domains(service, port), routes=()
            )
            make = partial(self._host, service, port)
            made = attempt(Stage.RESOLVE, service.ref, make, self.ctx.report, closed)
            hosts.setdefault(made.name, made)
        taken: set[str] = set()
        kept = []
        for made in hosts.values():
            domains = tuple(domain for domain in made.domains if domain not in taken)
            taken.update(domains)
            if domains:
                kept.append(replace(made, domains=domains))
        kept += [other] if other else []
        return RouteTable(name=name, hosts=by_name(kept), port_in_domains=True, origin=ref)

    def _host(self, service: MeshService, port: MeshPort) -> Host:
        """The routes of VirtualServices for a service, else the way straight to it."""
        where = Where(MESH, port.number, secure=False)
        actions = Actions(self.ctx, where, self.indexes)
        parts = [
            attempt(
                Stage.RESOLVE,
                one.ref,
                partial(self._routes, one, actions),
                self.ctx.report,
                (failing(RouteMatch(), one.ref, "spec.http"),),
            )
            for one in self._virtual(service.host)
        ]
        routes = ordered(part for part in parts if part)
        return Host(
            name=f"{service.host}:{port.number}",
            domains=self._domains(service, port),
            routes=routes or (self._straight(service, port),),
        )

    def _routes(self, one: VirtualService, actions: Actions) -> tuple[Route, ...]:
        return routes_of(one, rules_of(self.ctx, one), actions)

    def _virtual(self, host: str) -> list[VirtualService]:
        """The VirtualServices of the mesh for a host: those of the most specific host alone, as in Istio."""
        found: dict[str, list[VirtualService]] = {}
        for one in self.ctx.world.virtual_services:
            if MESH not in gateway_keys(one) or not is_visible(self.ctx, one, self.ctx.proxy.namespace):
                continue
            for name in hosts_of(one):
                if overlap(name, folded(host)):
                    found.setdefault(name, []).append(one)
        if not found:
            return []
        return found[min(found, key=specificity_key)][:1]

    def _straight(self, service: MeshService, port: MeshPort) -> Route:
        target = Weighted(
            backend=backend_name(port.number, "", (service.host, *self.indexes.services.behind(service))[-1])
        )
        hashed = self.indexes.policies.hash_on(service.host, service.namespace, "", port.number)
        policy = retry(None, self.ctx.mesh.default_http_retry_policy, keeps_to_one=hashed is not None)
        operation = f"{service.host}:{port.number}/*"
        tells = trace_headers(self.ctx) is not None
        return Route(
            name="default",
            match=RouteMatch(),
            action=Forward(
                to=(target,),
                timeout=None,
                retry=policy,
                hash_on=(hashed,) if hashed is not None else (),
                grpc=GRPC.get(port.protocol),
            ),
            headers=telling_operation(NO_CHANGES, operation) if tells else NO_CHANGES,
            operation=operation,
            origin=service.ref,
            at="spec.ports",
        )

    def _domains(self, service: MeshService, port: MeshPort) -> tuple[str, ...]:
        """Every name by which an application may ask, with and without the port."""
        names = [service.host.lower()]
        if service.kubernetes is not None:
            short = [f"{service.name}.{service.namespace}", f"{service.name}.{service.namespace}.svc"]
            if service.namespace == self.ctx.proxy.namespace:
                short.append(service.name)
            names += [name for name in short if not name.endswith(f".{DOMAIN}")]
            names += [ip for ip in service.kubernetes.spec.cluster_ips if ip != "None"]
        return tuple(form for name in names for form in (name, f"{name}:{port.number}"))
