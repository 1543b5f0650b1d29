"""ROUTE_CONFIGURATION, VIRTUAL_HOST and HTTP_ROUTE: one route table, or the one host that a scope has of it."""

from functools import partial

from mizzen._api import pb
from mizzen.envoy.virtual_host import MISDIRECTED, NO_ROUTE
from mizzen.model.patch import Operation, Patch, Target
from mizzen.model.route import CLOSED
from mizzen.patch import matching
from mizzen.patch.matching import TableName
from mizzen.patch.prepared import MERGING, Work, is_for_side, place, replaced, value_of

_OF_HOSTS = frozenset({Target.VIRTUAL_HOST, Target.HTTP_ROUTE})


def patch_table(
    one: pb.RouteConfiguration, name: TableName, work: Work, *, inbound: bool, scoped: bool
) -> None:
    """Patch a table in its place. `scoped`: it is one host of the table, and no host is added to it."""
    mine = [
        patch
        for patch in work.patches
        if is_for_side(patch, inbound=inbound) and matching.table(patch.table, name)
    ]
    for patch in mine:
        if patch.target is Target.ROUTE_CONFIGURATION:
            work.hits.add(patch)
            work.merge(one, patch)
    of_hosts = [patch for patch in mine if patch.target in _OF_HOSTS]
    if not of_hosts:
        return
    kept = [made for host in one.virtual_hosts if (made := _patched(host, of_hosts, work)) is not None]
    for patch in mine:
        if patch.target is Target.VIRTUAL_HOST and patch.operation is Operation.ADD and not scoped:
            work.hits.add(patch)
            kept.append(value_of(patch))
    replaced(one.virtual_hosts, kept)


def _patched(host: pb.VirtualHost, mine: list[Patch], work: Work) -> pb.VirtualHost | None:
    """None where it is removed. What stands for another server's hosts, or is closed for a guard that is not honoured, stays as
    it is."""
    if host.name == MISDIRECTED or any(route.name == CLOSED for route in host.routes):
        return host
    for patch in mine:
        if patch.target is not Target.VIRTUAL_HOST or patch.operation is Operation.ADD:
            continue
        if not matching.host(patch, host):
            continue
        work.hits.add(patch)
        if patch.operation is Operation.REMOVE:
            return None
        if patch.operation in MERGING:
            work.merge(host, patch)
        else:
            host = value_of(patch)
    of_routes = [patch for patch in mine if patch.target is Target.HTTP_ROUTE and matching.host(patch, host)]
    if of_routes:
        out = pb.VirtualHost()
        out.CopyFrom(host)
        _patch_routes(out, of_routes, work)
        return out
    return host


def _patch_routes(host: pb.VirtualHost, mine: list[Patch], work: Work) -> None:
    """First each route that is there, then those that come; ours that answers 404 to the rest stays the last."""
    listed = list(host.routes)
    end = listed[-1:] if listed and listed[-1].name == NO_ROUTE else []
    kept = [route for route in listed[: len(listed) - len(end)] if _is_kept(route, mine, work)]
    for patch in mine:
        if patch.operation in MERGING or patch.operation is Operation.REMOVE:
            continue
        has_anchor = matching.route_match(patch) is not None
        if patch.operation is Operation.INSERT_FIRST and has_anchor:
            # Istio: first of all, where there is such a route at all.
            if not any(matching.route(patch, route) for route in kept):
                continue
            has_anchor = False
        new = pb.Route()
        new.CopyFrom(value_of(patch))
        is_anchor = partial(matching.route, patch) if has_anchor else None
        if place(kept, new, patch.operation, is_anchor):
            work.hits.add(patch)
    replaced(host.routes, [*kept, *end])


def _is_kept(route: pb.Route, mine: list[Patch], work: Work) -> bool:
    for patch in mine:
        if patch.operation not in MERGING and patch.operation is not Operation.REMOVE:
            continue
        if matching.route(patch, route):
            work.hits.add(patch)
            if patch.operation is Operation.REMOVE:
                return False
            work.merge(route, patch)
    return True
