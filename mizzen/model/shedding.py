"""When HTTP/3 of a gateway is given up for want of CPU."""

from datetime import timedelta

from mizzen.lazy import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shedding:
    """From HTTP3Policy `shedding`. Percentages of the CPU that Envoy's workers may use."""

    cpu_budget: float
    recover_at: float  # below the budget
    after: timedelta = timedelta(seconds=10)
    calm: timedelta = timedelta(seconds=60)
