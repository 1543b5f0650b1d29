"""What may guard traffic and is not honoured closes: patches of EnvoyFilters that cannot be applied, WasmPlugins and
TrafficExtensions.

Requests for what such an object selects are answered 403 (503 where it is code that is not run), by each protocol and before any redirect, answer or
preflight of a route; connections whose bytes are passed on are refused. It is done to routes, not to listeners,
so that nobody's connection is dropped when a guard appears or goes; only a chain that passes bytes on is
changed itself. The proxy's own ports (health, metrics) are no part of a model and stay open.
"""

from collections.abc import Callable
from dataclasses import field, replace
from http import HTTPStatus

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.authorization import Access, AccessRule, All
from mizzen.model.listener import Chain, HttpService, Listener, TcpService
from mizzen.model.route import (
    CLOSED,
    NO_CHANGES,
    Action,
    Fail,
    Forward,
    Host,
    Route,
    RouteMatch,
    RouteTable,
)
from mizzen.persistent import by_name
from mizzen.resolve.access import patch_match
from mizzen.resolve.access.guards import Verdict, judge
from mizzen.resolve.access.module_sources import wasm_of
from mizzen.resolve.access.patches import patches
from mizzen.resolve.access.plugins import Idle, plugins, selects
from mizzen.resolve.access.unmirrored import without_unguarded_twins
from mizzen.resolve.context import Context
from mizzen.resolve.selecting import fits
from mizzen.resources.istio.envoy_filter import ConfigPatch, EnvoyFilter
from mizzen.resources.istio.extension import TrafficExtension, WasmPlugin

CODES = {
    "EXT-001": "What may guard traffic is not honoured; what it is for is refused.",
    "EXT-002": "A patch of an EnvoyFilter is not applied; nothing is kept out by it, and traffic is served without.",
    "EXT-003": "An object that may guard traffic cannot be read; everything that it may be for is refused.",
    "EXT-004": "A plugin that may be left out when it fails (FAIL_OPEN) is not run.",
}
_INSTEAD = "Mend the patch; or say it by RequestAuthentication, AuthorizationPolicy or the Gateway's tls."
# What Envoy answers when code that it shall run cannot be had.
_NOT_RUN = HTTPStatus.SERVICE_UNAVAILABLE
_REFUSED = "Envoy cannot run it; once the module is mended, write its sha256 into the object, which comes back when it changes"
_SHOWN = 3  # how many closed things a message names


@dataclass(frozen=True, slots=True)
class Why:
    """Which object asks for it, and what clients are told."""

    owner: str
    status: int = HTTPStatus.FORBIDDEN


Domain = tuple[str, str]  # the table, and a domain of a host in it


@dataclass(slots=True)
class Closed:
    """What of a model is closed, by name, and why."""

    tables: dict[str, Why] = field(default_factory=dict)
    chains: dict[tuple[str, str], Why] = field(default_factory=dict)  # (listener, chain) that passes bytes on
    # By (table, domain): a host of several domains is parted where not all of them are meant.
    hosts: dict[Domain, Why] = field(default_factory=dict)
    routes: dict[Domain, dict[int, Why]] = field(default_factory=dict)  # by index
    before: dict[Domain, list[tuple[RouteMatch, Why]]] = field(default_factory=dict)  # of inserted routes
    added: dict[Domain, Why] = field(default_factory=dict)  # of hosts that a patch would bring

    def names(self) -> list[str]:
        """What is closed, as users know it."""
        domains = dict.fromkeys((*self.hosts, *self.routes, *self.before, *self.added))
        return [
            *self.tables,
            *(chain for _, chain in self.chains),
            *(f"{domain} of {table}" for table, domain in domains),
        ]

    def add(self, other: "Closed") -> None:
        """Close what is closed there, too."""
        self.tables |= other.tables
        self.chains |= other.chains
        self.hosts |= other.hosts
        self.added |= other.added
        for domain, routes in other.routes.items():
            self.routes[domain] = self.routes.get(domain, {}) | routes
        for domain, first in other.before.items():
            self.before.setdefault(domain, []).extend(first)


def closed(ctx: Context, model: Model) -> Model:
    """The model with everything closed that a guard which is not honoured may be for, each of which is reported; and with
    the patches that are."""
    found = Closed()
    for unread in ctx.world.unread:
        if isinstance(unread.known, EnvoyFilter):
            continue  # what can be honoured of it is
        if isinstance(unread.known, WasmPlugin | TrafficExtension):
            if unread.ref.namespace in _namespaces(ctx) and selects(ctx, unread.known):
                found.add(_plugin(ctx, model, Idle(unread.known, _REFUSED)))
            continue
        if unread.ref.namespace in _namespaces(ctx) and fits(unread.labels, ctx.proxy.labels):
            _close_all(found, model, Why(str(unread.ref)))
            message = (
                f"the {unread.ref.kind} may guard traffic and cannot be read: "
                f"{ctx.proxy.called} refuses (403) everything that it may be for"
            )
            _report(ctx, unread.ref, "EXT-003", "", message, "Mend the object, or remove it.")
    asked = patches(ctx)
    for refused in asked.refused:
        found.add(_patch(ctx, model, refused.owner, refused.patch))
    runs = plugins(ctx)
    for idle in runs.idle:
        found.add(_plugin(ctx, model, idle))
    for extension in runs.running:
        found.add(_beside(ctx, model, extension))
    guarded = without_unguarded_twins(ctx, _applied(model, found), asked.of_tcp)
    return replace(guarded, patches=asked.honoured)


def _report(ctx: Context, ref: ResourceRef, code: str, at: str, message: str, hint: str) -> None:
    ctx.report(
        Problem(severity=Severity.ERROR, code=code, resource=ref, field=at, message=message, hint=hint)
    )


def _inform(ctx: Context, ref: ResourceRef, at: str, message: str) -> None:
    ctx.report(Problem(severity=Severity.INFO, code="EXT-016", resource=ref, field=at, message=message))


# --- whom an object is for --------------------------------------------------------------------------


def _namespaces(ctx: Context) -> tuple[str, str]:
    return ctx.mesh.root_namespace, ctx.proxy.namespace


# --- patches ----------------------------------------------------------------------------------------


def _patch(ctx: Context, model: Model, owner: ResourceRef, patch: ConfigPatch) -> Closed:
    found, judgement = Closed(), judge(patch)
    verdict = judgement.verdict
    if verdict is Verdict.SIGHT:
        verdict = Verdict.GUARDS if _judges_requests(model) else Verdict.HARMLESS
    if verdict is Verdict.HARMLESS:
        message = "the patch is not applied: it keeps nothing out, and traffic is served without it"
        _report(ctx, owner, "EXT-002", patch.at, message, "Mend it, or do without what it sets.")
    else:
        why = Why(str(owner), _NOT_RUN if judgement.runs else HTTPStatus.FORBIDDEN)
        _close(ctx, model, patch, found, why)
        if names := found.names():
            message = f"the patch is not applied, and {judgement.what} may keep requests out: {_refuses(ctx, why, names)}"
            _report(ctx, owner, "EXT-001", patch.at, message, _INSTEAD)
    return found


def _judges_requests(model: Model) -> bool:
    """Is there any rule that goes by where a request comes from, or by its host or path?"""
    if model.access_policies is not None and model.access_policies.access:
        return True
    served = (chain.serve for listener in model.listeners for chain in listener.chains)
    return any(isinstance(serve, TcpService) and serve.access for serve in served)


def _refuses(ctx: Context, why: Why, names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{ctx.proxy.called} refuses ({why.status:d}) what it is for: {', '.join(names[:_SHOWN])}{more}"


def _close(ctx: Context, model: Model, patch: ConfigPatch, found: Closed, why: Why) -> None:
    match patch.apply_to:
        case "LISTENER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER" | "LISTENER_FILTER":
            _close_chains(model, found, why, lambda one, chain: patch_match.chain(ctx, patch, one, chain))
        case "ROUTE_CONFIGURATION" | "VIRTUAL_HOST" | "HTTP_ROUTE":
            _close_routes(ctx, model, patch, found, why)
        case "CLUSTER":
            _close_ways(ctx, model, patch, found, why)
        case _:
            _close_all(found, model, why)


def _close_chains(model: Model, found: Closed, why: Why, meant: Callable[[Listener, Chain], bool]) -> None:
    for listener in model.listeners:
        for chain in listener.chains:
            if not meant(listener, chain):
                continue
            if isinstance(chain.serve, HttpService):
                found.tables.setdefault(chain.serve.route_table, why)
            else:
                found.chains.setdefault((listener.name, chain.name), why)


def _close_all(found: Closed, model: Model, why: Why) -> None:
    _close_chains(model, found, why, lambda _, __: True)


def _close_routes(ctx: Context, model: Model, patch: ConfigPatch, found: Closed, why: Why) -> None:
    operation = patch.patch.operation if patch.patch else ""
    inserts = operation in ("ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST")
    for table in model.route_tables:
        if not patch_match.table(ctx, patch, table, _listeners_of(model, table)):
            continue
        if patch.apply_to == "ROUTE_CONFIGURATION":
            found.tables.setdefault(table.name, why)
            continue
        if patch.apply_to == "VIRTUAL_HOST" and inserts:
            domains = patch_match.domains(patch)
            found.added |= dict.fromkeys(((table.name, domain) for domain in domains), why)
            if not domains:
                found.tables.setdefault(table.name, why)
            continue
        for host in table.hosts.values():
            for domain in patch_match.domains_of(patch, host):
                _close_domain(patch, (table.name, domain), host, found, why, inserts=inserts)


def _close_domain(
    patch: ConfigPatch, domain: Domain, host: Host, found: Closed, why: Why, *, inserts: bool
) -> None:
    inserted = patch_match.inserted(patch) if inserts else None
    if inserted is not None:
        found.before.setdefault(domain, []).append((inserted, why))
    elif inserts or patch.apply_to == "VIRTUAL_HOST":
        found.hosts.setdefault(domain, why)
    else:
        meant = {index: why for index, one in enumerate(host.routes) if patch_match.route(patch, one)}
        if meant:
            found.routes[domain] = found.routes.get(domain, {}) | meant


def _close_ways(ctx: Context, model: Model, patch: ConfigPatch, found: Closed, why: Why) -> None:
    """The routes and chains that lead to a backend; what is copied to one that is closed is closed with it."""
    meant = frozenset(
        one.name for one in model.backends.values() if patch_match.backend(ctx, patch, one.name)
    )
    for table in model.route_tables:
        for host in table.hosts.values():
            leads = {index: why for index, one in enumerate(host.routes) if meant & _reached(one.action)}
            if leads:
                found.routes |= {(table.name, domain): leads for domain in host.domains}
    for listener in model.listeners:
        for chain in listener.chains:
            if isinstance(chain.serve, TcpService) and any(one.backend in meant for one in chain.serve.to):
                found.chains.setdefault((listener.name, chain.name), why)


def _reached(action: Action) -> frozenset[str]:
    if not isinstance(action, Forward):
        return frozenset()
    return frozenset((*(one.backend for one in action.to), *(one.backend for one in action.copies)))


def _listeners_of(model: Model, table: RouteTable) -> tuple[Listener, ...]:
    return tuple(
        listener
        for listener in model.listeners
        if any(
            isinstance(chain.serve, HttpService) and chain.serve.route_table == table.name
            for chain in listener.chains
        )
    )


# --- plugins ----------------------------------------------------------------------------------------


def _plugin(ctx: Context, model: Model, idle: Idle) -> Closed:
    """A plugin that does not run is code that nobody here has seen: in any phase it may refuse.

    As in Istio, where one that cannot be had refuses every request. Its author may allow to go on without it
    (FAIL_OPEN): that is for a moment of failure, so who is to be let in (AUTHN, AUTHZ) is judged all the same.
    """
    extension, why_not = idle.extension, idle.why
    found, wasm = Closed(), wasm_of(extension)
    decides = extension.spec.phase in ("AUTHN", "AUTHZ")
    at = "spec.url" if isinstance(extension, WasmPlugin) else "spec"
    if wasm is not None and wasm.fail_strategy == "FAIL_OPEN" and not decides:
        message = f"{why_not}; it may be left out when it fails (FAIL_OPEN), and traffic is served"
        if idle.is_unknown:
            _inform(ctx, extension.ref, at, message)
            return found
        _report(ctx, extension.ref, "EXT-004", at, message, "Remove it, or do without what it does.")
        return found
    kind = wasm.type if wasm is not None else ""

    def meant(listener: Listener, chain: Chain) -> bool:
        carries = kind == "NETWORK" or isinstance(chain.serve, HttpService)
        return carries and patch_match.traffic(ctx, extension.spec.match, listener, chain)

    why = Why(str(extension.ref), _NOT_RUN)
    _close_chains(model, found, why, meant)
    names = found.names()
    if names and idle.is_unknown:
        _inform(ctx, extension.ref, at, f"{why_not}; until it runs, {_refuses(ctx, why, names)}")
    elif names:
        what = "the plugin" if isinstance(extension, WasmPlugin) else "the extension"
        message = f"{what} is not run ({why_not}), and may keep requests out: {_refuses(ctx, why, names)}"
        hint = "Mend it; or say it by RequestAuthentication or AuthorizationPolicy."
        _report(ctx, extension.ref, "EXT-001", at, message, hint)
    return found


def _beside(ctx: Context, model: Model, extension: WasmPlugin | TrafficExtension) -> Closed:
    """What a plugin that runs is for and does not reach: requests of a sidecar's application that lead out."""
    found = Closed()

    def missed(listener: Listener, chain: Chain) -> bool:
        is_reached = not isinstance(chain.serve, HttpService) or chain.serve.judged
        return not is_reached and patch_match.traffic(ctx, extension.spec.match, listener, chain)

    _close_chains(model, found, Why(str(extension.ref), _NOT_RUN), missed)
    if names := found.names():
        why = Why(str(extension.ref), _NOT_RUN)
        message = (
            f"the plugin is not run for requests that lead out of a sidecar: {_refuses(ctx, why, names)}"
        )
        _report(
            ctx,
            extension.ref,
            "EXT-001",
            "spec",
            message,
            "Write match: [{mode: SERVER}], or select gateways alone.",
        )
    return found


# --- what becomes of the model ----------------------------------------------------------------------


def _applied(model: Model, found: Closed) -> Model:
    if found == Closed():
        return model
    return replace(
        model,
        route_tables=tuple(_closed_table(table, found) for table in model.route_tables),
        listeners=tuple(_closed_listener(listener, found) for listener in model.listeners),
    )


def _closed_listener(listener: Listener, found: Closed) -> Listener:
    chains = []
    for chain in listener.chains:
        why = found.chains.get((listener.name, chain.name))
        if why is None or not isinstance(chain.serve, TcpService):
            chains.append(chain)
            continue
        refused = Access(deny=True, rules=(AccessRule(name=f"closed by {why.owner}", what=All(), who=All()),))
        chains.append(replace(chain, serve=replace(chain.serve, access=(refused,))))
    return listener if tuple(chains) == listener.chains else replace(listener, chains=tuple(chains))


def _closed_table(table: RouteTable, found: Closed) -> RouteTable:
    if why := found.tables.get(table.name):
        return replace(table, hosts=by_name(_closed_host(host, table, why) for host in table.hosts.values()))
    hosts = by_name(part for host in table.hosts.values() for part in _parted(host, table, found))
    taken = {domain for host in hosts.values() for domain in host.domains}
    for (name, domain), why in found.added.items():
        if name == table.name and domain not in taken:
            own = Host(name=f"closed:{domain}", domains=(domain,), routes=(), count_attempts=False)
            hosts = hosts.updated({own.name: _closed_host(own, table, why)})
    return table if hosts == table.hosts else replace(table, hosts=hosts)


def _parted(host: Host, table: RouteTable, found: Closed) -> tuple[Host, ...]:
    """A host, its domains parted by what is closed of each."""
    parts: dict[Host, list[str]] = {}
    for domain in host.domains:
        parts.setdefault(_partly(host, table, (table.name, domain), found), []).append(domain)
    if list(parts) == [host]:
        return (host,)
    number = host.name.rpartition(":")[2]
    return tuple(
        replace(part, name=f"{domains[0]}:{number}" if index else host.name, domains=tuple(domains))
        for index, (part, domains) in enumerate(parts.items())
    )


def _partly(host: Host, table: RouteTable, domain: Domain, found: Closed) -> Host:
    if why := found.hosts.get(domain):
        return _closed_host(host, table, why)
    closed_routes, before = found.routes.get(domain, {}), found.before.get(domain, ())
    if not closed_routes and not before:
        return host
    first = tuple(_refused(match, table, why) for match, why in before)
    routes = tuple(
        replace(route, name=CLOSED, action=_refusal(why), headers=NO_CHANGES, fault=None, cors=None)
        if (why := closed_routes.get(index))
        else route
        for index, route in enumerate(host.routes)
    )
    return replace(
        host,
        routes=(*first, *routes),
        answered_plain=host.answered_plain and host.answered_plain + len(first),
    )


def _closed_host(host: Host, table: RouteTable, why: Why) -> Host:
    """Every request of it; none is redirected to https first."""
    return replace(host, routes=(_refused(RouteMatch(), table, why),), to_https=(), answered_plain=0)


def _refused(match: RouteMatch, table: RouteTable, why: Why) -> Route:
    return Route(name=CLOSED, match=match, action=_refusal(why), origin=table.origin, at="")


def _refusal(why: Why) -> Fail:
    return Fail(status=why.status, because=f"{why.owner} may guard it, and is not honoured")
