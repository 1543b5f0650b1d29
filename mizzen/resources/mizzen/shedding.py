"""HTTP3Policy `shedding`: when the CPU of a gateway runs short, clients are led back to TCP, which costs less."""

from datetime import timedelta
from typing import Annotated

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Least, Range

LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheddingSettings(Element):
    """Off without it. Past the budget answers say `clear`; if that does not help, new QUIC connections are refused."""

    cpu_budget: Annotated[
        int, Range(5, 100), "percent of the CPU of Envoy's workers (of a Pod: of its container's limit)"
    ]
    recover_at: Annotated[
        int | None, Range(1, 99), "percent below which it comes back. None: three quarters of cpuBudget"
    ] = None
    after: Annotated[
        timedelta | None,
        Least(timedelta(seconds=1)),
        "past the budget for so long, it goes a step on. None: 10s",
    ] = None
    calm: Annotated[
        timedelta | None, Least(timedelta(seconds=1)), "below for so long, it comes a step back. None: 1m"
    ] = None
