"""The whole of resolving: World -> Model of one gateway, its parts in a row."""

from collections.abc import Mapping
from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.model import GatewayName, Model
from mizzen.persistent import by_name
from mizzen.resolve.attach import attached
from mizzen.resolve.authorization import authorization, check_authorization
from mizzen.resolve.backends import backends
from mizzen.resolve.closing import closed
from mizzen.resolve.context import Context
from mizzen.resolve.destinations import Indexes
from mizzen.resolve.edge import access_logs, edge
from mizzen.resolve.listeners import Common, listeners, tls_key
from mizzen.resolve.mirrors import mirrored
from mizzen.resolve.parts import secrets_of, wanted_backends
from mizzen.resolve.policies import policy_index
from mizzen.resolve.proxies import declared_gateways, own_config
from mizzen.resolve.references import check_references
from mizzen.resolve.routes import route_tables
from mizzen.resolve.secrets import secret_resources
from mizzen.resolve.servers import merged_and_lost, selects
from mizzen.resolve.services import service_index
from mizzen.resolve.shared_certificates import check_shared_certificates
from mizzen.resolve.tls import server_tls
from mizzen.resolve.tokens import token_rules
from mizzen.resolve.tracing import tracing


def resolve(ctx: Context) -> Model:
    """What the gateway of `ctx` shall do. Everything wrong is reported.

    What raises while one object is worked on is reported too, and what stands in its place closes; a fault that
    is nobody's is raised.
    """
    attempt(Stage.RESOLVE, ctx.proxy.origin, partial(_report_gateways, ctx), ctx.report, None)
    check_authorization(ctx)
    merged, lost = merged_and_lost(ctx)
    tls = {
        tls_key(s): attempt(Stage.RESOLVE, s.ref, partial(server_tls, ctx, s), ctx.report, None, s.at)
        for s in merged
        if s.kind in {"https", "tls"}
    }
    servers = tuple(s for s in merged if s.kind != "https" or tls[tls_key(s)] is not None)
    lost += tuple(s for s in merged if s.kind == "https" and tls[tls_key(s)] is None)
    services = service_index(ctx)
    policies = policy_index(ctx, services)
    indexes = Indexes(services, policies, attached(ctx))
    check_references(ctx, servers, indexes)
    check_shared_certificates(ctx, servers, tls)
    mirrors = mirrored(ctx, merged, tls)
    tracer, collectors = tracing(ctx)
    found, owned = listeners(
        ctx,
        servers,
        lost,
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
    tables = route_tables(ctx, servers, indexes, owned)
    upstream = (*backends(ctx, services, policies, frozenset(wanted_backends(tables, found))), *collectors)
    certificates, trusted_cas = secret_resources(ctx, frozenset(secrets_of(found, upstream)))
    model = Model(
        gateway=GatewayName(ctx.proxy.key),
        listeners=found,
        route_tables=tuple(sorted(tables, key=lambda table: table.name)),
        backends=by_name(upstream),
        certificates=certificates,
        trusted_cas=trusted_cas,
        announcements=tuple(sorted(mirrors.announcements, key=lambda one: one.name)),
        mirrors=tuple(sorted(mirrors.mirrors, key=lambda mirror: mirror.server)),
    )
    return closed(ctx, model)


def _report_gateways(ctx: Context) -> None:
    """Gateways that nobody serves, and what is wrong with this gateway's own configuration."""
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
