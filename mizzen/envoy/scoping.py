"""How a route table goes to Envoy: as one resource (RDS, as Istio does), or each host as its own (scoped routes).

Scoped, one changed host costs Envoy what one host costs, whatever their number. It fits only tables whose hosts are
all exact, since a scope is found by its key alone. To go over from one to the other is to change the filter chain:
its connections are drained. So what was decided stays, as long as it can.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mizzen.envoy.scoped_route import is_plain
from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.model.route import Host, RouteTable, Scoped

CODES = {
    "RT-006": "A host that is not exact came to a large route table: its connections are drained, and each change costs more.",
}
# Below, a whole table is sent and taken in faster than anybody could see.
LEAST_HOSTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How one table is sent. Both: connections that drain have the scopes that they began with."""

    table: bool
    scopes: bool
    problem: Problem | None = None  # why a table that was scoped is so no more


TABLE = Sending(table=True, scopes=False)
SCOPES = Sending(table=False, scopes=True)


@dataclass(frozen=True, slots=True)
class Decided:
    """A table, and what was decided for it."""

    table: RouteTable
    sending: Sending


def decide(
    tables: Iterable[RouteTable],
    when: Scoped,
    before: Mapping[str, Decided],
    kept: Mapping[str, bool],
    whole: Mapping[str, ResourceRef] = MappingProxyType({}),
) -> dict[str, Sending]:
    """How each of `tables` is sent, by its name. `whole`: those that must go as one, and the object for which they do.

    `before`: the same tables earlier. `kept`: which tables of an earlier process were scoped; it counts where `before`
    knows nothing.
    """
    return {
        table.name: _decide(table, when, before.get(table.name), kept.get(table.name), whole.get(table.name))
        for table in tables
    }


def _decide(
    table: RouteTable, when: Scoped, before: Decided | None, kept: bool | None, whole: ResourceRef | None
) -> Sending:
    is_scoped = before.sending == SCOPES if before else kept
    if is_scoped is False:
        return before.sending if before else TABLE
    if when is Scoped.NEVER:
        return Sending(table=True, scopes=bool(is_scoped))
    if whole is not None:
        return Sending(table=True, scopes=True, problem=_patched(table, whole)) if is_scoped else TABLE
    obstacle = _obstacle(table, before.table if before and is_scoped else None)
    if obstacle is not None:
        problem = _problem(table, *obstacle)
        return Sending(table=True, scopes=True, problem=problem) if is_scoped else TABLE
    if is_scoped:
        return SCOPES
    is_wanted = when is Scoped.ALWAYS or (when is Scoped.AUTO and len(table.hosts) >= LEAST_HOSTS)
    return SCOPES if is_wanted else TABLE


def _obstacle(table: RouteTable, before: RouteTable | None) -> tuple[ResourceRef, str] | None:
    """The object, and its host, that a table cannot be scoped for. `before`: a table that can be."""
    if before is None and (table.port_in_domains or not is_plain(table.name)):
        return table.origin, table.name
    if before is None or table.misdirected is not before.misdirected:
        for domain in table.misdirected:
            if not is_plain(domain):
                return table.origin, domain
    for host in table.hosts.difference(before.hosts if before else None).changed.values():
        for domain in host.domains:
            if not is_plain(domain) and not _is_as_unknown(host):
                return (host.routes[0].origin if host.routes else table.origin), domain
    return None


def _is_as_unknown(host: Host) -> bool:
    """Its requests get 404, as those for a host that nobody has: without a scope it is the same."""
    return not host.routes and not host.to_https


def _patched(table: RouteTable, ref: ResourceRef) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        code="RT-006",
        resource=ref,
        message=f"a patch brings hosts or domains to {table.name}, which Envoy got host by host: from now on each change sends them "
        "all, and connections that are open are drained",
        hint="Nothing is cut off. A VirtualService can bring a host, too.",
    )


def _problem(table: RouteTable, ref: ResourceRef, domain: str) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        code="RT-006",
        resource=ref,
        message=f"{domain} is not one exact host, and {table.name} had exact hosts alone, which Envoy got one by one: from now on "
        "each change sends them all, and connections that are open are drained",
        hint="Nothing is cut off. Give wildcard hosts a Gateway server of their own, on another port, to keep changes small.",
    )
