"""When a burst of changes is over. Pure: the time is handed in.

A lone change goes at once. While changes keep coming it pays to wait: one rebuild for all of them costs less than one
for each. How long is a matter of what a rebuild costs: a burst of cheap changes is served often, a storm of
dear ones once, at its end.
"""

from mizzen.lazy import dataclass

LONE_SECONDS = 0.001  # a change after which nothing comes for so long stands alone
QUIET_SECONDS = 0.05  # a burst of any length is over when nothing came for so long
SHORTEST_SECONDS = 0.1  # a burst is not cut before that
LONGEST_SECONDS = 1.0  # a trickle that never ends is served this often at least
SHARE = 8  # a burst waits for up to so many times the cost of its rebuild
_MOST_STREAK = 3  # rebuilds take a ninth of the time then
_WEIGHT = 0.3  # of the latest rebuild in what the next is expected to cost


@dataclass(slots=True)
class HoldOff:
    """Says how long to wait with what has changed. All times in seconds of a clock that only goes forward."""

    cost: float = 0.0005  # of one change, as rebuilds so far tell; and before there was any
    _first: float | None = None  # when the burst began that waits
    _last: float = 0.0
    _pending: int = 0
    _built: int = 0  # changes of the latest rebuild
    _spent: float = 0.0  # on it, up to now
    _began: float = 0.0
    _streak: int = 0  # how many rebuilds have followed one another without a rest

    def on_change(self, now: float, number: int = 1) -> None:
        """So many things have changed, just now."""
        if self._first is None:
            self._first = now
        self._last = now
        self._pending += number

    def seconds(self, now: float) -> float | None:
        """How long to wait for more: 0 is over, None is that nothing has changed."""
        if self._first is None:
            return None
        length = self._last - self._first
        quiet = LONE_SECONDS
        if length > LONE_SECONDS:  # longer than the writes of one file take
            quiet = min(QUIET_SECONDS, max(4 * LONE_SECONDS, length / 4))
        longest = min(LONGEST_SECONDS, max(SHORTEST_SECONDS, SHARE * self._each * self._pending))
        due = min(self._last + quiet, self._first + longest)
        return max(0.0, due - now, self._rested_at - now)

    @property
    def _rested_at(self) -> float:
        """Until then the latest rebuild is paid for: by as long as it took, and by more where many follow one another."""
        return self._began + self._spent + min(LONGEST_SECONDS, self._spent * (1 << self._streak))

    def begin(self, now: float) -> None:
        """A rebuild begins, of all that has changed up to now."""
        has_rested = self._first is None or self._first >= self._rested_at
        self._streak = 0 if has_rested else min(self._streak + 1, _MOST_STREAK)
        self._began = now
        self.cost = self._each
        self._built, self._spent = self._pending, 0.0
        self._first, self._pending = None, 0

    @property
    def _each(self) -> float:
        """What one change costs, as far as the latest rebuild has told."""
        if not self._built or not self._spent:
            return self.cost
        return (1 - _WEIGHT) * self.cost + _WEIGHT * self._spent / self._built

    def on_cost(self, seconds: float) -> None:
        """The latest rebuild, or a part of it, took so long. Whoever takes part in one may say so."""
        self._spent += seconds
