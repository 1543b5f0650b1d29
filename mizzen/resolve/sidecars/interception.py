"""Sidecars of Pods: the kernel redirects all that goes in (to 15006) and out (to 15001), as in Istio."""

from collections.abc import Iterator
from dataclasses import replace

from mizzen.model.backend import BLACK_HOLE, Backend, Discovery
from mizzen.model.listener import Chain, Edge, HttpService, Listener, TcpService, Transport
from mizzen.model.route import Forward, Host, Respond, Route, RouteMatch, Weighted
from mizzen.model.telemetry import AccessLog
from mizzen.resolve.access.authorization import authorization
from mizzen.resolve.context import Context
from mizzen.resolve.names import backend_name
from mizzen.resolve.services.destinations import Indexes
from mizzen.resolve.services.peer_modes import peer_mode
from mizzen.resolve.services.services import MeshPort, MeshService
from mizzen.resolve.sidecars.inbound import PASSED_ON_FROM, SERVE_TCP, inbound_chains
from mizzen.resolve.sidecars.outbound import Outbound, OutboundMaker, allowed
from mizzen.resolve.sidecars.workload_ports import InboundPort, sidecar_of
from mizzen.resolve.tls.identity import ALPN_HTTP, ALPN_TCP, mesh_server

INBOUND, OUTBOUND = "virtualInbound", "virtualOutbound"
INBOUND_PORT, OUTBOUND_PORT = 15006, 15001
INBOUND_PASSTHROUGH, PASSTHROUGH = "InboundPassthroughCluster", "PassthroughCluster"
_HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-Web"})
_PLAIN_HTTP = ("http/1.0", "http/1.1", "h2c")
_ANY = "0.0.0.0"


def passthroughs(ctx: Context) -> tuple[Backend, ...]:
    """Where connections go that nobody routes: on to where they were going."""
    origin = ctx.proxy.origin
    inbound = Backend(
        name=INBOUND_PASSTHROUGH,
        discovery=Discovery.CONNECTION,
        service=None,
        source=PASSED_ON_FROM,
        origin=origin,
    )
    return inbound, Backend(name=PASSTHROUGH, discovery=Discovery.CONNECTION, service=None, origin=origin)


# --- in ---------------------------------------------------------------------------------------------


def virtual_inbound(
    ctx: Context, ports: tuple[InboundPort, ...], edge: Edge, logs: tuple[AccessLog, ...]
) -> Listener:
    """All that comes in: each known port as its PeerAuthentication says, the others passed on."""
    chains = [_bytes(ctx, "virtualInbound-blackhole", BLACK_HOLE, INBOUND_PORT)]  # else it would loop
    for port in ports:
        mode = peer_mode(ctx, ctx.proxy.namespace, ctx.proxy.labels, port.number)
        chains += [replace(chain, destination_port=port.number) for chain in inbound_chains(ctx, port, mode)]
    chains += _unknown_ports(ctx)
    return Listener(
        name=INBOUND,
        transport=Transport.TCP,
        address=_ANY,
        port=INBOUND_PORT,
        chains=tuple(chains),
        edge=edge,
        access_logs=logs,
        log_unmatched=not ctx.mesh.disable_envoy_listener_log,
        inbound=True,
        redirected=True,
        origin=ctx.proxy.origin,
    )


def _unknown_ports(ctx: Context) -> Iterator[Chain]:
    """Ports of no Service: bytes, for whoever may connect at all."""
    mode = peer_mode(ctx, ctx.proxy.namespace, ctx.proxy.labels, 0)
    access = authorization(ctx, http=False)
    plain = _bytes(ctx, "virtualInbound-plain", INBOUND_PASSTHROUGH)
    assert isinstance(plain.serve, TcpService)
    plain = replace(plain, transport_protocol="raw_buffer", serve=replace(plain.serve, access=access))
    if mode != "DISABLE":
        yield replace(
            plain,
            name="virtualInbound-mtls",
            transport_protocol="tls",
            application_protocols=(*ALPN_TCP, *ALPN_HTTP) if mode == "PERMISSIVE" else (),
            tls=mesh_server(ctx, SERVE_TCP),
        )
    if mode != "STRICT":
        yield plain
        yield replace(plain, name="virtualInbound-tls", transport_protocol="tls")


def _bytes(ctx: Context, name: str, backend: str, destination_port: int | None = None) -> Chain:
    return Chain(
        name=name,
        server_names=(),
        destination_port=destination_port,
        tls=None,
        serve=TcpService(to=(Weighted(backend=backend),), stat_prefix=backend),
        origin=ctx.proxy.origin,
        at="",
    )


# --- out --------------------------------------------------------------------------------------------


def virtual_outbound(ctx: Context, indexes: Indexes, edge: Edge, logs: tuple[AccessLog, ...]) -> Outbound:
    """All that goes out: HTTP by port and host, bytes by address, and what nobody knows as the mesh says."""
    meeting = replace(edge, remote_address=False, server_header=None)
    maker = OutboundMaker(ctx, indexes, meeting, logs)
    by_port: dict[int, list[tuple[MeshService, MeshPort]]] = {}
    listeners = [_catch_all(ctx, meeting, logs)]
    for service in _reachable(ctx, indexes):
        for port in service.ports:
            if port.protocol in _HTTP or not port.protocol:
                by_port.setdefault(port.number, []).append((service, port))
            elif port.protocol != "UDP":
                listeners += _by_address(ctx, service, port, meeting, logs)
    tables = []
    for number, ports in sorted(by_port.items()):
        tables.append(maker.table(str(number), ports, ctx.proxy.origin, _elsewhere(ctx)))
        declared = all(port.protocol for _, port in ports)
        listeners.append(_http_port(ctx, number, meeting, logs, declared=declared))
    unique = {one.name: one for one in reversed(listeners)}
    return Outbound(listeners=tuple(unique.values()), route_tables=tuple(tables))


def _reachable(ctx: Context, indexes: Indexes) -> tuple[MeshService, ...]:
    """The services that the workload's Sidecar lets it see; without one, all."""
    sidecar = sidecar_of(ctx)
    patterns = [host for one in (sidecar.spec.egress if sidecar else ()) for host in one.hosts]
    return tuple(allowed(ctx, indexes.services, patterns or ["*/*"]))


def _elsewhere_to(ctx: Context) -> str:
    """Where what nobody knows goes: on, or nowhere (REGISTRY_ONLY)."""
    sidecar = sidecar_of(ctx)
    own = sidecar.spec.outbound_traffic_policy if sidecar else None
    mode = own.mode if own else ctx.mesh.outbound_traffic_policy.mode
    return PASSTHROUGH if mode == "ALLOW_ANY" else BLACK_HOLE


def _listener(
    ctx: Context, address: str, port: int, chains: tuple[Chain, ...], edge: Edge, logs: tuple[AccessLog, ...]
) -> Listener:
    """One that gets what the catch-all hands over."""
    return Listener(
        name=f"{address}_{port}",
        transport=Transport.TCP,
        address=address,
        port=port,
        chains=chains,
        edge=edge,
        access_logs=logs,
        log_unmatched=not ctx.mesh.disable_envoy_listener_log,
        bound=False,
        origin=ctx.proxy.origin,
    )


def _catch_all(ctx: Context, edge: Edge, logs: tuple[AccessLog, ...]) -> Listener:
    """Gets every connection first, and keeps those that no other listener is for."""
    loop = _bytes(ctx, "virtualOutbound-blackhole", BLACK_HOLE, OUTBOUND_PORT)
    rest = _bytes(ctx, OUTBOUND, _elsewhere_to(ctx))
    found = _listener(ctx, _ANY, OUTBOUND_PORT, (loop, rest), edge, logs)
    return replace(found, name=OUTBOUND, bound=True, hands_over=True)


def _by_address(
    ctx: Context, service: MeshService, port: MeshPort, edge: Edge, logs: tuple[AccessLog, ...]
) -> Iterator[Listener]:
    """Bytes are told apart by the addresses of their service."""
    if service.kubernetes is not None:
        spec = service.kubernetes.spec
        addresses = [ip for ip in spec.cluster_ips or (spec.cluster_ip,) if ip and ip != "None"]
    else:
        addresses = [ip for entry in service.entries for ip in entry.spec.addresses if "/" not in ip]
    name = backend_name(port.number, "", service.host)
    for address in addresses:
        chain = _bytes(ctx, f"{address}_{port.number}", name)
        yield _listener(ctx, address, port.number, (chain,), edge, logs)


def _http_port(
    ctx: Context, number: int, edge: Edge, logs: tuple[AccessLog, ...], *, declared: bool
) -> Listener:
    """HTTP of every service with that port; where one did not say what it carries, bytes pass too."""
    name = f"{_ANY}_{number}"
    http = Chain(
        name=name,
        server_names=(),
        transport_protocol="" if declared else "raw_buffer",
        application_protocols=() if declared else _PLAIN_HTTP,
        tls=None,
        serve=HttpService(route_table=str(number), stat_prefix=f"outbound_{name};"),
        origin=ctx.proxy.origin,
        at="",
    )
    chains = (http,) if declared else (http, _bytes(ctx, f"{name}-bytes", _elsewhere_to(ctx)))
    return _listener(ctx, _ANY, number, chains, edge, logs)


def _elsewhere(ctx: Context) -> Host:
    """Istio's last host of a table: requests for a host that nobody knows."""
    action: Forward | Respond
    if _elsewhere_to(ctx) == PASSTHROUGH:
        name, action = "allow_any", Forward(to=(Weighted(backend=PASSTHROUGH),), timeout=None)
    else:
        name, action = "block_all", Respond(status=502)
    route = Route(name=name, match=RouteMatch(), action=action, origin=ctx.proxy.origin, at="")
    return Host(name=name, domains=("*",), routes=(route,), count_attempts=False)
