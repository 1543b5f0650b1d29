"""The whole of a sidecar: World -> Model."""

from mizzen.model import GatewayName, Model
from mizzen.persistent import by_name
from mizzen.resolve.authorization import check_authorization
from mizzen.resolve.backends import backends
from mizzen.resolve.closing import closed
from mizzen.resolve.context import Context
from mizzen.resolve.destinations import Indexes
from mizzen.resolve.edge import access_logs, edge
from mizzen.resolve.inbound import (
    carries_http,
    inbound_backend,
    inbound_edge,
    inbound_listener,
    inbound_routes,
)
from mizzen.resolve.interception import passthroughs, virtual_inbound, virtual_outbound
from mizzen.resolve.outbound import outbound
from mizzen.resolve.parts import secrets_of, wanted_backends
from mizzen.resolve.policies import policy_index
from mizzen.resolve.secrets import secret_resources
from mizzen.resolve.services import service_index
from mizzen.resolve.tracing import tracing
from mizzen.resolve.workloads import inbound_ports


def resolve_sidecar(ctx: Context) -> Model:
    """What the sidecar of `ctx` shall do. Everything wrong is reported; a fault that is nobody's is raised."""
    check_authorization(ctx)
    services = service_index(ctx)
    ports = inbound_ports(ctx, services)
    tracer, collectors = tracing(ctx)
    meeting, logs = inbound_edge(edge(ctx, tracer)), access_logs(ctx)
    policies = policy_index(ctx, services)
    indexes = Indexes(services, policies)
    if ctx.proxy.intercepted:
        used = virtual_outbound(ctx, indexes, edge(ctx, tracer), logs)
        found = [virtual_inbound(ctx, ports, meeting, logs), *used.listeners]
        collectors = (*collectors, *passthroughs(ctx))
    else:
        used = outbound(ctx, indexes, edge(ctx, tracer), logs)
        found = [*(inbound_listener(ctx, port, meeting, logs) for port in ports), *used.listeners]
    tables = (*(inbound_routes(port) for port in ports if carries_http(port)), *used.route_tables)
    upstream = [*(inbound_backend(ctx, port) for port in ports), *collectors]
    if used.listeners:
        upstream += backends(ctx, services, policies, frozenset(wanted_backends(tables, used.listeners)))
    certificates, trusted_cas = secret_resources(ctx, frozenset(secrets_of(found, upstream)))
    model = Model(
        gateway=GatewayName(ctx.proxy.key),
        listeners=tuple(sorted(found, key=lambda one: one.name)),
        route_tables=tuple(sorted(tables, key=lambda one: one.name)),
        backends=by_name(upstream),
        certificates=certificates,
        trusted_cas=trusted_cas,
        announcements=(),
        mirrors=(),
    )
    return closed(ctx, model)
