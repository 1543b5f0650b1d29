"""Route tables -> resources, by difference: a host that is the same as before is not translated again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import partial

from mizzen._api import pb
from mizzen.envoy.changes import Changes
from mizzen.envoy.filters import switches
from mizzen.envoy.joined import entry, frame
from mizzen.envoy.route_configuration import VIRTUAL_HOSTS, route_configuration
from mizzen.envoy.scoped_route import empty_scope, scope_name, scope_names, scopes
from mizzen.envoy.scoping import TABLE, Sending
from mizzen.envoy.types import ROUTES, SCOPED_ROUTES
from mizzen.envoy.virtual_host import closed_host, misdirected_host, virtual_host
from mizzen.errors import Problem
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.route import Host, RouteTable
from mizzen.persistent import PersistentMap

_NO_ENTRIES: PersistentMap[str, bytes] = PersistentMap()
_NO_FAULTS: PersistentMap[str, tuple[Problem, ...]] = PersistentMap()


@dataclass(frozen=True, slots=True)
class TableParts:
    """One table, how it was sent, and what is kept of its hosts (by name)."""

    table: RouteTable
    sending: Sending = TABLE
    entries: PersistentMap[str, bytes] = field(
        default_factory=PersistentMap
    )  # of the one resource, where it is sent so
    faults: PersistentMap[str, tuple[Problem, ...]] = field(default_factory=PersistentMap)


Tables = Mapping[str, TableParts]


def translate_tables(
    tables: Iterable[RouteTable], sendings: Mapping[str, Sending], before: Tables, changes: Changes
) -> Tables:
    """Translate what differs from `before`, and drop what is gone; gives what to keep for the next time."""
    made = {}
    for table in tables:
        sending, earlier = sendings[table.name], before.get(table.name)
        if earlier is not None and earlier.table is table and earlier.sending == sending:
            made[table.name] = earlier
        else:
            if earlier is not None and earlier.sending != sending:
                _drop(earlier, changes)
                earlier = None
            made[table.name] = _Table(table, sending, earlier, changes).translated()
    for name in before.keys() - made.keys():
        _drop(before[name], changes)
    return made


def _drop(parts: TableParts, changes: Changes) -> None:
    changes.drop(ROUTES, parts.table.name)
    if parts.sending.scopes:
        for name in scope_names(parts.table):
            changes.drop(SCOPED_ROUTES, name)


@dataclass(slots=True)
class _Table:
    """Translates one table. `before`: the same table earlier, if it was sent in the same way."""

    table: RouteTable
    sending: Sending
    before: TableParts | None
    changes: Changes
    _removed: set[str] = field(default_factory=set)  # names of hosts that are gone
    _made: dict[str, pb.VirtualHost] = field(default_factory=dict)  # those that were translated
    _faults: dict[str, tuple[Problem, ...]] = field(default_factory=dict)  # of these

    def translated(self) -> TableParts:
        faults = self._translate()
        problems = dict.fromkeys(problem for some in faults.values() for problem in some)
        if self.sending.problem is not None:
            problems[self.sending.problem] = None
        if self.sending.scopes:
            self._put_scopes()
        entries = self._put_table() if self.sending.table else _NO_ENTRIES
        self.changes.fault((ROUTES, self.table.name), tuple(problems))
        return TableParts(self.table, self.sending, entries, faults)

    def _translate(self) -> PersistentMap[str, tuple[Problem, ...]]:
        """Translate the hosts that are new or other; gives what is wrong with all."""
        known = self.before.faults if self.before else _NO_FAULTS
        earlier = self.before.table.hosts if self.before else None
        difference = self.table.hosts.difference(earlier)
        self._removed = difference.removed
        changed = difference.changed
        if self.before and self.before.table.chosen_again != self.table.chosen_again:  # each has another end
            earlier, changed = None, self.table.hosts
        for name, host in changed.items():
            # Equal hosts may be written in other lines, which problems tell.
            if earlier is not None and name not in known and earlier.get(name) == host:
                continue
            problems: list[Problem] = []
            self._made[name] = self._host(host, problems.append)
            self._faults[name] = tuple(dict.fromkeys(problems))
        faulty = {name: problems for name, problems in self._faults.items() if problems}
        return known.updated(faulty, (self._faults.keys() - faulty.keys()) | self._removed)

    def _host(self, host: Host, report: Callable[[Problem], None]) -> pb.VirtualHost:
        """A host that cannot be translated answers 404: its requests fall to no wider host."""
        blamed = host.routes[0].origin if host.routes else self.table.origin
        made = attempt(
            Stage.TRANSLATE,
            blamed,
            partial(
                virtual_host,
                host,
                report,
                ends=self.table.chosen_again,
                announcement=self.table.announcement,
            ),
            report,
            None,
        )
        return made or closed_host(host)

    def _put_table(self) -> PersistentMap[str, bytes]:
        """All hosts as one resource."""
        table, before = self.table, self.before
        known = before.entries if before else _NO_ENTRIES
        changed = {name: _entry(one) for name, one in self._made.items()}
        entries = known.updated(changed, self._removed)
        if before is None or entries is not known or _around(table) != _around(before.table):
            around = frame(shell(table), VIRTUAL_HOSTS)
            self.changes.put(ROUTES, table.name, around.around((*entries.values(), *last_entries(table))))
        return entries

    def _put_scopes(self) -> None:
        """Each domain as a resource of its own."""
        table, put = self.table, self.changes.put
        if self.before is None:
            put(SCOPED_ROUTES, *empty_scope(table))
        else:
            for name in self._removed | self._made.keys():
                host = self.before.table.hosts.get(name)
                for domain in host.domains if host is not None else ():
                    self.changes.drop(SCOPED_ROUTES, scope_name(table, domain))
        self._put_misdirected()
        for made in self._made.values():
            for name, body in scopes(table, made):
                put(SCOPED_ROUTES, name, body)

    def _put_misdirected(self) -> None:
        """Domains of other servers, in what was and will be; a host that has come in their place is put later."""
        table, known = self.table, self.before.table if self.before else None
        earlier = set(known.misdirected) if known else set()
        for domain in earlier.difference(table.misdirected):
            self.changes.drop(SCOPED_ROUTES, scope_name(table, domain))
        if known is not None and known.announcement != table.announcement:
            earlier = set()
        if new := tuple(sorted(set(table.misdirected) - earlier)):
            for name, body in scopes(table, misdirected_host(new, table.announcement, scoped=True)):
                self.changes.put(SCOPED_ROUTES, name, body)


def shell(table: RouteTable) -> pb.RouteConfiguration:
    """The one resource of a table without its hosts."""
    return route_configuration(
        table.name,
        port_in_domains=table.port_in_domains,
        switches=switches(scoped=False, chosen_again=table.chosen_again),
    )


def last_entries(table: RouteTable) -> tuple[bytes, ...]:
    """What stands behind its hosts."""
    if not table.misdirected:
        return ()
    return (_entry(misdirected_host(table.misdirected, table.announcement)),)


def _entry(host: pb.VirtualHost) -> bytes:
    return entry(host, pb.RouteConfiguration, VIRTUAL_HOSTS)


def _around(table: RouteTable) -> tuple[object, ...]:
    """All that the one resource is made of but its hosts."""
    return table.misdirected, table.announcement, table.port_in_domains, table.chosen_again
