"""The whole of resolving: World -> Model of one gateway, its parts in a row."""

from collections.abc import Iterable, Iterator

from mizzen.errors import Problem, Severity
from mizzen.model import GatewayName, Model
from mizzen.model.backend import Backend
from mizzen.model.listener import Listener, TcpService
from mizzen.model.route import Forward, RouteTable
from mizzen.model.tls import MESH_ROOTS, WORKLOAD, ClientTls, ServerTls
from mizzen.resolve.authorization import authorization, check_authorization
from mizzen.resolve.backends import backends
from mizzen.resolve.context import Context
from mizzen.resolve.destinations import Indexes
from mizzen.resolve.edge import access_logs, edge
from mizzen.resolve.listeners import Common, listeners, tls_key
from mizzen.resolve.mirrors import mirrored
from mizzen.resolve.policies import policy_index
from mizzen.resolve.proxies import declared_gateways, own_config
from mizzen.resolve.references import check_references
from mizzen.resolve.routes import route_tables
from mizzen.resolve.secrets import secret_resources
from mizzen.resolve.servers import merged_servers, selects
from mizzen.resolve.services import service_index
from mizzen.resolve.tls import server_tls
from mizzen.resolve.tokens import token_rules
from mizzen.resolve.tracing import tracing


def resolve(ctx: Context) -> Model:
    """What the gateway of `ctx` shall do. Everything wrong is reported; nothing is raised."""
    _report_gateways(ctx)
    check_authorization(ctx)
    merged = merged_servers(ctx)
    tls = {tls_key(s): server_tls(ctx, s) for s in merged if s.kind in {"https", "tls"}}
    servers = tuple(s for s in merged if s.kind != "https" or tls[tls_key(s)] is not None)
    services = service_index(ctx)
    policies = policy_index(ctx, services)
    indexes = Indexes(services, policies)
    check_references(ctx, servers, indexes)
    mirrors = mirrored(ctx, merged, tls)
    tracer, collectors = tracing(ctx)
    found = listeners(
        ctx,
        servers,
        tls,
        mirrors.route_tables,
        Common(
            edge=edge(ctx, tracer),
            access_logs=access_logs(ctx),
            tokens=token_rules(ctx),
            http_access=authorization(ctx, http=True),
            tcp_access=authorization(ctx, http=False),
        ),
        indexes,
    )
    tables = route_tables(ctx, servers, indexes)
    upstream = (*backends(ctx, services, policies, frozenset(_backends_of(tables, found))), *collectors)
    certificates, trusted_cas = secret_resources(ctx, frozenset(_secrets_of(found, upstream)))
    return Model(
        gateway=GatewayName(ctx.proxy.key),
        listeners=found,
        route_tables=tuple(sorted(tables, key=lambda table: table.name)),
        backends=tuple(sorted(upstream, key=lambda backend: backend.name)),
        certificates=certificates,
        trusted_cas=trusted_cas,
        announcements=tuple(sorted(mirrors.announcements, key=lambda one: one.name)),
        mirrors=tuple(sorted(mirrors.mirrors, key=lambda mirror: mirror.server)),
    )


def _backends_of(tables: Iterable[RouteTable], found: Iterable[Listener]) -> Iterator[str]:
    """The names of every backend that a route or a chain passes traffic to."""
    for table in tables:
        for host in table.hosts:
            for route in host.routes:
                if isinstance(route.action, Forward):
                    yield from (target.backend for target in route.action.to)
                    yield from (copy.backend for copy in route.action.copies)
    for listener in found:
        for chain in listener.chains:
            if isinstance(chain.serve, TcpService):
                yield from (target.backend for target in chain.serve.to)


def _secrets_of(found: Iterable[Listener], upstream: Iterable[Backend]) -> Iterator[str]:
    """The SDS names of every certificate and CA that somebody asks for."""
    for listener in found:
        for chain in listener.chains:
            if chain.tls is not None:
                yield from _names(chain.tls)
    for backend in upstream:
        if backend.tls is not None:
            yield from _names(backend.tls)


def _names(tls: ServerTls | ClientTls) -> Iterator[str]:
    """Without those of the mesh, which do not come from Secrets."""
    certificates = tls.certificates if isinstance(tls, ServerTls) else (tls.certificate,)
    ca = tls.verification.ca if tls.verification else None
    for name in (*certificates, ca):
        if name is not None and name not in (WORKLOAD, MESH_ROOTS):
            yield name


def _report_gateways(ctx: Context) -> None:
    """Gateways that nobody serves, and what is wrong with this gateway's own configuration."""
    declared = declared_gateways(ctx.world)
    for gateway in declared:
        if (gateway.name, gateway.namespace) == (ctx.proxy.name, ctx.proxy.namespace):
            for problem in own_config(gateway)[1]:
                ctx.report(problem)
    scoped = ctx.switches.scope_gateway_to_namespace
    for wanted in ctx.world.gateways:
        if not any(selects(wanted, dict(one.labels), one.namespace, scoped) for one in declared):
            labels = ", ".join(f"{key}={value}" for key, value in sorted(wanted.spec.selector.items()))
            ctx.report(
                Problem(
                    severity=Severity.WARNING,
                    code="GW-005",
                    resource=wanted.ref,
                    field="spec.selector",
                    message=f"no gateway has the labels {labels}",
                    hint=f"There is {'; '.join(_shown(dict(one.labels)) for one in declared)}.",
                )
            )


def _shown(labels: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
