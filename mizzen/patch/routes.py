"""ROUTE_CONFIGURATION, VIRTUAL_HOST and HTTP_ROUTE: what a route table is made of (patch/tables), and the one host of a scope."""

from collections.abc import Iterable
from functools import partial

from mizzen._api import pb
from mizzen.envoy.virtual_host import MISDIRECTED, NO_ROUTE
from mizzen.model.patch import Operation, Patch, Target
from mizzen.model.route import CLOSED
from mizzen.patch import matching
from mizzen.patch.matching import TableName
from mizzen.patch.prepared import MERGING, Work, is_for_side, place, replaced, value_of


def for_table(patches: Iterable[Patch], name: TableName, *, inbound: bool) -> list[Patch]:
    """Those of the patches that are for a table, or something in it."""
    return [
        patch
        for patch in patches
        if is_for_side(patch, inbound=inbound) and matching.table(patch.table, name)
    ]


def patch_scope(one: pb.RouteConfiguration, name: TableName, work: Work) -> bool:
    """Patch the one host that a scope has of a table, in its place; False where it is removed."""
    mine = for_table(work.patches, name, inbound=False)
    patch_shell(one, mine, work)
    hosts = list(one.virtual_hosts)
    kept = [made for host in hosts if (made := patch_host(host, mine, work)) is not None]
    if kept != hosts:
        replaced(one.virtual_hosts, kept)
    return bool(kept) or not hosts


def patch_shell(one: pb.RouteConfiguration, mine: Iterable[Patch], work: Work) -> None:
    """ROUTE_CONFIGURATION: what a table is but for its hosts. Hosts that a patch brings are appended."""
    for patch in mine:
        if patch.target is Target.ROUTE_CONFIGURATION:
            work.hits.add(patch)
            work.merge(one, patch)


def added_hosts(mine: Iterable[Patch], work: Work) -> list[pb.VirtualHost]:
    """The hosts that patches add to a table."""
    adding = [
        patch for patch in mine if patch.target is Target.VIRTUAL_HOST and patch.operation is Operation.ADD
    ]
    work.hits.update(adding)
    return [value_of(patch) for patch in adding]


def patch_host(host: pb.VirtualHost, mine: Iterable[Patch], work: Work) -> pb.VirtualHost | None:
    """The host as patches make it: it may be the same one, in its place; None where it is removed.

    What stands for another server's hosts, or is closed for a guard that is not honoured, stays as it is.
    """
    meant = [
        patch
        for patch in mine
        if (patch.target is Target.VIRTUAL_HOST and patch.operation is not Operation.ADD)
        or patch.target is Target.HTTP_ROUTE
    ]
    if not any(matching.host(patch, host) for patch in meant):
        return host
    if host.name == MISDIRECTED or any(route.name == CLOSED for route in host.routes):
        return host
    for patch in meant:
        if patch.target is not Target.VIRTUAL_HOST or not matching.host(patch, host):
            continue
        work.hits.add(patch)
        if patch.operation is Operation.REMOVE:
            return None
        if patch.operation in MERGING:
            work.merge(host, patch)
        else:
            host = pb.VirtualHost()
            host.CopyFrom(value_of(patch))
    of_routes = [patch for patch in meant if patch.target is Target.HTTP_ROUTE and matching.host(patch, host)]
    if of_routes:
        _patch_routes(host, of_routes, work)
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
