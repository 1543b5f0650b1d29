"""What one gateway shall hold: type URL -> name -> bytes and their version.

Names are identity, versions are a hash of the bytes: what did not change is not sent.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Final, cast

from google.protobuf.message import Message

from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource, serialised, and the version that its bytes give it."""

    version: str
    body: bytes = field(repr=False)  # may hold a private key


NOTHING: Final[PersistentMap[str, Entry]] = PersistentMap()
_NO_BODIES: Final[PersistentMap[str, bytes]] = PersistentMap()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything one gateway shall hold at one moment."""

    types: Mapping[str, PersistentMap[str, Entry]]
    # The bytes that `types` was made of, by type and name: the next snapshot is made by comparing with them.
    bodies: Mapping[str, PersistentMap[str, bytes]] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    def of(self, type_url: str) -> PersistentMap[str, Entry]:
        """The resources of one type, by name."""
        return self.types.get(type_url, NOTHING)

    def replaced(self, type_url: str, named: PersistentMap[str, Entry]) -> "Snapshot":
        """The same with other resources of one type. It costs what differs."""
        step = named.difference(self.of(type_url))
        if not step and type_url in self.types:
            return self
        bodies = self.bodies_of(type_url).updated(
            {name: held.body for name, held in step.changed.items()}, step.removed
        )
        return Snapshot(
            types=MappingProxyType({**self.types, type_url: named}),
            bodies=MappingProxyType({**self.bodies, type_url: bodies}),
        )

    def without(self, type_url: str) -> "Snapshot":
        """The same less all resources of one type."""
        return Snapshot(
            types=MappingProxyType({**self.types, type_url: NOTHING}),
            bodies=MappingProxyType({**self.bodies, type_url: _NO_BODIES}),
        )

    def bodies_of(self, type_url: str) -> PersistentMap[str, bytes]:
        """The bytes of one type, by name; a snapshot that was put together of entries has them from these."""
        known = self.bodies.get(type_url)
        return known if known is not None else _bodies_of(self.of(type_url))


def entry(body: bytes) -> Entry:
    """The resource of these bytes. 96 bits of BLAKE2 tell two contents apart."""
    return Entry(hashlib.blake2b(body, digest_size=12).hexdigest(), body)


def snapshot(
    resources: Mapping[str, PersistentMap[str, bytes] | Mapping[str, Message | bytes]],
    previous: Snapshot | None = None,
) -> Snapshot:
    """Give each resource its version; bytes are taken as they are, messages serialised (deterministically).

    What equals `previous` is taken from there, whole types and the whole snapshot included: when nothing
    changed the result *is* `previous`. Only the names are looked at whose bytes are another object than those of
    `previous`; a type costs what differs when its map was made from the earlier map (`PersistentMap.updated`).
    """
    types: dict[str, PersistentMap[str, Entry]] = {}
    bodies: dict[str, PersistentMap[str, bytes]] = {}
    for url, named in resources.items():
        bodies[url] = _serialised(named)
        types[url] = _entries(bodies[url], url, previous)
    if previous and types.keys() == previous.types.keys() and _same(types, previous.types):
        return previous
    return Snapshot(types=MappingProxyType(types), bodies=MappingProxyType(bodies))


def _same(types: Mapping[str, PersistentMap[str, Entry]], others: Mapping[str, object]) -> bool:
    return all(named is others[url] for url, named in types.items())


def _serialised(
    named: PersistentMap[str, bytes] | Mapping[str, Message | bytes],
) -> PersistentMap[str, bytes]:
    if isinstance(named, PersistentMap):
        return cast(PersistentMap[str, bytes], named)
    return PersistentMap(
        (name, one if isinstance(one, bytes) else one.SerializeToString(deterministic=True))
        for name, one in named.items()
    )


def _entries(
    bodies: PersistentMap[str, bytes], url: str, previous: Snapshot | None
) -> PersistentMap[str, Entry]:
    if previous is None:
        return PersistentMap((name, entry(body)) for name, body in bodies.items())
    old = previous.of(url)
    step = bodies.difference(previous.bodies_of(url))
    return old.updated(
        {name: _entry(body, old.get(name)) for name, body in step.changed.items()}, step.removed
    )


def _entry(body: bytes, old: Entry | None) -> Entry:
    return old if old and old.body == body else entry(body)


def _bodies_of(entries: PersistentMap[str, Entry]) -> PersistentMap[str, bytes]:
    return PersistentMap((name, held.body) for name, held in entries.items())
