"""What a plan says: values, and how they are written as JSON."""

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import Any

from mizzen.errors import NOWHERE, Place, ResourceRef, printable
from mizzen.lazy import dataclass


class Effect(Enum):
    """What a change does to the connections and requests of a host, from mild to hard."""

    NONE = "none"  # nothing
    ROUTES = "routes"  # requests are answered by other rules; connections stay
    ENDPOINTS = "endpoints"  # requests reach other backends, or reach them in another way; connections stay
    CERTIFICATE = "certificate"  # new connections meet another certificate; those that are open stay
    OPENS = "opens"  # something is served that was not
    RECONNECTS = "reconnects"  # connections are asked to leave, and come again at once
    CLOSES_H3 = "closes-h3"  # all HTTP/3 of a listener ends, and is offered again after the drain time
    WITHDRAWS_H3 = "withdraws-h3"  # HTTP/3 is not offered any more; clients go back to TCP
    CLOSES_ALL = "closes-all"  # Envoy must be started anew
    UNSERVED = "unserved"  # nobody answers any more

    @property
    def hardness(self) -> int:
        """How it stands among the others: more is worse."""
        return _ORDER.index(self)

    @property
    def closes(self) -> bool:
        """Does a connection end, or something cease to be served?"""
        return self.hardness >= Effect.RECONNECTS.hardness


_ORDER = tuple(Effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """What causes a change: an object, and the field that differs."""

    resource: ResourceRef
    field: str = ""  # "": the object as a whole, which came or went
    origin: Place = NOWHERE

    def to_json(self) -> dict[str, str]:
        """As JSON values, each one line."""
        return {
            "resource": printable(str(self.resource)),
            "origin": printable(str(self.origin)),
            "field": printable(self.field),
        }


# What is compared: (which kind of part, its name ...). `surface.Surface.facet` gives its value.
Facet = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens at one host. None: at every listener, or host; without a gateway: nowhere."""

    gateway: str | None = None
    listener: str | None = None
    host: str | None = None
    effect: Effect
    because: tuple[Because, ...] = ()
    until: datetime | None = None  # until when clients may remember that there is HTTP/3
    hint: str = ""  # the milder way, where there is one
    facets: frozenset[Facet] = field(default=frozenset(), compare=False, repr=False)
    # Parts that differ, too, and do something milder.
    others: frozenset[Facet] = field(default=frozenset(), compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "gateway": self.gateway,
            "listener": self.listener,
            "host": self.host,
            "effect": self.effect.value,
            "because": [one.to_json() for one in self.because],
            "until": self.until.isoformat() if self.until is not None else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a change does, the hardest first."""

    changes: tuple[Change, ...] = ()

    @property
    def worst(self) -> Effect:
        """The hardest of its effects."""
        return max((one.effect for one in self.changes), key=lambda one: one.hardness, default=Effect.NONE)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"worst": self.worst.value, "changes": [one.to_json() for one in self.changes]}


def plan_of(changes: Iterable[Change]) -> Plan:
    """The changes in the order in which they are shown."""
    return Plan(changes=tuple(sorted(changes, key=_key)))


def _key(change: Change) -> tuple[int, str, str, str]:
    return (-change.effect.hardness, change.gateway or "", change.listener or "", change.host or "")
