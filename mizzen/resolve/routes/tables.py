"""Route tables: what each HTTP server does with the requests of each host."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.route import Exact, Fail, Host, Route, RouteMatch, RouteTable
from mizzen.persistent import PersistentMap
from mizzen.resolve.access.access_policies import access_policies, chooses_again
from mizzen.resolve.budget import MOST_ROUTES, Budget
from mizzen.resolve.context import Context, grouped, mapped, nested, step
from mizzen.resolve.gateways.attach import gateway_keys, hosts_of, rank_and_gateways, shared_hosts
from mizzen.resolve.gateways.owners import EVERYTHING, NOBODY, Owner, Owners, wider
from mizzen.resolve.gateways.servers import MergedServer, sni_names
from mizzen.resolve.hosts import specificity_key, subset_of
from mizzen.resolve.ingress.written import CHALLENGES, HostOfIngresses
from mizzen.resolve.listeners.mirrors import announcement_name
from mizzen.resolve.listeners.stages import layout, listening, mirrored_servers
from mizzen.resolve.parts import backends_of
from mizzen.resolve.routes.actions import Actions
from mizzen.resolve.routes.delegates import rules_of
from mizzen.resolve.routes.over_http3 import table_of_mirror, told_apart
from mizzen.resolve.routes.redirects import DIALLED, Dialled, ToHttps, Where, dialled, dialled_ports, to_https
from mizzen.resolve.routes.rules import TOO_MANY, failing, ordered, routes_of, too_many
from mizzen.resolve.services.destinations import Indexes
from mizzen.resources.istio.virtual_service import VirtualService
from mizzen.resources.world import Key, age_order

CODES = {
    "GW-015": "A host of a VirtualService belongs, on a port of its Gateway, to another Gateway that has it more exactly.",
    "RT-007": "No request meets a rule: another VirtualService of the host takes them all.",
}
_MANY_SERVERS = 16  # of a Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placement:
    """The routes of a VirtualService at a host of a server."""

    order: tuple[object, ...]  # its place among those at one host
    identity: tuple[object, ...]  # the same where the routes are the same
    routes: tuple[Route, ...]
    to_https: ToHttps | None
    of_ingress: bool = False
    is_heavy: bool = False  # the VirtualService may have become too many routes

    @property
    def service(self) -> Key:
        key: Key = self.identity[0]  # type: ignore[assignment]
        return key


_Site = tuple[str, str]  # (route table, host)
# (route table, who sends it to https and to which port, identities of placements in order): hosts that have all this in
# common are one.
_Signature = tuple[str, tuple[ToHttps, Dialled | None] | None, tuple[tuple[object, ...], ...]]


def route_tables(ctx: Context) -> tuple[tuple[RouteTable, ...], PersistentMap[str, Any]]:
    """One table for each name that servers share, sorted by name; and the backends that their routes use, by name. To be
    called by the root of a resolution."""
    views, published = ctx.steps.views, ctx.steps.published
    views["servers"] = published("servers of gateways", layout(ctx).of_gateway)
    views["owners"] = published("owners", _owned(ctx))
    views["rivals"] = published("rivals", _rivals(ctx))
    views["misdirected"] = published("misdirected", _misdirected(ctx))
    views["hosts off"] = published("hosts off", PersistentMap(mirrored_servers(ctx).hosts_off))
    views[DIALLED] = published(DIALLED, dialled_ports(ctx))
    services = ctx.world.all_by_key(VirtualService)
    sites = grouped(ctx, _placements, services)
    views["sites"] = published("sites", ctx.steps.keys_of("sites", sites))
    views["https hosts"] = published("https hosts", _https_hosts(ctx))
    parts = grouped(ctx, _by_signature, sites)
    views["parts"] = published("parts", parts)
    views["hosts"] = published("hosts", nested(ctx, _host_of, parts))
    made = mapped(ctx, _table, layout(ctx).tables)
    parted = PersistentMap((name, made[name]) for name in views["hosts off"] if name in made)
    of_mirrors = mapped(ctx, _table_of_mirror, parted)
    used = grouped(ctx, _uses, mapped(ctx, _placements, services))
    return tuple(sorted((*made.values(), *of_mirrors.values()), key=lambda one: one.name)), used


def _owners(ctx: Context, server: MergedServer) -> Owners:
    """Who has which host where a server ends TLS. Of plain servers, which share a table, nobody takes any."""
    if server.kind != "https":
        return NOBODY
    found: Owners = ctx.steps.views["owners"].get(server.listener_name, NOBODY)
    return found


@step
def _owned(ctx: Context) -> PersistentMap[str, Owners]:
    """Who has which host, by the name of a listener."""
    return PersistentMap(listening(ctx)[1])


@step
def _rivals(ctx: Context) -> PersistentMap[str, tuple[str, ...]]:
    """By route table, the hosts of others that lie below those of its server; tables without any are left out."""
    owned = listening(ctx)[1]
    return PersistentMap(
        (name, below)
        for name, (first, *_) in layout(ctx).tables.items()
        if first.kind == "https" and (below := owned.get(first.listener_name, NOBODY).below.get(name))
    )


def _elsewhere(ctx: Context, server: MergedServer, host: str) -> Owner | None:
    """The other server that has a host more exactly."""
    if server.kind != "https" or server.route_table not in ctx.steps.views["rivals"]:
        return None
    owner = _owners(ctx, server).owner(host)
    return None if owner is None or owner.name == server.route_table else owner


@step
def _misdirected(ctx: Context) -> PersistentMap[str, tuple[str, ...]]:
    """By route table, the hosts that belong to other servers of its port."""
    owned = listening(ctx)[1]
    return PersistentMap(
        (name, owned.get(first.listener_name, NOBODY).misdirected(name))
        for name, (first, *_) in layout(ctx).tables.items()
        if first.kind == "https"
    )


@step
def _https_hosts(ctx: Context) -> PersistentMap[str, Mapping[str, tuple[int, ToHttps]]]:
    """By route table, the hosts of servers that redirect to https, each with the port of the first of them, and that one."""
    found: dict[str, Mapping[str, tuple[int, ToHttps]]] = {}
    for name, servers in layout(ctx).tables.items():
        hosts = {
            host: (server.number, ToHttps.of(server))
            for server in reversed(servers)
            if _redirects(server)
            for host in sni_names(server.hosts)
            if _elsewhere(ctx, server, host) is None
        }
        if hosts:
            found[name] = hosts
    return PersistentMap(found)


# --- where VirtualServices stand --------------------------------------------------------------------


def _placements(ctx: Context, key: Key, service: VirtualService) -> Mapping[_Site, tuple[_Placement, ...]]:
    """All places of a VirtualService. One without routes brings no host, which is another rule of Istio."""
    rank, gateways = rank_and_gateways(ctx, service)
    made: dict[Where, tuple[Route, ...]] = {}
    hosts = hosts_of(service)
    found: dict[_Site, list[_Placement]] = {}
    for gateway in gateways:
        for position, server in _candidates(ctx.steps.views["servers"].get(gateway, ()), service):
            shared = _shared_hosts(ctx, server, service)
            where = Where(server.key, server.number, server.kind == "https", hosts)
            if shared and where not in made:
                made[where] = _routes(ctx, service, where)
            if not shared or not made[where]:
                continue
            placement = _Placement(
                order=(position, rank, age_order(service)),
                identity=(key, where.gateway, where.port, where.secure),
                routes=made[where],
                to_https=ToHttps.of(server) if _redirects(server) else None,
                of_ingress=isinstance(service, HostOfIngresses),
            )
            for host in dict.fromkeys(host.lower() for host in shared):
                if (owner := _elsewhere(ctx, server, host)) is not None:
                    _report_owner(ctx, server, service, host, owner)
                else:
                    found.setdefault((server.route_table, host), []).append(placement)
    is_heavy = sum(len(one.routes) for some in found.values() for one in some) > MOST_ROUTES
    return {
        site: tuple(replace(one, is_heavy=True) for one in some) if is_heavy else tuple(some)
        for site, some in found.items()
    }


def _candidates(
    servers: tuple[tuple[int, MergedServer], ...], service: VirtualService
) -> Iterable[tuple[int, MergedServer]]:
    """Servers that may have a host of a VirtualService. Of a Gateway with many servers most have not."""
    if len(servers) < _MANY_SERVERS or any("*" in host for host in service.spec.hosts):
        return servers
    names = {name for host in hosts_of(service) for name in (host.lower(), *wider(host.lower()))}
    return [pair for pair in servers if not names.isdisjoint(sni_names(pair[1].hosts))]


def _shared_hosts(ctx: Context, server: MergedServer, service: VirtualService) -> tuple[str, ...]:
    """A VirtualService whose hosts cannot be told from the server's keeps all that it names."""
    make = partial(shared_hosts, server, service)
    return attempt(Stage.RESOLVE, service.ref, make, ctx.report, service.spec.hosts)


def _routes(ctx: Context, service: VirtualService, where: Where) -> tuple[Route, ...]:
    """All routes of a VirtualService for a server; those of servers that do not differ here are the same."""
    failed = (failing(RouteMatch(), service.ref, "spec.http"),)
    return attempt(Stage.RESOLVE, service.ref, partial(_make, ctx, service, where), ctx.report, failed)


def _make(ctx: Context, service: VirtualService, where: Where) -> tuple[Route, ...]:
    indexes: Indexes = ctx.steps.views["indexes"]
    return routes_of(service, rules_of(ctx, service), Actions(ctx, where, indexes))


def _uses(_: Context, __: Key, placements: Mapping[_Site, tuple[_Placement, ...]]) -> Mapping[str, bool]:
    """The backends that the routes of a VirtualService pass on to."""
    unique = {placement.identity: placement.routes for some in placements.values() for placement in some}
    return dict.fromkeys(backends_of(route for routes in unique.values() for route in routes), True)


# --- hosts ------------------------------------------------------------------------------------------


def _by_signature(
    ctx: Context, site: _Site, members: Mapping[Key, tuple[_Placement, ...]]
) -> Mapping[_Signature, tuple[_Placement, ...]]:
    table, host = site
    placements = sorted((one for some in members.values() for one in some), key=lambda one: one.order)
    asked = next((one.to_https for one in placements if one.to_https), None)
    if asked is None:
        asked = _asked(ctx, table, host, around=all(one.of_ingress for one in placements))
    redirect = (asked, dialled(ctx, "https", (host,))) if asked else None
    return {(table, redirect, tuple(one.identity for one in placements)): tuple(placements)}


def _asked(ctx: Context, table: str, host: str, *, around: bool) -> ToHttps | None:
    """The server that sends a host to https; `around`: also one that has it by a wildcard, whose VirtualServices are not
    those of this host."""
    known: Mapping[str, tuple[int, ToHttps]] = ctx.steps.views["https hosts"].get(table, {})
    names = (host, *wider(host)) if around else (host,)
    return next((known[name][1] for name in names if name in known), None)


def _challenges(placements: tuple[_Placement, ...]) -> tuple[Route, ...]:
    """The routes to what a certificate authority asks for in plain text, also where a server sends plain requests on."""
    return tuple(
        route
        for one in placements
        if one.of_ingress and one.to_https is None
        for route in one.routes
        if isinstance(route.match.path, Exact) and route.match.path.value.startswith(CHALLENGES)
    )


def _host_of(
    ctx: Context, signature: _Signature, members: Mapping[_Site, tuple[_Placement, ...]]
) -> Mapping[tuple[str, str], Host]:
    """Hosts with the very same routes become one with several domains, named after the most specific."""
    table, redirect, (first, *_) = signature
    names = sorted((host for _, host in members), key=specificity_key)
    placements = members[(table, names[0])]
    routes = ordered(_within_budget(ctx, signature, one) for one in placements)
    challenges = _challenges(placements) if redirect else ()
    routes = (*challenges, *(one for one in routes if one not in challenges))
    if len(placements) > 1:
        _report_covered(ctx, names, routes)
    host = _host(ctx, names, first[2], redirect[0] if redirect else None, routes)
    host = replace(host, answered_plain=len(challenges)) if challenges else host
    return {(table, host.name): host}


def _host(
    ctx: Context, names: list[str], number: object, asked: ToHttps | None, routes: tuple[Route, ...] = ()
) -> Host:
    headers = ctx.proxy.config.proxy_headers
    silent = bool(headers and headers.attempt_count and headers.attempt_count.disabled)
    domains = tuple(_domain(name) for name in names)
    return Host(
        name=f"{domains[0]}:{number}",
        domains=domains,
        routes=routes,
        to_https=to_https(ctx, asked, tuple(names)) if asked else (),
        count_attempts=not silent,
    )


def _report_covered(ctx: Context, names: list[str], routes: tuple[Route, ...]) -> None:
    """Of several rules that take every request of a host, the first does."""
    everything = [route for route in routes if route.match.is_catch_all]
    for late in everything[1:]:
        first = everything[0]
        service = ctx.world.virtual_service_by_key.get((late.origin.namespace, late.origin.name))
        named = [name for name in names if service is not None and name in hosts_of(service)]
        if late.origin == first.origin or not named:
            continue  # one for all hosts gives way to that of a host
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="RT-007",
                resource=late.origin,
                field=late.at,
                message=f"no request for {', '.join(named[:3])} comes here: {first.at} of {first.origin} "
                "takes all that no other rule does",
                hint="Of VirtualServices that share a host, the older one (else the first by name) goes first. "
                "Put the rules of a host into one, or give the other a narrower host.",
            )
        )


def _within_budget(ctx: Context, signature: _Signature, placement: _Placement) -> tuple[Route, ...]:
    """The routes of a VirtualService in one more host; where that is too much, its requests fail there."""
    if not placement.is_heavy or signature not in _beyond_budget(ctx, placement.service):
        return placement.routes
    return (replace(placement.routes[0], match=RouteMatch(), action=Fail(status=500, because=TOO_MANY)),)


@step
def _beyond_budget(ctx: Context, key: Key) -> frozenset[_Signature]:
    """The hosts for which a VirtualService has become too many routes in those before."""
    parts: Mapping[_Signature, Mapping[_Site, tuple[_Placement, ...]]] = ctx.steps.views["parts"]
    budget, beyond = Budget(MOST_ROUTES), []
    for signature in parts:
        placements = next(iter(parts[signature].values()))
        for placement in placements:
            if placement.service == key and not budget.allows(
                placement.routes[0].origin, len(placement.routes)
            ):
                beyond.append(signature)
                if len(beyond) == 1:
                    ctx.report(too_many(placement.routes[0].origin))
    return frozenset(beyond)


# --- tables -----------------------------------------------------------------------------------------


def _table(ctx: Context, name: str, servers: tuple[MergedServer, ...]) -> RouteTable:
    first = servers[0]
    hosts: PersistentMap[str, Host] = ctx.steps.views["hosts"].get(name, PersistentMap())
    misdirected: tuple[str, ...] = ctx.steps.views["misdirected"].get(name, ())
    more = [*_only_redirecting(ctx, first), *_without_routes(ctx, first, misdirected)]
    if not hosts and not more and EVERYTHING not in misdirected:
        more.append(_black_hole(first))
    table = RouteTable(
        name=name,
        hosts=hosts.updated({host.name: host for host in more}),
        misdirected=tuple(map(_domain, misdirected)),
        announcement=announcement_name(name) if first.kind == "https" else None,
        chosen_again=chooses_again(access_policies(ctx)),
        origin=first.ref,
    )
    off: tuple[str, ...] = ctx.steps.views["hosts off"].get(name, ())
    return told_apart(table, tuple(sorted(sni_names(first.hosts))), off, first.number) if off else table


def _table_of_mirror(_: Context, __: str, table: RouteTable) -> RouteTable:
    return table_of_mirror(table)


def _only_redirecting(ctx: Context, server: MergedServer) -> list[Host]:
    """The hosts that have nothing but the redirect of their server."""
    table = server.route_table
    sites = ctx.steps.views["sites"]
    numbers: Mapping[str, tuple[int, ToHttps]] = ctx.steps.views["https hosts"].get(table, {})
    alike: dict[Dialled | None, list[str]] = {}
    for host in sorted((host for host in numbers if (table, host) not in sites), key=specificity_key):
        alike.setdefault(dialled(ctx, "https", (host,)), []).append(host)
    return [_host(ctx, names, *numbers[names[0]]) for names in alike.values()]


def _redirects(server: MergedServer) -> bool:
    return bool(server.server.tls and server.server.tls.https_redirect)


def _domain(host: str) -> str:
    """A host as it stands in an authority: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


# --- hosts of other servers -------------------------------------------------------------------------


def _report_owner(
    ctx: Context, server: MergedServer, service: VirtualService, host: str, owner: Owner
) -> None:
    """A host that another server has more exactly; nothing is wrong where the VirtualService is there too."""
    ref = owner.ref
    there = (
        f"{ref.namespace}/{ref.name}" in gateway_keys(service)
        if ref.kind == "Gateway"
        else ref == service.ref
    )
    if there:
        return
    written = hosts_of(service)
    index = next((i for i, one in enumerate(written) if subset_of(host, one.lower())), 0)
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="GW-015",
            resource=service.ref,
            field=f"spec.hosts[{index}]",
            message=f"on port {server.number} the host {host} belongs to {ref} ({owner.at}), which has it more exactly "
            f"than Gateway/{server.gateway.namespace}/{server.gateway.name} ({server.at})",
            hint="Clients get to the server with the most exact host; bind the VirtualService to its Gateway.",
        )
    )


def _without_routes(ctx: Context, server: MergedServer, misdirected: tuple[str, ...]) -> list[Host]:
    """A server's own hosts that have no routes and lie below a host of another: they get 404, not 421."""
    if not misdirected:
        return []
    others, table = frozenset(misdirected), server.route_table
    sites, redirecting = ctx.steps.views["sites"], ctx.steps.views["https hosts"].get(table, {})

    def is_placed(host: str) -> bool:
        return host in redirecting or (table, host) in sites

    own = [
        host
        for host in server.server_names or (EVERYTHING,)
        if not is_placed(host)
        and next((one for one in wider(host) if is_placed(one) or one in others), None) in others
    ]
    if not own:
        return []
    domains = tuple(map(_domain, own))
    return [Host(name=f"{domains[0]}:{server.number}", domains=domains, routes=(), count_attempts=False)]


def _black_hole(server: MergedServer) -> Host:
    """Istio's host of a table that has none: every request gets 404."""
    return Host(name=f"blackhole:{server.number}", domains=("*",), routes=(), count_attempts=False)
