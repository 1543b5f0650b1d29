"""Which gateways a control plane says there are, and when it is believed that one is no more. Pure.

An Envoy that runs is worth more than a status that is not understood: a gateway is ended only where a control
plane whose build is sound has named all its gateways, and not this one, twice in a row.
"""

from collections.abc import Collection, Mapping

from mizzen.lazy import dataclass
from mizzen.status import Brief

_TIMES = 2  # so often must a gateway be missing


@dataclass(slots=True)
class Undeclared:
    """Counts how often each gateway that runs was not named."""

    missing: Mapping[str, int]

    def __init__(self) -> None:
        self.missing = {}

    def follow(self, status: Brief, running: Collection[str]) -> frozenset[str]:
        """Those of `running` that are surely declared no more."""
        if not status.is_sound:
            self.missing = {}
            return frozenset()
        named = {proxy.key for proxy in status.proxies}
        self.missing = {key: self.missing.get(key, 0) + 1 for key in running if key not in named}
        return frozenset(key for key, times in self.missing.items() if times >= _TIMES)
