"""The whole of a sidecar: World -> Model."""

from mizzen.model import GatewayName, Model
from mizzen.model.backend import Backend
from mizzen.model.listener import Listener
from mizzen.model.route import RouteTable
from mizzen.persistent import PersistentMap, by_name
from mizzen.resolve.access.access_policies import access_policies
from mizzen.resolve.access.closing import closed
from mizzen.resolve.access.key_sources import publish_key_sets
from mizzen.resolve.access.module_sources import publish_modules
from mizzen.resolve.access.policy_checks import check_authorization
from mizzen.resolve.context import Context, step
from mizzen.resolve.listeners.access_logs import access_logging, access_logs
from mizzen.resolve.listeners.collectors import Collector, backends_of, wanted_by
from mizzen.resolve.listeners.edge import edge
from mizzen.resolve.listeners.tracing import tracing
from mizzen.resolve.parts import backends_of as backends_of_routes
from mizzen.resolve.parts import (
    backends_of_access,
    backends_of_chains,
    secrets_of_backend,
    secrets_of_chains,
)
from mizzen.resolve.services.backends import backends
from mizzen.resolve.services.destinations import Indexes
from mizzen.resolve.services.policies import policy_index
from mizzen.resolve.services.services import service_index
from mizzen.resolve.sidecars.inbound import (
    carries_http,
    inbound_backend,
    inbound_edge,
    inbound_listener,
    inbound_routes,
)
from mizzen.resolve.sidecars.interception import passthroughs, virtual_inbound, virtual_outbound
from mizzen.resolve.sidecars.outbound import outbound
from mizzen.resolve.sidecars.workload_ports import inbound_ports
from mizzen.resolve.tls.secrets import secret_resources


def resolve_sidecar(ctx: Context) -> Model:
    """What the sidecar of `ctx` shall do. Everything wrong is reported; a fault that is nobody's is raised."""
    publish_key_sets(ctx)
    publish_modules(ctx)
    services = service_index(ctx)
    ctx.steps.views["indexes"] = Indexes(services, policy_index(ctx, services))
    listeners, tables, own, has_outbound = _made(ctx)
    upstream = by_name(own)
    judging = access_policies(ctx)
    collectors = _collectors(ctx)
    asked = dict.fromkeys((*backends_of_access(judging.access), *wanted_by(collectors)), True)
    if has_outbound or asked:
        routes = (route for table in tables for host in table.hosts.values() for route in host.routes)
        used = PersistentMap({**dict.fromkeys(backends_of_routes(routes), True), **asked})
        passed_on = PersistentMap(dict.fromkeys(backends_of_chains(listeners), True))
        made = backends(ctx, services, used, passed_on)
        others = (*own, *backends_of(ctx, collectors, made))
        if not has_outbound:
            made = by_name([made[name] for name in asked if name in made])
        upstream = made.updated({backend.name: backend for backend in others if backend.name not in made})
    secrets = (name for backend in upstream.values() for name in secrets_of_backend(backend))
    names = PersistentMap(dict.fromkeys((*secrets_of_chains(listeners), *secrets), True))
    certificates, trusted_cas = secret_resources(ctx, names)
    model = Model(
        gateway=GatewayName(ctx.proxy.key),
        listeners=listeners,
        route_tables=tables,
        backends=upstream,
        certificates=certificates,
        trusted_cas=trusted_cas,
        announcements=(),
        access_policies=judging,
        mirrors=(),
    )
    return closed(ctx, model)


def _collectors(ctx: Context) -> tuple[Collector, ...]:
    """Who collects logs and spans of connections in both directions, each once."""
    found: dict[str, Collector] = {}
    for mode in ("CLIENT", "SERVER"):
        for one in (*tracing(ctx, mode)[1], *access_logging(ctx, mode).collectors):
            found.setdefault(one.name, one)
    return tuple(found.values())


_Made = tuple[tuple[Listener, ...], tuple[RouteTable, ...], tuple[Backend, ...], bool]


@step
def _made(ctx: Context) -> _Made:
    """Listeners and route tables, sorted by name, the backends that are no services, and whether there is a way out."""
    check_authorization(ctx)
    indexes: Indexes = ctx.steps.views["indexes"]
    ports = inbound_ports(ctx, indexes.services)
    meeting, inbound_logs = (
        inbound_edge(edge(ctx, "SERVER"), ctx.proxy.config.proxy_headers),
        access_logs(ctx, "SERVER"),
    )
    logs = access_logs(ctx)
    if ctx.proxy.intercepted:
        others = passthroughs(ctx)
        used = virtual_outbound(ctx, indexes, edge(ctx), logs)
        found = [virtual_inbound(ctx, ports, meeting, inbound_logs), *used.listeners]
    else:
        others = ()
        used = outbound(ctx, indexes, edge(ctx), logs)
        found = [*(inbound_listener(ctx, port, meeting, inbound_logs) for port in ports), *used.listeners]
    tables = (*(inbound_routes(port) for port in ports if carries_http(port)), *used.route_tables)
    return (
        tuple(sorted(found, key=lambda one: one.name)),
        tuple(sorted(tables, key=lambda one: one.name)),
        (*(inbound_backend(ctx, port) for port in ports), *others),
        bool(used.listeners),
    )
