"""A route table that goes to Envoy as one resource, patched host by host: what no patch is for is neither read nor written again.

10,000 hosts are some megabytes on the wire. As in translating (envoy/route_tables), each host is kept as the bytes that it is in the
table, and where one has changed, one is patched.
"""

from collections.abc import Iterable

from mizzen._api import pb
from mizzen.envoy.joined import entry, frame
from mizzen.envoy.route_configuration import VIRTUAL_HOSTS
from mizzen.envoy.route_tables import TableParts, last_entries, shell
from mizzen.envoy.violations import Violation, is_sound, violations
from mizzen.lazy import dataclass
from mizzen.model.patch import Patch
from mizzen.patch.matching import TableName
from mizzen.patch.prepared import Work
from mizzen.patch.routes import added_hosts, for_table, patch_host, patch_shell
from mizzen.persistent import PersistentMap

_NOTHING = frozenset[Patch]()


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """What a host has become that some patch is for. `entry`: its bytes in the table; b"" where it is removed."""

    entry: bytes
    hits: frozenset[Patch]
    failed: tuple[tuple[Patch, str], ...] = ()
    unsound: tuple[Patch, Violation] | None = None


@dataclass(frozen=True, slots=True)
class TablePatched:
    """A table, what became of its hosts, and all of it as one resource."""

    entries: PersistentMap[str, bytes]  # of the hosts before they were patched
    hosts: PersistentMap[str, HostOutcome]
    body: bytes
    hits: frozenset[Patch]
    failed: tuple[tuple[Patch, str], ...]
    unsound: tuple[tuple[Patch, Violation], ...]


def patch_table(
    parts: TableParts, name: TableName, patches: Iterable[Patch], known: TablePatched | None
) -> TablePatched | None:
    """The table, patched; None where no patch is for anything in it. `known`: with the same patches, earlier."""
    mine = tuple(for_table(patches, name, inbound=name.name.startswith("inbound|")))
    if not mine:
        return None
    difference = parts.entries.difference(known.entries if known else None)
    made = {host: _patched(body, mine) for host, body in difference.changed.items()}
    touched = {host: one for host, one in made.items() if one is not None}
    before: PersistentMap[str, HostOutcome] = known.hosts if known else PersistentMap()
    hosts = before.updated(touched, (made.keys() - touched.keys()) | difference.removed)

    work = Work(mine)
    around = shell(parts.table)
    patch_shell(around, mine, work)
    brought = [host for one in around.virtual_hosts if (host := patch_host(one, mine, work)) is not None]
    more = [*brought, *added_hosts(mine, work)]
    body = frame(around, VIRTUAL_HOSTS).around(
        (
            *(hosts[host].entry if host in hosts else held for host, held in parts.entries.items()),
            *(_entry(host) for host in brought),
            *last_entries(parts.table),
            *(_entry(host) for host in more[len(brought) :]),
        )
    )
    failed, unsound = list(work.failed.items()), list[tuple[Patch, Violation]]()
    for one in hosts.values():
        failed += one.failed
        unsound += [one.unsound] if one.unsound else []
    del around.virtual_hosts[:]
    for message in (around, *more):
        if work.hits and not is_sound(message):
            unsound.append(
                (next(reversed([patch for patch in mine if patch in work.hits])), violations(message)[0])
            )
    return TablePatched(
        entries=parts.entries,
        hosts=hosts,
        body=body,
        hits=_NOTHING.union(work.hits, *{one.hits for one in hosts.values()}),
        failed=tuple(dict(failed).items()),
        unsound=tuple(dict(unsound).items()),
    )


def _entry(host: pb.VirtualHost) -> bytes:
    return entry(host, pb.RouteConfiguration, VIRTUAL_HOSTS)


def _patched(body: bytes, mine: tuple[Patch, ...]) -> HostOutcome | None:
    """None where no patch is for it."""
    work = Work(mine)
    made = patch_host(_host(body), mine, work)
    if not work.hits and not work.failed:
        return None
    hits, failed = frozenset(work.hits), tuple(work.failed.items())
    if made is None:
        return HostOutcome(b"", hits, failed)
    unsound = None if is_sound(made) else (_culprit(body, mine, work), violations(made)[0])
    return HostOutcome(_entry(made), hits, failed, unsound)


def _culprit(body: bytes, mine: tuple[Patch, ...], work: Work) -> Patch:
    """The first patch with which (and those before it) Envoy refuses the host."""
    hits = [patch for patch in mine if patch in work.hits]
    for count in range(1, len(hits)):
        made = patch_host(_host(body), hits[:count], Work(tuple(hits[:count])))
        if made is not None and not is_sound(made):
            return hits[count - 1]
    return hits[-1]


def _host(body: bytes) -> pb.VirtualHost:
    return pb.RouteConfiguration.FromString(body).virtual_hosts[0]
