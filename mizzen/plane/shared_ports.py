"""Who else has a port open that our Envoys serve.

SO_REUSEPORT lets any process of the same user bind a port that Envoy has. The kernel then deals connections out
between the two, and nobody is told.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path

from mizzen.errors import Problem
from mizzen.http3.evidence import Evidence
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.listener import Listener, Transport
from mizzen.node.ports import Holder, address_in_proc, owners

CATALOGUE = {
    "PORT-002": "Another process has a port open that a gateway serves, and takes a part of its connections.",
}

_LISTENS = {False: "0A", True: "07"}  # by whether it is UDP: states in /proc/net, net/tcp_states.h


@dataclass(slots=True)
class SharedPorts:
    """Remembers whose sockets it has seen: asking the kernel for their owners is dear."""

    _known: dict[tuple[str, str], tuple[frozenset[str], tuple[Holder, ...]]] = field(default_factory=dict)

    def look(self, listeners: Iterable[Listener], folder: Path) -> Mapping[str, tuple[Holder, ...]]:
        """By name of the listener: who else has its port. `folder` is named by our own Envoy's command line."""
        tables: dict[bool, list[tuple[str, int, str]]] = {}
        found = {}
        for listener in listeners:
            if listener.transport is Transport.UNIX:
                continue
            is_udp = listener.transport is Transport.QUIC
            if is_udp not in tables:
                tables[is_udp] = sockets(udp=is_udp)
            inodes = frozenset(
                inode
                for address, port, inode in tables[is_udp]
                if port == listener.port and _overlap(address, listener.address)
            )
            if holders := self._others((str(folder), listener.name), inodes, folder):
                found[listener.name] = holders
        return found

    def _others(self, key: tuple[str, str], inodes: frozenset[str], folder: Path) -> tuple[Holder, ...]:
        known = self._known.get(key)
        if known is None or known[0] != inodes:
            holders = owners(set(inodes)) if inodes else ()
            is_shared = any(f"{folder}/" in one.command for one in holders)
            others = tuple(one for one in holders if f"{folder}/" not in one.command) if is_shared else ()
            known = self._known[key] = (inodes, others)
        return known[1]


def sockets(*, udp: bool) -> list[tuple[str, int, str]]:
    """Address, port and inode of all sockets that listen, or are open for UDP from anybody."""
    found = []
    for table in ("udp", "udp6") if udp else ("tcp", "tcp6"):
        try:
            with Path("/proc/net", table).open() as lines:
                next(lines, None)  # the heads of the columns
                for line in lines:
                    fields = line.split()
                    if fields[3] == _LISTENS[udp]:
                        address, _, port = fields[1].partition(":")
                        found.append((address_in_proc(address), int(port, 16), fields[9]))
                    elif not udp:
                        break  # those that listen come first, and there may be 100,000 others
        except OSError:
            continue  # no IPv6 here
    return found


def _overlap(one: str, other: str) -> bool:
    return one == other or any(ipaddress.ip_address(each).is_unspecified for each in (one, other))


def fails_for(holders: tuple[Holder, ...], found: Iterable[Evidence]) -> list[Evidence]:
    """What is known of a mirror at each Envoy: where others have its port too it fails for some, so it fails."""
    if not holders:
        return list(found)
    detail = f"{_names(holders)} has opened its port too"
    return [Evidence(acked=one.acked, proven=False, detail=detail) for one in found]


def shared_problems(shared: Mapping[str, tuple[Holder, ...]], model: Model) -> Iterator[Problem]:
    """What is said of it."""
    for listener in model.listeners:
        if not (holders := shared.get(listener.name)):
            continue
        is_udp = listener.transport is Transport.QUIC
        yield Problem(
            code="PORT-002",
            resource=listener.origin,
            message=f"{'UDP' if is_udp else 'TCP'} {listener.address}:{listener.port} is served here, and "
            f"{_names(holders)} has opened it too (SO_REUSEPORT): a part of the connections goes there",
            hint="End that process; until then HTTP/3 is not announced." if is_udp else "End that process.",
        )


def _names(holders: tuple[Holder, ...]) -> str:
    return ", ".join(str(holder) for holder in holders)
