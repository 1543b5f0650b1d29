"""How often somebody may ask: a token bucket for each name. Time is handed in."""

from collections import OrderedDict
from datetime import datetime


class Limiter:
    """Counts what each name took. Remembers the most recent names only."""

    def __init__(self, *, burst: int, per_second: float, names: int = 10_000) -> None:
        """`burst` at once, then `per_second` in the long run. Beyond `names`, who was quiet longest is
        forgotten, that is, has a full bucket again."""
        self._burst = burst
        self._rate = per_second
        self._names = names
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def allows(self, name: str, now: datetime) -> bool:
        """Take one from the bucket of `name`; False when there is none. A clock that was set back refills
        nothing, and takes nothing."""
        left, since = self._buckets.pop(name, (float(self._burst), now))
        passed = max((now - since).total_seconds(), 0.0)
        left = min(left + passed * self._rate, float(self._burst))
        is_allowed = left >= 1
        self._buckets[name] = (left - 1 if is_allowed else left, now)
        if len(self._buckets) > self._names:
            self._buckets.popitem(last=False)
        return is_allowed
