"""The whole of resolving: World -> Model of one gateway, its parts in a row."""

from collections.abc import Mapping
from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.model import GatewayName, Model
from mizzen.model.backend import Backend
from mizzen.model.listener import Listener, Tracer
from mizzen.model.tls import ServerTls
from mizzen.persistent import PersistentMap
from mizzen.resolve.attach import attached
from mizzen.resolve.authorization import authorization, check_authorization, index_hosts_of_any_case
from mizzen.resolve.backends import backends
from mizzen.resolve.closing import closed
from mizzen.resolve.context import Context, grouped, mapped, step
from mizzen.resolve.destinations import Indexes
from mizzen.resolve.edge import access_logs, edge
from mizzen.resolve.listeners import Common, listeners, tls_key
from mizzen.resolve.mirrors import Mirrored, mirrored
from mizzen.resolve.owners import Owners
from mizzen.resolve.parts import backends_of_chains, secrets_of_backend, secrets_of_chains
from mizzen.resolve.policies import policy_index
from mizzen.resolve.proxies import declared_gateways, own_config
from mizzen.resolve.references import check_references
from mizzen.resolve.routes import Layout, route_tables
from mizzen.resolve.secrets import secret_resources
from mizzen.resolve.servers import MergedServer, merged_and_lost, selects
from mizzen.resolve.services import service_index
from mizzen.resolve.shared_certificates import check_shared_certificates
from mizzen.resolve.tls import server_tls
from mizzen.resolve.tokens import token_rules
from mizzen.resolve.tracing import tracing


def resolve(ctx: Context) -> Model:
    """What the gateway of `ctx` shall do. Everything wrong is reported.

    What raises while one object is worked on is reported too, and what stands in its place closes; a fault that
    is nobody's is raised. Each part is a step that is remembered in `ctx.steps`; this is the root of them all.
    """
    _report_gateways(ctx)
    _check_authorization(ctx)
    index_hosts_of_any_case(ctx)
    services = service_index(ctx)
    policies = policy_index(ctx, services)
    indexes = Indexes(services, policies, attached(ctx))
    ctx.steps.views["indexes"] = indexes
    servers, _ = _taking_part(ctx)
    check_references(ctx, servers)
    _check_shared_certificates(ctx)
    listeners, owned = _listeners(ctx)
    mirrors = _mirrored(ctx)
    tables, used = route_tables(ctx, _layout(ctx), owned)
    _, collectors = _tracing(ctx)
    by_chains = {name: True for name in backends_of_chains(listeners) if name not in used}
    made = backends(ctx, services, used.updated(by_chains))
    upstream = made.updated({backend.name: backend for backend in collectors})
    names = _secret_names(ctx, listeners, upstream)
    certificates, trusted_cas = secret_resources(ctx, names)
    model = Model(
        gateway=GatewayName(ctx.proxy.key),
        listeners=listeners,
        route_tables=ctx.steps.stable("route tables", tables),
        backends=upstream,
        certificates=certificates,
        trusted_cas=trusted_cas,
        announcements=tuple(sorted(mirrors.announcements, key=lambda one: one.name)),
        mirrors=tuple(sorted(mirrors.mirrors, key=lambda mirror: mirror.server)),
    )
    return closed(ctx, model)


_Servers = tuple[MergedServer, ...]


@step
def _check_authorization(ctx: Context) -> None:
    check_authorization(ctx)


@step
def _server_tls(ctx: Context) -> PersistentMap[str, ServerTls | None]:
    """The TLS of servers that end it, by `tls_key`; None where it cannot be set up."""
    merged, _ = merged_and_lost(ctx)
    ending = PersistentMap((tls_key(server), server) for server in merged if server.kind in {"https", "tls"})
    return mapped(ctx, _tls_of, ending)


def _tls_of(ctx: Context, _: str, server: MergedServer) -> ServerTls | None:
    return attempt(Stage.RESOLVE, server.ref, partial(server_tls, ctx, server), ctx.report, None, server.at)


@step
def _taking_part(ctx: Context) -> tuple[_Servers, _Servers]:
    """The servers that take part, and those that do not."""
    merged, lost = merged_and_lost(ctx)
    tls = _server_tls(ctx)
    servers: list[MergedServer] = []
    without: list[MergedServer] = []
    for server in merged:
        is_without = server.kind == "https" and tls[tls_key(server)] is None
        (without if is_without else servers).append(server)
    return tuple(servers), (*lost, *without)


@step
def _layout(ctx: Context) -> Layout:
    return Layout.of(_taking_part(ctx)[0])


@step
def _check_shared_certificates(ctx: Context) -> None:
    check_shared_certificates(ctx, _taking_part(ctx)[0], _server_tls(ctx))


@step
def _mirrored(ctx: Context) -> Mirrored:
    return mirrored(ctx, merged_and_lost(ctx)[0], _server_tls(ctx))


@step
def _tracing(ctx: Context) -> tuple[Tracer | None, tuple[Backend, ...]]:
    return tracing(ctx)


@step
def _common(ctx: Context) -> Common:
    return Common(
        edge=edge(ctx, _tracing(ctx)[0]),
        access_logs=access_logs(ctx),
        tokens=token_rules(ctx),
        http_access=authorization(ctx, http=True),
        tcp_access=authorization(ctx, http=False),
    )


@step
def _listeners(ctx: Context) -> tuple[tuple[Listener, ...], Mapping[str, Owners]]:
    servers, lost = _taking_part(ctx)
    with_mirror = _mirrored(ctx).route_tables
    indexes: Indexes = ctx.steps.views["indexes"]
    return listeners(ctx, servers, lost, _server_tls(ctx), with_mirror, _common(ctx), indexes)


def _secret_names(
    ctx: Context, found: tuple[Listener, ...], upstream: PersistentMap[str, Backend]
) -> frozenset[str]:
    """The SDS names that somebody asks for."""
    return frozenset((*secrets_of_chains(found), *grouped(ctx, _secrets_of, upstream)))


def _secrets_of(_: Context, __: str, backend: Backend) -> Mapping[str, bool]:
    return dict.fromkeys(secrets_of_backend(backend), True)


@step
def _report_gateways(ctx: Context) -> None:
    """Gateways that nobody serves, and what is wrong with this gateway's own configuration."""
    attempt(Stage.RESOLVE, ctx.proxy.origin, partial(_report_unserved, ctx), ctx.report, None)


def _report_unserved(ctx: Context) -> None:
    in_pods = bool(ctx.proxy.instances)
    declared = () if in_pods else declared_gateways(ctx.world)
    for gateway in declared:
        if (gateway.name, gateway.namespace) == (ctx.proxy.name, ctx.proxy.namespace):
            for problem in own_config(gateway)[1]:
                ctx.report(problem)
    there: list[tuple[Mapping[str, str], str]] = [(one.labels, one.namespace) for one in declared]
    if in_pods:  # any Pod may be a gateway, also one that another replica serves
        there = [(one.meta.labels, one.namespace) for one in ctx.world.pods]
    shown = there if not in_pods else [(ctx.proxy.labels, ctx.proxy.namespace)]
    scoped = ctx.switches.scope_gateway_to_namespace
    for wanted in ctx.world.gateways:
        if not any(selects(wanted, dict(labels), namespace, scoped) for labels, namespace in there):
            labels = ", ".join(f"{key}={value}" for key, value in sorted(wanted.spec.selector.items()))
            ctx.report(
                Problem(
                    severity=Severity.WARNING,
                    code="GW-005",
                    resource=wanted.ref,
                    field="spec.selector",
                    message=f"no gateway has the labels {labels}",
                    hint=f"There is {'; '.join(_shown(own) for own, _ in shown)}.",
                )
            )


def _shown(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
