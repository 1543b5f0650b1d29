"""Merged servers -> listeners and their chains: TCP, Unix sockets, and the QUIC mirrors.

A chain's name is its identity: Envoy keeps the connections of chains whose name and content stay.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from functools import partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.authorization import Access
from mizzen.model.listener import Chain, Edge, HttpService, Listener, TcpService, Transport
from mizzen.model.quic import ConnectionIds, QuicTransport
from mizzen.model.route import over_http3
from mizzen.model.telemetry import AccessLog
from mizzen.model.tls import ServerTls
from mizzen.persistent import PersistentMap
from mizzen.resolve.context import Context, mapped
from mizzen.resolve.gateways.owners import Owners, owners
from mizzen.resolve.gateways.servers import MergedServer
from mizzen.resolve.listeners.mirrors import Mirrored, announcement_name, quic_listener_name
from mizzen.resolve.listeners.tcp_routes import (
    MESH_ALPN,
    NOWHERE,
    passthrough_chains,
    sni_services,
    tcp_service,
)
from mizzen.resolve.services.destinations import Indexes
from mizzen.resolve.unix import is_unix

CODES = {
    "GW-011": "No service is for the hosts of an AUTO_PASSTHROUGH server, which does not listen.",
    "GW-012": "A server has nowhere to pass connections on to, and does not listen.",
    "GW-016": "Listeners shall be open to both families of IP, and the gateway has addresses of one.",
    "GW-013": "An SNI is already served on this port; the entry takes no part.",
}

_ALPN_QUIC = ("h3",)
_EVERY_IPV4, _EVERY_IPV6 = "0.0.0.0", "::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every listener of a gateway shares."""

    edge: Edge
    access_logs: tuple[AccessLog, ...]
    tcp_access: tuple[Access, ...] = ()  # who may do what, by connections
    quic: QuicTransport = field(default_factory=QuicTransport)
    connection_ids: ConnectionIds | None = None


def listeners(
    ctx: Context,
    servers: tuple[MergedServer, ...],
    lost: tuple[MergedServer, ...],
    tls: Mapping[str, ServerTls | None],
    mirrored: Mirrored,
    common: Common,
    indexes: Indexes,
) -> tuple[tuple[Listener, ...], Mapping[str, Owners]]:
    """Every listener, sorted by name, and by the name of a TCP listener who has which host there.

    One without a chain is left out. `lost`: servers that take no part. `tls`: by `tls_key`. `mirrored`: which
    have an HTTP/3 mirror. Where all are had over HTTP/3 alone there is no listener for TCP.
    """
    ending = {
        tls_key(server): (server, ends)
        for server in servers
        if server.kind == "https" and (ends := tls.get(tls_key(server))) is not None
    }
    https = mapped(ctx, _https_chain, PersistentMap(ending))
    of_quic = (
        (key, (*made_of, key in mirrored.hosts_off, key in mirrored.early_data))
        for key, made_of in ending.items()
        if key in mirrored.route_tables
    )
    quic_chains = mapped(ctx, _quic_chain, PersistentMap(of_quic))
    by_name = _by_listener(servers)
    left_out = _by_listener(lost)
    twice = _both_families(ctx, by_name)
    found, owned = [], {}
    for name, sharing in by_name.items():
        chains = _tcp_chains(ctx, sharing, tls, https, indexes, common)
        over_tcp = [server for server in sharing if not server.only]
        if chains and over_tcp:
            found.append(_tcp_listener(ctx, name, over_tcp[0], chains, twice.get(name, ()), common))
        owned[name] = owners(sharing, left_out.get(name, ()), chains)
        quic = [s for s in sharing if s.kind == "https" and s.route_table in mirrored.route_tables]
        if quic:
            mirror = _quic_listener(ctx, quic, quic_chains, owned[name], mirrored.hosts_off, common)
            found.append(replace(mirror, also=twice.get(name, ())))
    return tuple(sorted(found, key=lambda listener: listener.name)), owned


def _both_families(ctx: Context, by_name: Mapping[str, list[MergedServer]]) -> Mapping[str, tuple[str, ...]]:
    """The listeners that are open at IPv6 as well (ISTIO_DUAL_STACK): those that are bound to every address of IPv4, where
    nobody asked for that port of IPv6."""
    if not ctx.switches.dual_stack:
        return {}
    if ctx.proxy.families in ("v4", "v6"):
        only = "IPv4" if ctx.proxy.families == "v4" else "IPv6"
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="GW-016",
                resource=ctx.proxy.origin,
                message=f"ISTIO_DUAL_STACK is on, and {ctx.proxy.called} has addresses of {only} alone: so do its listeners",
                hint="Give its machine or Pods addresses of both families, or leave the switch off.",
            )
        )
        return {}
    firsts = {name: sharing[0] for name, sharing in by_name.items()}
    taken = {one.bound_port for one in firsts.values() if one.address == _EVERY_IPV6}
    return {
        name: (_EVERY_IPV6,)
        for name, one in firsts.items()
        if one.address == _EVERY_IPV4
        and one.bound_port not in taken
        and not all(s.bind for s in by_name[name])
    }


def _by_listener(servers: Iterable[MergedServer]) -> dict[str, list[MergedServer]]:
    found: dict[str, list[MergedServer]] = {}
    for server in servers:
        found.setdefault(server.listener_name, []).append(server)
    return found


def tls_key(server: MergedServer) -> str:
    """What the TLS of a server is kept under: its route table, or a name of its own when it has none."""
    return server.route_table or chain_name(server)


def chain_name(server: MergedServer) -> str:
    """A name that stays while the server stays: like a route table, "tls.443.tls.gateway.namespace"."""
    port = server.server.port
    bind = f".{server.bind}" if server.bind else ""
    kind = server.kind
    return f"{kind}.{port.number}.{port.name}.{server.gateway.name}.{server.gateway.namespace}{bind}"


# --- TCP --------------------------------------------------------------------------------------------


def _tcp_listener(
    ctx: Context,
    name: str,
    first: MergedServer,
    chains: tuple[Chain, ...],
    also: tuple[str, ...],
    common: Common,
) -> Listener:
    topology = ctx.proxy.config.gateway_topology
    unix = is_unix(first.bind)
    return Listener(
        name=name,
        transport=Transport.UNIX if unix else Transport.TCP,
        address=first.address,
        port=0 if unix else first.bound_port,
        also=also,
        chains=chains,
        edge=common.edge,
        proxy_protocol=topology is not None and topology.proxy_protocol is not None,
        access_logs=common.access_logs,
        log_unmatched=not ctx.mesh.disable_envoy_listener_log,
        origin=first.ref,
    )


def _tcp_chains(
    ctx: Context,
    sharing: list[MergedServer],
    tls: Mapping[str, ServerTls | None],
    https: Mapping[str, Chain],
    indexes: Indexes,
    common: Common,
) -> tuple[Chain, ...]:
    """The chains of one address. Servers that end TLS have their SNI before any that pass it on."""
    chains: list[Chain] = []
    taken: dict[str, str] = {}  # SNI ("*": any) -> who has it
    http: set[str] = set()
    for server in sharing:
        if server.kind == "http" and server.route_table in http:
            continue
        if server.kind == "https":
            chain = https.get(tls_key(server))
        else:
            make = partial(_own_chain, ctx, server, tls, indexes, common)
            chain = attempt(Stage.RESOLVE, server.ref, make, ctx.report, _refusing(server), server.at)
        if chain is not None:
            chains.append(chain)
            owner = f"Gateway {server.key} ({server.at})"
            taken |= dict.fromkeys(chain.server_names or ("*",), owner)
        if server.kind == "http":
            http.add(server.route_table)
    for server in sharing:
        if server.kind == "passthrough":
            passed = partial(_passthrough, ctx, server, taken, indexes, common)
            chains += attempt(Stage.RESOLVE, server.ref, passed, ctx.report, (), server.at)
    automatic: dict[str, None] = {}  # SNI that AUTO_PASSTHROUGH has a chain for
    for server in sharing:
        if server.kind == "auto_passthrough":
            passed = partial(_auto_passthrough, ctx, server, automatic, indexes, common)
            chains += attempt(Stage.RESOLVE, server.ref, passed, ctx.report, (), server.at)
    return tuple(chains)


_Ending = tuple[MergedServer, ServerTls]


def _https_chain(ctx: Context, _: str, ending: _Ending) -> Chain:
    server, ends = ending
    if server.only:  # nor does a wildcard of another server take its connections
        return _refusing(server)
    make = partial(_ending_chain, server, ends, server.listener_name)
    return attempt(Stage.RESOLVE, server.ref, make, ctx.report, _refusing(server), server.at)


def _quic_chain(_: Context, __: str, ending: tuple[MergedServer, ServerTls, bool, bool]) -> Chain:
    server, ends, has_hosts_off, early_data = ending
    service = _http(server, quic_listener_name(server), announcement_name(server.route_table))
    service = replace(service, early_data=early_data)
    if has_hosts_off:
        service = replace(service, route_table=over_http3(server.route_table))
    return _chain(server, server.route_table, replace(ends, alpn=_ALPN_QUIC), service)


def _ending_chain(server: MergedServer, ends: ServerTls, listener: str) -> Chain:
    service = _http(server, listener, announcement_name(server.route_table))
    return _chain(server, server.route_table, ends, service)


def _refusing(server: MergedServer) -> Chain:
    """What stands for a chain that cannot be made: it takes its connections, and refuses each."""
    refusing = _chain(server, tls_key(server), None, NOWHERE)
    return replace(refusing, server_names=server.server_names if server.kind != "http" else ())


def _own_chain(
    ctx: Context,
    server: MergedServer,
    tls: Mapping[str, ServerTls | None],
    indexes: Indexes,
    common: Common,
) -> Chain | None:
    """The one chain of a server that neither is passthrough nor ends HTTPS; None when it has none."""
    match server.kind:
        case "http":
            return _chain(server, server.route_table, None, _http(server, server.listener_name, None))
        case "tcp" | "tls":
            ends = tls.get(tls_key(server))
            if server.kind == "tls" and ends is None:
                return None
            passed = tcp_service(ctx, server, indexes)
            if passed is None:
                _nowhere(ctx, server, "tcp")
                return None
            passed = replace(passed, access=common.tcp_access)
            return _chain(server, chain_name(server), ends, passed)
    return None


def _chain(server: MergedServer, name: str, tls: ServerTls | None, serve: HttpService | TcpService) -> Chain:
    return Chain(
        name=name,
        server_names=server.server_names if tls is not None else (),
        tls=tls,
        serve=serve,
        origin=server.ref,
        at=server.at,
    )


def _http(server: MergedServer, listener_name: str, announcement: str | None) -> HttpService:
    """Istio names the statistics after the server where it has a name and ends TLS, else the listener."""
    named = server.server.name if server.kind == "https" else ""
    return HttpService(
        route_table=server.route_table,
        stat_prefix=named or f"outbound_{listener_name};",
        grpc_web=server.protocol == "GRPC-WEB",
        announcement=announcement,
        judged=True,
    )


def _passthrough(
    ctx: Context, server: MergedServer, taken: dict[str, str], indexes: Indexes, common: Common
) -> tuple[Chain, ...]:
    """One chain per `tls` match of a VirtualService. Of two that ask for one SNI the later goes whole."""
    found = passthrough_chains(ctx, server, indexes)
    if not found:
        _nowhere(ctx, server, "tls")
    chains = []
    for asked, service, ref, at in found:
        names = sorted({name.lower() for name in asked}) or ["*"]
        names = ["*"] if "*" in names else names
        clash = next((name for name in names if name in taken), "")
        if clash:
            ctx.report(
                Problem(
                    code="GW-013",
                    resource=ref,
                    field=f"{at}.sniHosts",
                    message=f"SNI {clash!r} is already served on {server.listener_name} by {taken[clash]}",
                    hint="An entry with an SNI that is taken goes as a whole; leave that SNI out.",
                )
            )
            continue
        taken |= dict.fromkeys(names, f"{ref} ({at})")
        chains.append(
            Chain(
                name=f"{chain_name(server)}/{ref.namespace}.{ref.name}/{asked[0].lower() if asked else '*'}",
                server_names=() if names == ["*"] else tuple(names),
                tls=None,
                serve=replace(service, access=common.tcp_access),
                origin=ref,
                at=at,
            )
        )
    return tuple(chains)


def _auto_passthrough(
    ctx: Context, server: MergedServer, taken: dict[str, None], indexes: Indexes, common: Common
) -> tuple[Chain, ...]:
    """One chain for each port and subset of the services that the server's hosts cover, by the SNI that the mesh's own
    clients send, and for their TLS alone: who comes with another ALPN is not of the mesh."""
    found = sni_services(ctx, server, indexes)
    if not found:
        _report(
            ctx,
            server,
            "GW-011",
            "hosts",
            f"no service is for its hosts: {server.listener_name} does not open",
        )
    chains = tuple(
        Chain(
            name=f"{chain_name(server)}/{name}",
            server_names=(name.lower(),),  # as Envoy reads what clients send
            application_protocols=MESH_ALPN,
            tls=None,
            serve=replace(service, access=common.tcp_access),
            origin=server.ref,
            at=server.at,
        )
        for name, service in found
        if name not in taken
    )
    taken |= dict.fromkeys(name for name, _ in found)
    return chains


def _nowhere(ctx: Context, server: MergedServer, block: str) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="GW-012",
            resource=server.ref,
            field=server.at,
            message=f"no VirtualService says where connections go, so {server.listener_name} does not "
            "open for this server",
            hint=f"Write a VirtualService with a {block!r} block for this Gateway.",
        )
    )


def _report(ctx: Context, server: MergedServer, code: str, field: str, message: str) -> None:
    at, hint = f"{server.at}.{field}", "Hosts of AUTO_PASSTHROUGH are those of services: *.svc.cluster.local."
    warning = Severity.WARNING
    ctx.report(
        Problem(severity=warning, code=code, resource=server.ref, field=at, message=message, hint=hint)
    )


# --- QUIC -------------------------------------------------------------------------------------------


def _quic_listener(
    ctx: Context,
    sharing: list[MergedServer],
    chains: Mapping[str, Chain],
    owned: Owners,
    hosts_off: Mapping[str, tuple[str, ...]],
    common: Common,
) -> Listener:
    """The mirror of an address: the same servers, route tables, certificates and demands on clients.

    A server without a mirror (one that passes TLS on, above all) is not answered in its stead by the mirror of a
    wildcard around it; nor is a host that is not had over HTTP/3.
    """
    first = sharing[0]
    tables = frozenset(server.route_table for server in sharing)
    named = {name for server in sharing for name in server.server_names}
    off = {host for table in tables for host in hosts_off.get(table, ()) if host not in named}
    return replace(
        mirror_listener(ctx, first.address, first.bound_port, common, first.ref),
        name=quic_listener_name(first),
        chains=tuple(chains[key] for key in map(tls_key, sharing) if key in chains),
        refused=tuple(sorted({*owned.taken_from(tables), *off})),
    )


def mirror_listener(ctx: Context, address: str, port: int, common: Common, origin: ResourceRef) -> Listener:
    """A QUIC listener without chains. Only chains may differ while it lives: nothing else depends on its servers."""
    return Listener(
        name=f"udp_{address}_{port}",
        transport=Transport.QUIC,
        address=address,
        port=port,
        chains=(),
        edge=common.edge,
        access_logs=common.access_logs,
        log_unmatched=not ctx.mesh.disable_envoy_listener_log,
        quic=common.quic,
        connection_ids=common.connection_ids,
        origin=origin,
    )
