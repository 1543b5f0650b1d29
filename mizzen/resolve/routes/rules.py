"""The rules of a VirtualService in one place -> routes, in the order in which they are tried."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.model.route import Action, Exact, Fail, Forward, Prefix, Regex, Route, RouteMatch
from mizzen.resolve.budget import MOST_ROUTES
from mizzen.resolve.routes.actions import Actions, cors, fault
from mizzen.resolve.routes.delegates import Rule
from mizzen.resolve.routes.dynamic_names import OUTSIDE
from mizzen.resolve.routes.header_changes import header_changes, telling_operation
from mizzen.resolve.routes.matches import applies, route_match
from mizzen.resources.istio.virtual_service import HTTPMatchRequest, VirtualService

CODES = {
    "RT-005": "A VirtualService becomes too many routes, by its delegates or by the tables that it is in; its requests fail.",
}
TOO_MANY = "too many routes"


def routes_of(service: VirtualService, rules: tuple[Rule, ...] | None, actions: Actions) -> tuple[Route, ...]:
    """The routes of a VirtualService in one place; nothing comes after one that takes every request.

    One that raises fails its requests: they never fall to a wider route. So do all where the rules are too many (None).
    """
    found: list[Route] = []
    if rules is None:
        actions.ctx.report(too_many(service.ref))
        return (failing(RouteMatch(), service.ref, "spec.http", TOO_MANY),)
    for rule in rules:
        for match in rule.route.match or (None,):
            make = partial(_route_if_any, rule, match, actions, service)
            made = attempt(Stage.RESOLVE, rule.ref, make, actions.ctx.report, None, rule.route.at)
            if made is None:
                made = (failing(_narrowest(match), rule.origin, rule.at),)
            found += made
            if made and (match is None or made[-1].match.is_catch_all):
                return tuple(found)
    return tuple(found)


def failing(match: RouteMatch, origin: ResourceRef, at: str, because: str = "a fault of mizzen") -> Route:
    """What stands for a route that cannot be made."""
    action = Fail(status=500, because=because)
    return Route(name="", match=match, action=action, origin=origin, at=at)


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
    narrow = [route for route in routes if not route.match.is_widest]
    return (*narrow, *(route for route in routes if route.match.is_widest))


def _route_if_any(
    rule: Rule, match: HTTPMatchRequest | None, actions: Actions, service: VirtualService
) -> tuple[Route, ...]:
    """None where the match is for other gateways or ports, else one; two where a port in Host makes a difference."""
    where = actions.where
    if match is not None and not applies(actions.ctx, match, where.gateway, where.port, service.namespace):
        return ()
    when = route_match(match)
    found = [
        _route(rule, match, actions, action, replace(when, names_port=True) if is_named else when)
        for action, is_named in actions.of(rule)
    ]
    return tuple(narrowed for route in found for narrowed in _by_name(rule, actions, route))


def _by_name(rule: Rule, actions: Actions, route: Route) -> tuple[Route, ...]:
    """The route, for the authorities alone that may be connected to; others fail, and fall to no wider rule."""
    if not isinstance(route.action, Forward):
        return (route,)
    names = actions.names(rule, route.action)
    if names == ():
        return (route,)
    others = replace(route, action=actions.without_names(rule, route.action))
    if names is None:
        message = f"{OUTSIDE}: its requests get 503"
        hint = "Rewrite the authority to a name below that host, or not at all."
        at = f"{rule.at}.rewrite.authority"
        actions.ctx.report(Problem(code="BE-009", resource=rule.origin, field=at, message=message, hint=hint))
        return (others,)
    match = replace(route.match, headers=(*route.match.headers, *names))
    return (replace(route, match=match), others)


def _route(
    rule: Rule,
    match: HTTPMatchRequest | None,
    actions: Actions,
    action: Action,
    when: RouteMatch,
) -> Route:
    written = rule.route
    forward = action if isinstance(action, Forward) else None
    operation = _operation(forward, when, rule.origin, actions.where.port)
    changes = header_changes(written.headers).changes
    if forward is not None and actions.tells_operation:
        changes = telling_operation(changes, operation)
    return Route(
        name=f"{written.name}.{match.name}" if match and match.name else written.name,
        match=when,
        action=action,
        headers=changes,
        fault=fault(written.fault),
        cors=cors(written.cors_policy),
        stat_prefix=match.stat_prefix if match else "",
        operation=operation,
        origin=rule.origin,
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
