"""Who may be to blame for what an Envoy refused, or died of. Pure.

From the narrowest guess to the widest: who wrote the part that Envoy's words name; who wrote the parts that the Envoy
had not confirmed before; who changed since then; everybody. A search goes through these in turn until one explains it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import field

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.blame.authors import Authors, Part
from mizzen.blame.pieces import Name, table_of
from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model import Model

# Who says something about what others declare stands after them: of two that are ill only together, the later is blamed.
# A policy has no effect without a listener, a DestinationRule may need the route of a VirtualService.
_RANKS = {
    kind: rank
    for rank, kind in enumerate(
        (
            *("Gateway", "Sidecar", "VirtualService", "DestinationRule"),
            *("PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy"),
            "EnvoyFilter",
        ),
        1,
    )
}
_ROUTE = re.compile(r"\bvirtual_hosts\[(\d+)\](?:\.routes\[(\d+)\])?")
_CHAIN = re.compile(r"\bfilter_chains\[(\d+)\]")
_QUOTED = re.compile(r"""["'](?P<name>[^"'\n]{1,300})["']""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accusation:
    """What is held against a configuration."""

    model: Model  # what was sent
    refused: Mapping[Name, str]  # resource -> Envoy's reason, or how it ended
    messages: Mapping[Name, Message] = field(default_factory=dict)  # the resources as they were sent
    confirmed: Model | None = None  # what the Envoy had confirmed before; None: nothing
    changed: tuple[ResourceRef, ...] = ()  # objects that changed since then, the oldest change first
    everybody: tuple[ResourceRef, ...] = ()  # all objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Rows of suspects, from the narrowest to the widest; in each the likeliest stands at the end."""

    rows: tuple[tuple[ResourceRef, ...], ...]
    at: Mapping[ResourceRef, tuple[str, ...]]  # the fields of each that went into what is held against it
    members: Mapping[
        Name, frozenset[str]
    ]  # hosts and chains in which a resource is other than it was confirmed


def suspects(accusation: Accusation, may_be_blamed: Iterable[ResourceRef]) -> Suspects:
    """`may_be_blamed`: those that can be set aside at all."""
    allowed = frozenset(may_be_blamed)
    named: list[Part] = []
    differing: list[Part] = []
    members: dict[Name, frozenset[str]] = {}
    sent, confirmed = Authors(accusation.model), accusation.confirmed and Authors(accusation.confirmed)
    for (url, name), reason in sorted(accusation.refused.items()):
        now = sent.parts(url, name)
        before = _by_place(confirmed.parts(url, name) if confirmed else ())
        new = [part for part in now if part.value not in before.get((part.where, part.author), ())]
        where = places(accusation.messages.get((url, name)), reason)
        named += (
            [
                part
                for part in new or now
                if part.everywhere or (part.where and part.where[: len(where)] == where)
            ]
            if where
            else ()
        )
        differing += new
        if before and new and all(part.where for part in new):
            members[url, name] = frozenset(part.where[0] for part in new)
    rows = (
        _authors(named),
        _authors(differing),
        tuple(accusation.changed),
        tuple(accusation.everybody),
    )
    kept: list[tuple[ResourceRef, ...]] = []
    for row in rows:
        cleared = ranked(ref for ref in row if ref in allowed)
        if cleared and frozenset(cleared) not in map(frozenset, kept):
            kept.append(cleared)
    return Suspects(rows=tuple(kept), at=_fields(differing), members=members)


def _by_place(some: Iterable[Part]) -> Mapping[tuple[tuple[str, ...], ResourceRef], list[object]]:
    """What each author had written at each place."""
    found: dict[tuple[tuple[str, ...], ResourceRef], list[object]] = {}
    for part in some:
        found.setdefault((part.where, part.author), []).append(part.value)
    return found


def ranked(refs: Iterable[ResourceRef]) -> tuple[ResourceRef, ...]:
    """Each once, and who says something about what others declare behind these."""
    return tuple(sorted(dict.fromkeys(refs), key=lambda ref: _RANKS.get(ref.kind, 0)))


def _authors(some: Iterable[Part]) -> tuple[ResourceRef, ...]:
    """Who is named last among the parts is suspected most: routes after their table, policies after what they treat."""
    return tuple(reversed(dict.fromkeys(part.author for part in reversed(list(some)))))


def _fields(some: Iterable[Part]) -> dict[ResourceRef, tuple[str, ...]]:
    found: dict[ResourceRef, dict[str, None]] = {}
    for part in some:
        found.setdefault(part.author, {})[part.at] = None
    return {author: tuple(filter(None, fields)) for author, fields in found.items()}


def places(message: Message | None, reason: str) -> tuple[str, ...]:
    """The part of a resource that Envoy's reason names; () when it names none.

    "virtual_hosts[3].routes[1]" is (name of that host, "1"), "filter_chains[0]" (name of that chain,).
    """
    table = table_of(message) if message is not None else None
    if table is not None:
        hosts = table.virtual_hosts
        if (by_number := _ROUTE.search(reason)) and int(by_number[1]) < len(hosts):
            return (hosts[int(by_number[1])].name, *filter(None, (by_number[2],)))
        names = {host.name: host.name for host in hosts}
        names |= {domain: host.name for host in hosts for domain in host.domains}
        return _quoted(names, reason)
    if isinstance(message, pb.Listener):
        chains = message.filter_chains
        if (by_number := _CHAIN.search(reason)) and int(by_number[1]) < len(chains):
            return (chains[int(by_number[1])].name,)
        return _quoted({chain.name: chain.name for chain in chains}, reason)
    return ()


def _quoted(names: Mapping[str, str], reason: str) -> tuple[str, ...]:
    """The first of these that the reason quotes."""
    for quoted in _QUOTED.finditer(reason):
        if quoted["name"] in names:
            return (names[quoted["name"]],)
    return ()
