"""When a workload asks for its next certificate: at half of its life, and again after a failure.

Times are of the workload's own clock. A `jitter` is a random number from 0 up to (not including) 1, made by
the caller: proxies that started together shall not come back together.
"""

from datetime import datetime, timedelta

from mizzen.lazy import dataclass

# Around the half (Istio: SECRET_GRACE_PERIOD_RATIO 0.5), this share of the life to both sides. Istio's 1 %
# spreads a thousand proxies over half an hour; 5 % over more than two.
_SPREAD = 0.05

_FIRST_DELAY = timedelta(seconds=1)
_LONGEST_DELAY = timedelta(minutes=5)
_SHORTEST_DELAY = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """When to ask for the certificate after the one at hand."""

    ends: datetime  # of the certificate at hand
    at: datetime  # when to ask
    failures: int = 0  # since the certificate at hand came

    def is_due(self, now: datetime) -> bool:
        return now >= self.at

    def wait(self, now: datetime) -> timedelta:
        """How long to sleep; zero when it is due."""
        return max(self.at - now, timedelta())


def received(*, now: datetime, ends: datetime, jitter: float) -> Renewal:
    """A certificate came just now. Its life counts from here, not from its backdated beginning, so that one
    of a few seconds has a second half too."""
    share = 0.5 + (2 * jitter - 1) * _SPREAD
    return Renewal(ends=ends, at=now + max(ends - now, timedelta()) * share)


def failed(renewal: Renewal, *, now: datetime, jitter: float) -> Renewal:
    """Asking failed: wait twice as long as the last time, from 1 s to 5 minutes, and at most a tenth of the
    life that is left, so that a short life has several tries too. Half of it is left to chance."""
    failures = renewal.failures + 1
    delay = min(_FIRST_DELAY * 2 ** min(failures - 1, 16), _LONGEST_DELAY)
    if renewal.ends > now:
        delay = min(delay, (renewal.ends - now) / 10)
    delay = max(delay * (0.5 + jitter / 2), _SHORTEST_DELAY)
    return Renewal(ends=renewal.ends, at=now + delay, failures=failures)
