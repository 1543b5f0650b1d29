"""When something is to be looked at again, by key. Pure."""

from collections.abc import Hashable, Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from mizzen.lazy import dataclass

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda(Generic[K]):
    """One time for each key. Keys can be compared."""

    times: Mapping[K, datetime] = field(default_factory=dict)
    order: tuple[tuple[datetime, Any], ...] = ()  # sorted; where `times` says otherwise by now, that counts

    def with_times(self, changes: Mapping[K, datetime | None]) -> "Agenda[K]":
        """With other times for some keys, None for never."""
        new = {key: at for key, at in changes.items() if self.times.get(key) != at}
        if not new:
            return self
        times = dict(self.times)
        for key, at in new.items():
            if at is None:
                del times[key]
            else:
                times[key] = at
        order = sorted((*self.order, *((at, key) for key, at in new.items() if at is not None)))
        if len(order) > 2 * len(times) + 8:
            order = sorted((at, key) for key, at in times.items())
        return replace(self, times=times, order=tuple(order))

    def due(self, now: datetime) -> tuple[K, ...]:
        """The keys whose time has come, each once; they stay until they are given another time."""
        found: dict[K, None] = {}
        for at, key in self.order:
            if at > now:
                break
            if self.times.get(key) == at:
                found[key] = None
        return tuple(found)

    @property
    def next(self) -> datetime | None:
        """The first time."""
        return next((at for at, key in self.order if self.times.get(key) == at), None)
