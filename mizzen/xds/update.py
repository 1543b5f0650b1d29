"""What one response changes at a client."""

from collections.abc import Collection, Mapping
from dataclasses import field
from functools import cached_property

from mizzen._api import pb
from mizzen.lazy import dataclass
from mizzen.xds.snapshot import Entry

REMOVAL = ""  # stands for the version of a resource that shall not be


@dataclass(frozen=True, kw_only=True)
class Update:
    """What one response changes at the client. Clients that are told the same share one object."""

    changed: Mapping[str, Entry] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> frozenset[str]:
        """All that it is about."""
        return self.removed.union(self.changed)

    @cached_property
    def endpoints(self) -> frozenset[str]:
        """The names under which the clusters that it changes ask for their endpoints."""
        return frozenset(endpoints_name(held) for held in self.changed.values())

    def only(self, names: Collection[str]) -> "Update":
        """The part of it that concerns these resources."""
        return Update(
            changed={name: self.changed[name] for name in self.changed if name in names},
            removed=frozenset(name for name in self.removed if name in names),
        )

    def without(self, names: Collection[str]) -> "Update":
        """The part of it that does not concern these resources."""
        return self.only(self.names.difference(names))

    def version(self, name: str) -> str:
        """The version it gives that resource; "" if it removes it."""
        return self.changed[name].version if name in self.changed else REMOVAL

    def version_after(self, name: str, before: str | None) -> str | None:
        """The version that the client has after it, given that it had `before`; None: it has none."""
        if (held := self.changed.get(name)) is not None:
            return held.version
        return None if name in self.removed else before

    def __bool__(self) -> bool:
        return bool(self.changed or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A response under way."""

    update: Update
    is_single: bool  # it changed one resource: if it is refused, that one is to blame

    def without(self, names: Collection[str]) -> "Sent":
        """The same, less what it says of these."""
        if self.update.names.isdisjoint(names):
            return self
        return Sent(update=self.update.without(names), is_single=self.is_single)


def endpoints_name(cluster: Entry) -> str:
    """The name under which this cluster asks for its endpoints."""
    message = pb.Cluster.FromString(cluster.body)
    return message.eds_cluster_config.service_name or message.name
