"""What one gateway shall hold: type URL -> name -> bytes and their version.

Names are identity, versions are a hash of the bytes: what did not change is not sent.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource, serialised, and the version that its bytes give it."""

    version: str
    body: bytes = field(repr=False)  # may hold a private key


NOTHING: Mapping[str, Entry] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything one gateway shall hold at one moment."""

    types: Mapping[str, Mapping[str, Entry]]

    def of(self, type_url: str) -> Mapping[str, Entry]:
        """The resources of one type, by name."""
        return self.types.get(type_url, NOTHING)

    def without(self, type_url: str) -> "Snapshot":
        """The same less all resources of one type."""
        return Snapshot(types={**self.types, type_url: NOTHING})


def entry(body: bytes) -> Entry:
    """The resource of these bytes. 96 bits of BLAKE2 tell two contents apart."""
    return Entry(hashlib.blake2b(body, digest_size=12).hexdigest(), body)


def snapshot(
    resources: Mapping[str, Mapping[str, Message | bytes]], previous: Snapshot | None = None
) -> Snapshot:
    """Serialise each resource (deterministically; bytes are taken as they are) and give it its version.

    What equals `previous` is taken from there, whole types and the whole snapshot included: when nothing
    changed the result *is* `previous`.
    """
    types = {}
    for url, named in resources.items():
        old = previous.of(url) if previous else NOTHING
        new = {name: _entry(resource, old.get(name)) for name, resource in named.items()}
        types[url] = old if new == old and old is not NOTHING else MappingProxyType(new)
    if previous and types == previous.types:
        return previous
    return Snapshot(types=MappingProxyType(types))


def _entry(resource: Message | bytes, old: Entry | None) -> Entry:
    body = resource if isinstance(resource, bytes) else resource.SerializeToString(deterministic=True)
    return old if old and old.body == body else entry(body)
