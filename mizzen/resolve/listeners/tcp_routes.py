"""Where connections go whose bytes are passed on: `tcp` and `tls` blocks of VirtualServices."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.backend import BLACK_HOLE
from mizzen.model.listener import TcpService
from mizzen.model.route import Weighted
from mizzen.resolve.context import Context
from mizzen.resolve.gateways.attach import gateway_key, hosts_of
from mizzen.resolve.gateways.servers import MergedServer
from mizzen.resolve.hosts import intersect, overlap, subset_of, usable_by
from mizzen.resolve.listeners.edge import idle_timeout
from mizzen.resolve.names import sni_name
from mizzen.resolve.services.destinations import Indexes
from mizzen.resolve.tls.identity import ALPN_HTTP, ALPN_TCP
from mizzen.resources.istio.virtual_service import (
    L4MatchAttributes,
    RouteDestination,
    TLSMatchAttributes,
    VirtualService,
)

# What clients of the mesh say before anything is decrypted.
MESH_ALPN = (*reversed(ALPN_TCP), *ALPN_HTTP)
# What stands for a block that cannot be made: its connections are closed.
NOWHERE = TcpService(to=(Weighted(backend=BLACK_HOLE),), stat_prefix=BLACK_HOLE)
PassthroughChain = tuple[tuple[str, ...], TcpService, ResourceRef, str]


def tcp_service(ctx: Context, server: MergedServer, indexes: Indexes) -> TcpService | None:
    """The first `tcp` block that is for a server; None when there is none."""
    for service in _candidates(server, indexes):
        for route in service.spec.tcp:
            if not route.match or any(_applies(one, server, service) for one in route.match):
                make = partial(_Maker(ctx, server, indexes).service, service, route.route)
                return attempt(Stage.RESOLVE, service.ref, make, ctx.report, NOWHERE, route.at)
    return None


def passthrough_chains(ctx: Context, server: MergedServer, indexes: Indexes) -> tuple[PassthroughChain, ...]:
    """(SNI, where to, whose block, its path) for each `tls` match that is for a server.

    SNI outside the hosts of the server takes no part: another Gateway may have it.
    """
    return tuple(_passthrough(_Maker(ctx, server, indexes)))


def _passthrough(maker: "_Maker") -> Iterator[PassthroughChain]:
    server = maker.server
    for service in _candidates(server, maker.indexes):
        hosts = usable_by(server.hosts, service.namespace)
        for route in service.spec.tls:
            for match in route.match:
                names = intersect(hosts, match.sni_hosts)
                make = partial(maker.service, service, route.route)
                passed = (
                    attempt(Stage.RESOLVE, service.ref, make, maker.ctx.report, NOWHERE, route.at)
                    if names
                    else None
                )
                if passed is not None and _applies(match, server, service):
                    yield names, passed, service.ref, match.at


def sni_services(ctx: Context, server: MergedServer, indexes: Indexes) -> tuple[tuple[str, TcpService], ...]:
    """(SNI, where to) for each port and subset of the services of the mesh that a server's hosts cover.

    The SNI is the name of its backend, too (Istio's SNI-DNAT clusters).
    """
    found = []
    for service in indexes.services.all:
        hosts = usable_by(server.hosts, service.namespace)
        if (
            service.external
            or service.alias_of
            or service.is_dynamic
            or not any(subset_of(service.host, one) for one in hosts)
        ):
            continue
        rule = indexes.policies.rule(service.host, service.namespace)
        for port in service.ports:
            for subset in ("", *(one.name for one in rule.subsets)) if rule else ("",):
                if port.protocol != "UDP":
                    name = sni_name(port.number, subset, service.host)
                    idle = indexes.policies.tcp(
                        service.host, service.namespace, subset, port.number
                    ).idle_timeout
                    found.append(
                        (
                            name,
                            TcpService(
                                to=(Weighted(backend=name),),
                                stat_prefix=name,
                                idle_timeout=idle_timeout(ctx) if idle is None else idle,
                            ),
                        )
                    )
    return tuple(found)


def _candidates(server: MergedServer, indexes: Indexes) -> Iterator[VirtualService]:
    """The VirtualServices of a server's Gateway that have a host in common with the server."""
    for service in indexes.attached.of(server.key):
        hosts = usable_by(server.hosts, service.namespace)
        if any(overlap(one, other) for one in hosts for other in hosts_of(service)):
            yield service


def _applies(
    match: L4MatchAttributes | TLSMatchAttributes, server: MergedServer, service: VirtualService
) -> bool:
    """Subnets and sources are not looked at on a gateway, as in Istio."""
    if match.port and match.port != server.number:
        return False
    return not match.gateways or server.key in {gateway_key(one, service.namespace) for one in match.gateways}


@dataclass(frozen=True, slots=True)
class _Maker:
    ctx: Context
    server: MergedServer
    indexes: Indexes

    def service(self, service: VirtualService, routes: tuple[RouteDestination, ...]) -> TcpService | None:
        """None when no destination has a weight."""
        alone = len(routes) == 1
        kept = [one for one in routes if alone or one.weight > 0]
        if not kept:
            return None
        targets = [
            self.indexes.target(one.destination, service.namespace, self.server.number) for one in kept
        ]
        for one, target in zip(kept, targets, strict=True):
            if target.is_dynamic:
                self._refuse(service.ref, f"{one.destination.at}.host", target.host)
                return NOWHERE
        # Of several destinations the first one's rule holds, without its subset: Istio's way.
        policy = self.indexes.tcp(targets[0], targets[0].subset if alone else "")
        tunnel = policy.tunnel
        return TcpService(
            to=tuple(
                Weighted(backend=target.backend, weight=1 if alone else one.weight)
                for one, target in zip(kept, targets, strict=True)
            ),
            stat_prefix=targets[0].backend if alone else f"{service.name}.{service.namespace}",
            idle_timeout=self._idle(policy.idle_timeout),
            max_connection_duration=policy.max_connection_duration,
            hash_on=policy.hash_on,
            tunnel_host=f"{tunnel.target_host}:{tunnel.target_port}" if tunnel else "",
            tunnel_by_post=bool(tunnel and tunnel.protocol == "POST"),
        )

    def _refuse(self, ref: ResourceRef, at: str, host: str) -> None:
        message = f"{host} has its endpoints by the names that requests ask for, and bytes ask for none: connections fail"
        hint = "Send HTTP there, or write a ServiceEntry with the names and resolution DNS."
        self.ctx.report(Problem(code="BE-009", resource=ref, field=at, message=message, hint=hint))

    def _idle(self, wanted: timedelta | None) -> timedelta | None:
        return idle_timeout(self.ctx) if wanted is None else wanted
