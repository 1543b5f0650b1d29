"""The whole of resolving: World -> Model of one gateway, its parts in a row."""

from collections.abc import Mapping

from mizzen.model import GatewayName, Model
from mizzen.model.backend import Backend
from mizzen.persistent import PersistentMap
from mizzen.resolve.access.access_policies import access_policies
from mizzen.resolve.access.authorization import index_hosts_of_any_case
from mizzen.resolve.access.closing import closed
from mizzen.resolve.access.key_sources import publish_key_sets
from mizzen.resolve.access.module_sources import publish_modules
from mizzen.resolve.access.policy_checks import check_authorization, check_connections
from mizzen.resolve.checks.for_nobody import check_for_nobody
from mizzen.resolve.checks.references import check_references
from mizzen.resolve.checks.selectors import check_gateways
from mizzen.resolve.context import Context, grouped
from mizzen.resolve.gateways.attach import attached
from mizzen.resolve.http3_policies import check_policies, publish_policies
from mizzen.resolve.listeners.access_logs import access_logging
from mizzen.resolve.listeners.collectors import backends_of, wanted_by
from mizzen.resolve.listeners.connection_ids import connection_id_keys
from mizzen.resolve.listeners.held_open import held_open
from mizzen.resolve.listeners.lingering import publish_lingering
from mizzen.resolve.listeners.shedding import shed, shedding
from mizzen.resolve.listeners.stages import (
    check_sharing,
    common,
    listening,
    mirrored_servers,
    secrets_of_servers,
)
from mizzen.resolve.listeners.tracing import tracing
from mizzen.resolve.parts import backends_of_access, backends_of_chains, secrets_of_backend
from mizzen.resolve.routes.tables import route_tables
from mizzen.resolve.services.backends import backends
from mizzen.resolve.services.destinations import Indexes
from mizzen.resolve.services.policies import policy_index
from mizzen.resolve.services.services import service_index
from mizzen.resolve.tls.secrets import secret_resources


def resolve(ctx: Context) -> Model:
    """What the gateway of `ctx` shall do. Everything wrong is reported.

    What raises while one object is worked on is reported too, and what stands in its place closes; a fault that
    is nobody's is raised. Each part is a step that is remembered in `ctx.steps`; this is the root of them all.
    """
    check_gateways(ctx)
    check_for_nobody(ctx)
    check_policies(ctx)
    publish_key_sets(ctx)
    publish_modules(ctx)
    publish_lingering(ctx)
    publish_policies(ctx)
    index_hosts_of_any_case(ctx)
    services = service_index(ctx)
    policies = policy_index(ctx, services)
    indexes = Indexes(services, policies, attached(ctx))
    ctx.steps.views["indexes"] = indexes
    check_authorization(ctx)
    check_references(ctx)
    check_sharing(ctx)
    listeners, _ = listening(ctx)
    mirrors = mirrored_servers(ctx)
    tables, used = route_tables(ctx)
    passed_on = PersistentMap(dict.fromkeys(backends_of_chains(listeners), True))
    if passed_on:
        check_connections(ctx)
    judging = access_policies(ctx)
    collectors = (*tracing(ctx)[1], *access_logging(ctx, "CLIENT").collectors)
    asked = (*backends_of_access(judging.access), *wanted_by(collectors))
    made = backends(ctx, services, used.updated(dict.fromkeys(asked, True)), passed_on)
    upstream = made.updated({backend.name: backend for backend in backends_of(ctx, collectors, made)})
    names = grouped(ctx, _secrets_of, upstream)
    certificates, trusted_cas = secret_resources(
        ctx, secrets_of_servers(ctx).updated(dict.fromkeys(names, True))
    )
    model = Model(
        gateway=GatewayName(ctx.proxy.key),
        listeners=listeners,
        route_tables=ctx.steps.stable("route tables", tables),
        backends=upstream,
        certificates=certificates,
        trusted_cas=trusted_cas,
        connection_id_keys=connection_id_keys(ctx),
        shedding=shedding(ctx),
        announcements=tuple(sorted(mirrors.announcements, key=lambda one: one.name)),
        access_policies=judging,
        mirrors=tuple(sorted(mirrors.mirrors, key=lambda mirror: mirror.server)),
        scoped=ctx.switches.scoped_routes,
    )
    return shed(ctx, held_open(ctx, closed(ctx, model), common(ctx)))


def _secrets_of(_: Context, __: str, backend: Backend) -> Mapping[str, bool]:
    return dict.fromkeys(secrets_of_backend(backend), True)
