"""Route tables: what each HTTP server does with the requests of each host."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.model.route import Exact, Fail, Forward, Host, Prefix, Regex, Route, RouteMatch, RouteTable
from mizzen.persistent import by_name
from mizzen.resolve.actions import Actions, Where, cors, fault
from mizzen.resolve.attach import gateway_keys, hosts_of, shared_hosts
from mizzen.resolve.budget import MOST_ROUTES, Budget
from mizzen.resolve.context import Context
from mizzen.resolve.delegates import Rule, rules_of
from mizzen.resolve.destinations import Indexes
from mizzen.resolve.header_changes import header_changes
from mizzen.resolve.hosts import specificity_key, subset_of
from mizzen.resolve.matches import applies, route_match
from mizzen.resolve.mirrors import announcement_name
from mizzen.resolve.owners import EVERYTHING, NOBODY, Owner, Owners, wider
from mizzen.resolve.servers import MergedServer, sni_names
from mizzen.resources.virtual_service import HTTPMatchRequest, VirtualService

CODES = {
    "GW-015": "A host of a VirtualService belongs, on a port of its Gateway, to another Gateway that has it more exactly.",
    "RT-005": "A VirtualService becomes too many routes, by its delegates or by the tables that it is in; its requests fail.",
}
_TOO_MANY = "too many routes"


@dataclass(slots=True)
class _Host:
    """A host while its routes are gathered. `parts`: the very tuples that came from each VirtualService."""

    name: str
    domain: str
    parts: list[tuple[Route, ...]] = field(default_factory=list)
    https_only: bool = False


def route_tables(
    ctx: Context, servers: tuple[MergedServer, ...], indexes: Indexes, owned: Mapping[str, Owners]
) -> tuple[RouteTable, ...]:
    """One table for each name that servers share, in the order in which they were merged.

    `owned`: by the name of a listener, who has which host there.
    """
    sharing: dict[str, list[MergedServer]] = {}
    for server in servers:
        if server.route_table:
            sharing.setdefault(server.route_table, []).append(server)
    maker = _Tables(ctx, indexes, owned)
    return tuple(maker.table(name, members) for name, members in sharing.items())


@dataclass(slots=True)
class _Tables:
    """Makes tables; remembers what many servers ask for."""

    ctx: Context
    indexes: Indexes
    owned: Mapping[str, Owners]
    _rules: dict[tuple[str, str], tuple[Rule, ...] | None] = field(default_factory=dict)
    _made: dict[tuple[tuple[str, str], Where], tuple[Route, ...]] = field(default_factory=dict)
    _budget: Budget = field(default_factory=lambda: Budget(MOST_ROUTES))

    def table(self, name: str, servers: list[MergedServer]) -> RouteTable:
        hosts: dict[str, _Host] = {}
        for server in servers:
            self._add_routes(server, hosts)
        for server in servers:
            if _redirects(server):
                for host in sorted(sni_names(server.hosts)):
                    if self._elsewhere(server, host) is None:
                        _host(hosts, host, server).https_only = True
        first = servers[0]
        misdirected = self._owned(first).misdirected(name)
        made = list(self._joined(hosts))
        made += _without_routes(first, hosts, misdirected)
        if not made and EVERYTHING not in misdirected:
            made.append(_black_hole(first))
        return RouteTable(
            name=name,
            hosts=by_name(made),
            misdirected=tuple(map(_domain, misdirected)),
            announcement=announcement_name(name) if first.kind == "https" else None,
            origin=first.ref,
        )

    def _owned(self, server: MergedServer) -> Owners:
        """Who has which host where a server ends TLS. Of plain servers, which share a table, nobody takes any."""
        return self.owned.get(server.listener_name, NOBODY) if server.kind == "https" else NOBODY

    def _elsewhere(self, server: MergedServer, host: str) -> Owner | None:
        """The other server that has a host more exactly."""
        owner = self._owned(server).owner(host)
        return None if owner is None or owner.name == server.route_table else owner

    def _add_routes(self, server: MergedServer, hosts: dict[str, _Host]) -> None:
        for service in self.indexes.attached.get(server.key, ()):
            # A VirtualService whose hosts cannot be told from the server's keeps all that it names.
            shared = attempt(
                Stage.RESOLVE,
                service.ref,
                partial(shared_hosts, server, service),
                self.ctx.report,
                service.spec.hosts,
            )
            routes = self._routes(service, server) if shared else ()
            if not routes:
                continue  # another rule of Istio: a VirtualService without routes brings no host
            for name in dict.fromkeys(host.lower() for host in shared):
                if (owner := self._elsewhere(server, name)) is not None:
                    _report_owner(self.ctx, server, service, name, owner)
                    continue
                host = _host(hosts, name, server)
                host.parts.append(routes)
                host.https_only |= _redirects(server)

    def _routes(self, service: VirtualService, server: MergedServer) -> tuple[Route, ...]:
        """All routes of a VirtualService for a server; the very same tuple for servers that do not differ here."""
        where = Where(gateway=server.key, port=server.number, secure=server.kind == "https")
        key = (service.key, where)
        if key not in self._made:
            self._made[key] = attempt(
                Stage.RESOLVE,
                service.ref,
                partial(self._make, service, where),
                self.ctx.report,
                (failing(RouteMatch(), service, "spec.http"),),
            )
        return self._made[key]

    def _make(self, service: VirtualService, where: Where) -> tuple[Route, ...]:
        if service.key not in self._rules:
            self._rules[service.key] = rules_of(self.ctx, service)
        return routes_of(service, self._rules[service.key], Actions(self.ctx, where, self.indexes))

    def _within_budget(self, part: tuple[Route, ...]) -> tuple[Route, ...]:
        """What came from a VirtualService, in one more host; where that is too much, its requests fail there."""
        ref = part[0].origin
        if self._budget.allows(ref, len(part)):
            return part
        self.ctx.report(too_many(ref))
        return (replace(part[0], match=RouteMatch(), action=Fail(status=500, because=_TOO_MANY)),)

    def _joined(self, hosts: dict[str, _Host]) -> Iterator[Host]:
        """Hosts with the very same routes become one with several domains, named after the most specific."""
        headers = self.ctx.proxy.config.proxy_headers
        silent = bool(headers and headers.attempt_count and headers.attempt_count.disabled)
        same: dict[tuple[object, ...], list[_Host]] = {}
        for _, host in sorted(hosts.items(), key=lambda pair: specificity_key(pair[0])):
            same.setdefault((host.https_only, *map(id, host.parts)), []).append(host)
        for members in same.values():
            first = members[0]
            yield Host(
                name=first.name,
                domains=tuple(member.domain for member in members),
                routes=ordered(self._within_budget(part) for part in first.parts),
                https_only=first.https_only,
                count_attempts=not silent,
            )


def routes_of(service: VirtualService, rules: tuple[Rule, ...] | None, actions: Actions) -> tuple[Route, ...]:
    """The routes of a VirtualService in one place; nothing comes after one that takes every request.

    One that raises fails its requests: they never fall to a wider route. So do all where the rules are too many (None).
    """
    found: list[Route] = []
    if rules is None:
        actions.ctx.report(too_many(service.ref))
        return (failing(RouteMatch(), service, "spec.http", _TOO_MANY),)
    for rule in rules:
        for match in rule.route.match or (None,):
            make = partial(_route_if_any, rule, match, actions, service)
            made = attempt(Stage.RESOLVE, rule.ref, make, actions.ctx.report, None, rule.route.at)
            if made is None:
                made = (failing(_narrowest(match), service, rule.at),)
            found += made
            if made and (match is None or made[0].match.is_catch_all):
                return tuple(found)
    return tuple(found)


def failing(match: RouteMatch, service: VirtualService, at: str, because: str = "a fault of mizzen") -> Route:
    """What stands for a route that cannot be made."""
    action = Fail(status=500, because=because)
    return Route(name="", match=match, action=action, origin=service.ref, at=at)


def too_many(ref: ResourceRef) -> Problem:
    """A VirtualService that takes more than its share."""
    return Problem(
        code="RT-005",
        resource=ref,
        field="spec.http",
        message=f"this becomes more than {MOST_ROUTES} routes: what is beyond them answers 500",
        hint="Each rule counts with each match, each match of a delegate, and each table and host that has rules of "
        "its own beside it. Delegate less, or bind it to fewer Gateways.",
    )


def _narrowest(match: HTTPMatchRequest | None) -> RouteMatch:
    """The requests of a route that cannot be made; every one where not even these can be told."""
    try:
        return route_match(match)
    except Exception:  # noqa: BLE001  # reported already
        return RouteMatch()


def ordered(parts: Iterable[tuple[Route, ...]]) -> tuple[Route, ...]:
    """The routes of every VirtualService in turn; those that take every request after all others."""
    routes = [route for part in parts for route in part]
    narrow = [route for route in routes if not route.match.is_catch_all]
    return (*narrow, *(route for route in routes if route.match.is_catch_all))


def _redirects(server: MergedServer) -> bool:
    return bool(server.server.tls and server.server.tls.https_redirect)


def _host(hosts: dict[str, _Host], name: str, server: MergedServer) -> _Host:
    name = name.lower()
    if name not in hosts:
        domain = _domain(name)
        hosts[name] = _Host(name=f"{domain}:{server.number}", domain=domain)
    return hosts[name]


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


def _without_routes(
    server: MergedServer, hosts: Mapping[str, _Host], misdirected: tuple[str, ...]
) -> list[Host]:
    """A server's own hosts that have no routes and lie below a host of another: they get 404, not 421."""
    others = frozenset(misdirected)
    own = [
        host
        for host in server.server_names or (EVERYTHING,)
        if host not in hosts
        and next((one for one in wider(host) if one in hosts or one in others), None) in others
    ]
    if not own:
        return []
    domains = tuple(map(_domain, own))
    return [Host(name=f"{domains[0]}:{server.number}", domains=domains, routes=(), count_attempts=False)]


def _black_hole(server: MergedServer) -> Host:
    """Istio's host of a table that has none: every request gets 404."""
    return Host(name=f"blackhole:{server.number}", domains=("*",), routes=(), count_attempts=False)


# --- one route --------------------------------------------------------------------------------------


def _route_if_any(
    rule: Rule, match: HTTPMatchRequest | None, actions: Actions, service: VirtualService
) -> tuple[Route, ...]:
    """None where the match is for other gateways or ports, else one."""
    where = actions.where
    if match is not None and not applies(actions.ctx, match, where.gateway, where.port, service.namespace):
        return ()
    return (_route(rule, match, actions, service),)


def _route(rule: Rule, match: HTTPMatchRequest | None, actions: Actions, service: VirtualService) -> Route:
    written = rule.route
    action = actions.of(rule)
    when = route_match(match)
    forward = action if isinstance(action, Forward) else None
    return Route(
        name=f"{written.name}.{match.name}" if match and match.name else written.name,
        match=when,
        action=action,
        headers=header_changes(written.headers).changes,
        fault=fault(written.fault),
        cors=cors(written.cors_policy),
        stat_prefix=match.stat_prefix if match else "",
        operation=_operation(forward, when, service.ref, actions.where.port),
        origin=service.ref,
        at=rule.at,
    )


def _operation(forward: Forward | None, match: RouteMatch, origin: ResourceRef, port: int) -> str:
    """What a trace calls the request, as Istio words it: "httpbin.httpbin.svc.cluster.local:8000/*"."""
    parts = forward.to[0].backend.split("|") if forward and len(forward.to) == 1 else []
    what = f"{parts[3]}:{parts[1]}" if len(parts) == 4 else f"{origin.name}:{port}"
    match match.path:
        case Prefix(value):
            return f"{what}{value}*"
        case Exact(value):
            return f"{what}{value}"
        case Regex(pattern):
            return f"{what}{pattern}"
