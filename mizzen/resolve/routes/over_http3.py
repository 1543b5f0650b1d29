"""Hosts of a server that are not had over HTTP/3, though the server has a mirror.

Over TCP their answers tell clients to forget HTTP/3 (`clear`, RFC 7838 section 3): when each was switched off, and who
remembers it since when, nobody knows. Over QUIC they get 421, on a connection that was opened for another host (RFC 9114
section 3.3): clients then forget it by themselves, and come over TCP (RFC 7838 section 6). So the mirror of such a server
has a route table of its own, in which they are hosts of somebody else.
"""

from collections.abc import Iterable
from dataclasses import replace

from mizzen.model.route import Host, RouteTable, over_http3
from mizzen.persistent import PersistentMap
from mizzen.resolve.hosts import is_off, specificity_key, subset_of


def told_apart(table: RouteTable, named: tuple[str, ...], off: tuple[str, ...], number: int) -> RouteTable:
    """The same, in which hosts that are `off` are by themselves, and marked. `named`: all of the server, in lower case;
    `number`: its port, for names."""
    wanted, changed, removed = frozenset(off), dict[str, Host](), list[str]()
    for name, host in table.hosts.items():
        apart = tuple(one for one in host.domains if is_off(one, named, wanted))
        if not apart:
            continue
        removed.append(name)
        parts = [replace(host, domains=apart, http3=False)]
        if kept := tuple(one for one in host.domains if one not in apart):
            parts.append(replace(host, domains=kept))
        for part in parts:
            own = name if part.domains[0] == host.domains[0] else f"{part.domains[0]}:{number}"
            changed[own] = replace(part, name=own)
    by_domain = {domain: host for host in table.hosts.values() for domain in host.domains}
    for host_off in off:
        if host_off not in by_domain and host_off not in table.misdirected:
            host = _as_it_was(host_off, by_domain, number)
            changed[host.name] = host
    return replace(
        table, hosts=table.hosts.updated(changed, [name for name in removed if name not in changed])
    )


def _as_it_was(name: str, by_domain: dict[str, Host], number: int) -> Host:
    """A host of its own that is answered as it was, by the most exact wildcard around it; 404 where there is none."""
    around = sorted(
        (one for one in by_domain if one.startswith("*") and subset_of(name, one)), key=specificity_key
    )
    own = f"{name}:{number}"
    if around:
        return replace(by_domain[around[0]], name=own, domains=(name,), http3=False)
    return Host(name=own, domains=(name,), routes=(), count_attempts=False, http3=False)


def table_of_mirror(table: RouteTable) -> RouteTable:
    """What the mirror has in the place of a table whose hosts are told apart: 421 for those that are off."""
    off = [host for host in table.hosts.values() if not host.http3]
    return replace(
        table,
        name=over_http3(table.name),
        hosts=PersistentMap({name: host for name, host in table.hosts.items() if host.http3}),
        misdirected=_sorted((*table.misdirected, *(domain for host in off for domain in host.domains))),
    )


def _sorted(domains: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(frozenset(domains)))
