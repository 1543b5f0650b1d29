"""How much of the gateway's configuration one object may become.

A few lines that meet a few others multiply: rules by those of a delegate and by tables, subsets by ports and endpoints.
Without a bound an object of 50 kB would keep everybody else's changes waiting for minutes.
"""

from dataclasses import field

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass

MOST_ROUTES = 20_000  # that a VirtualService becomes, in all tables together
MOST_ENDPOINTS = 100_000  # that a service or a DestinationRule becomes, in all backends together
BACKEND_COST = 10  # endpoints that a backend itself counts as


@dataclass(slots=True)
class Budget:
    """What each object has become so far."""

    most: int
    _spent: dict[ResourceRef, int] = field(default_factory=dict)

    def allows(self, ref: ResourceRef, amount: int = 0) -> bool:
        """Whether so much more is within the bound; if it is, it counts."""
        spent = self._spent.get(ref, 0) + amount
        if spent > self.most:
            self._spent[ref] = self.most + 1  # nothing more, not even less
            return False
        self._spent[ref] = spent
        return True
