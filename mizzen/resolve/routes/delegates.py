"""Delegation: a rule of a root VirtualService that another one fills in."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.resolve import with_errors
from mizzen.resolve.budget import MOST_ROUTES
from mizzen.resolve.context import Context
from mizzen.resolve.gateways.attach import gateway_key, is_visible
from mizzen.resolve.ingress.written import author
from mizzen.resources.istio.virtual_service import HTTPMatchRequest, HTTPRoute, StringMatch, VirtualService

T = TypeVar("T")

CODES = {
    "REF-006": "A rule is delegated to a VirtualService that does not exist, or may not be seen.",
    "RT-003": "A rule of a delegate delegates in its turn; it takes no part.",
    "RT-008": "No request can meet a delegate's rule: its match lies outside that of the rule that delegates.",
}

# What a rule of the delegate inherits as a whole when it does not set it.
_INHERITED = (
    "rewrite",
    "direct_response",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirror_percent",
    "mirror_percentage",
    "cors_policy",
    "headers",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One HTTP rule that takes part, after delegation."""

    route: HTTPRoute
    at: str  # of the root's rule
    ref: ResourceRef  # where its destinations are written: the root or the delegate
    namespace: str  # in which short host names are looked up
    origin: ResourceRef  # whose rule it is


def rules_of(ctx: Context, root: VirtualService) -> tuple[Rule, ...] | None:
    """The HTTP rules of a VirtualService, each delegated one replaced by those of its delegate, in place.

    None: by delegation they are more than a VirtualService may become.
    """
    found: list[Rule] = []
    left = MOST_ROUTES
    for route in root.spec.http:
        if route.delegate is None:
            own = author(root, route)
            found.append(Rule(route=route, at=route.at, ref=own, namespace=root.namespace, origin=own))
            continue
        delegate = delegate_of(ctx, root, route)
        if delegate is None:
            continue
        for part in delegate.spec.http:
            left -= max(1, len(route.match)) * max(1, len(part.match))
            if left < 0:
                return None
            merged = (
                _merge(route, part, root.namespace, delegate.namespace) if part.delegate is None else None
            )
            if merged is not None:
                found.append(
                    Rule(
                        route=merged,
                        at=route.at,
                        ref=delegate.ref,
                        namespace=delegate.namespace,
                        origin=root.ref,
                    )
                )
    return tuple(found)


def delegate_of(ctx: Context, root: VirtualService, route: HTTPRoute) -> VirtualService | None:
    """The delegate of a rule, if there is one that the root may see."""
    assert route.delegate is not None
    key = (route.delegate.namespace or root.namespace, route.delegate.name)
    found = ctx.world.virtual_service_by_key.get(key)
    if found is None or found.spec.hosts or not is_visible(ctx, found, root.namespace):
        return None
    return found


def check_delegates(ctx: Context, root: VirtualService) -> None:
    """Report the delegates that are missing or hidden, and those that delegate in their turn."""
    for route in root.spec.http:
        if route.delegate is None:
            continue
        key = (route.delegate.namespace or root.namespace, route.delegate.name)
        found = delegate_of(ctx, root, route)
        if found is None:
            ctx.report(_missing(ctx, root, route, key))
            continue
        for part in found.spec.http:
            if part.delegate is not None:
                ctx.report(
                    Problem(
                        code="RT-003",
                        resource=found.ref,
                        field=f"{part.at}.delegate",
                        message="a delegate cannot delegate: this rule takes no part",
                        hint="Delegate from the root VirtualService, to each part by a rule of its own.",
                    )
                )
            elif _merge(route, part, root.namespace, found.namespace) is None:
                ctx.report(_outside(root, route, found, part))


def _outside(root: VirtualService, route: HTTPRoute, delegate: VirtualService, part: HTTPRoute) -> Problem:
    wide = tuple(_resolved(match, root.namespace) for match in route.match)
    narrow = ((match.at, _resolved(match, delegate.namespace)) for match in part.match)
    at = next((at for at, match in narrow if all(conflicts(one, match) for one in wide)), part.at)
    return Problem(
        severity=Severity.WARNING,
        code="RT-008",
        resource=delegate.ref,
        field=at,
        message=f"no request meets this rule: the match lies outside that of {root.ref} {route.at}, which delegates here",
        hint="A path begins with the prefix of the rule that delegates; a regex cannot be narrowed further.",
    )


def _missing(ctx: Context, root: VirtualService, route: HTTPRoute, key: tuple[str, str]) -> Problem:
    name = f"{key[0]}/{key[1]}"
    there = ctx.world.virtual_service_by_key.get(key)
    at = f"{route.at}.delegate"
    if there is None and (meant := with_errors.named(ctx, VirtualService.__name__, *key)):
        return with_errors.problem(root.ref, at, meant)
    if there is None:
        message, hint = f"there is no VirtualService {name} to delegate to", "Check its name and namespace."
    elif there.spec.hosts:
        message = f"VirtualService {name} has hosts of its own, so it is no delegate"
        hint = "A delegate has neither hosts nor gateways."
    else:
        message = f"VirtualService {name} is not exported to the namespace {root.namespace}"
        hint = f"Add {root.namespace!r} to its spec.exportTo."
    return Problem(code="REF-006", resource=root.ref, field=at, message=message, hint=hint)


# --- merging ----------------------------------------------------------------------------------------


def _merge(root: HTTPRoute, part: HTTPRoute, root_namespace: str, part_namespace: str) -> HTTPRoute | None:
    """A rule of the delegate inside the rule that delegates; None when their matches exclude each other."""
    matches = _merge_matches(
        tuple(_resolved(m, root_namespace) for m in root.match),
        tuple(_resolved(m, part_namespace) for m in part.match),
    )
    if matches is None:
        return None
    inherited: dict[str, Any] = {
        name: getattr(root, name) for name in _INHERITED if getattr(part, name) is None
    }
    return replace(
        part,
        **inherited,
        name="-".join(filter(None, (root.name, part.name))),
        match=matches,
        mirrors=part.mirrors or root.mirrors,
    )


def _resolved(match: HTTPMatchRequest, namespace: str) -> HTTPMatchRequest:
    """The same with its Gateways as keys: "name" means another Gateway in another namespace."""
    return replace(match, gateways=tuple(gateway_key(one, namespace) for one in match.gateways))


def _merge_matches(
    root: tuple[HTTPMatchRequest, ...], part: tuple[HTTPMatchRequest, ...]
) -> tuple[HTTPMatchRequest, ...] | None:
    """Every compatible pair; None when one match of the delegate fits none of the root."""
    if not root or not part:
        return root or part
    found: list[HTTPMatchRequest] = []
    for narrow in part:
        pairs = [_both(wide, narrow) for wide in root if not conflicts(wide, narrow)]
        if not pairs:
            return None
        found += pairs
    return tuple(found)


def _both(root: HTTPMatchRequest, part: HTTPMatchRequest) -> HTTPMatchRequest:
    return replace(
        part,
        name="-".join(filter(None, (root.name, part.name))),
        uri=part.uri or root.uri,
        scheme=part.scheme or root.scheme,
        method=part.method or root.method,
        authority=part.authority or root.authority,
        port=part.port or root.port,
        source_namespace=part.source_namespace or root.source_namespace,
        gateways=part.gateways or root.gateways,
        stat_prefix=part.stat_prefix or root.stat_prefix,
        headers={**root.headers, **part.headers},
        without_headers={**root.without_headers, **part.without_headers},
        query_params={**root.query_params, **part.query_params},
        source_labels={**root.source_labels, **part.source_labels},
    )


def conflicts(root: HTTPMatchRequest, part: HTTPMatchRequest) -> bool:
    """Can no request meet both?"""
    texts = ((root.uri, part.uri), (root.scheme, part.scheme), (root.method, part.method))
    maps: tuple[tuple[Mapping[str, StringMatch | None], Mapping[str, StringMatch | None]], ...] = (
        (root.headers, part.headers),
        (root.without_headers, part.without_headers),
        (root.query_params, part.query_params),
    )
    return (
        root.ignore_uri_case != part.ignore_uri_case
        or any(_texts_conflict(*pair) for pair in (*texts, (root.authority, part.authority)))
        or any(_maps_conflict(*pair, _texts_conflict) for pair in maps)
        or bool(root.port and part.port and root.port != part.port)
        or bool(root.source_namespace and root.source_namespace != part.source_namespace)
        or _maps_conflict(root.source_labels, part.source_labels, lambda one, other: one != other)
        or bool(root.gateways and part.gateways and not set(part.gateways) <= set(root.gateways))
    )


def _maps_conflict(one: Mapping[str, T], other: Mapping[str, T], conflict: Callable[[T, T], bool]) -> bool:
    return any(conflict(one[key], other[key]) for key in one.keys() & other.keys())


def _texts_conflict(root: StringMatch | None, part: StringMatch | None) -> bool:
    """As Istio judges: of regular expressions nothing can be said, so they exclude any other condition."""
    if root is None or part is None:
        return False
    if root.regex is not None or part.regex is not None:
        return True
    if root.exact is not None:
        return part.exact != root.exact
    if root.prefix is not None:
        narrow = part.exact if part.exact is not None else part.prefix
        return narrow is None or not narrow.startswith(root.prefix)
    return False
