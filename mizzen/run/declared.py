"""Which gateways a control plane says there are, and when it is believed that one is no more. Pure.

An Envoy that runs is worth more than a status that is not understood: a gateway is ended only where a control
plane whose build is sound has named all its gateways, and not this one, twice in a row.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

Status = Mapping[str, Any]

_TIMES = 2  # so often must a gateway be missing


def understood(status: object) -> Status | None:
    """A status as the control socket tells it (JSON values); None where it is not one."""
    if not isinstance(status, dict):
        return None
    proxies, gateways = status.get("proxies"), status.get("gateways")
    lists = isinstance(proxies, list) and all(_is_proxy(one) for one in proxies)
    maps = isinstance(gateways, dict) and all(isinstance(one, dict) for one in gateways.values())
    problems = status.setdefault("problems", [])
    told = isinstance(problems, list) and all(isinstance(one, dict) for one in problems)
    return status if lists and maps and told else None


def _is_proxy(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    names = (value.get("name"), value.get("namespace"))
    return all(isinstance(one, str) and one for one in names) and isinstance(value.get("labels", {}), dict)


@dataclass(slots=True)
class Undeclared:
    """Counts how often each gateway that runs was not named."""

    missing: Mapping[str, int]

    def __init__(self) -> None:
        self.missing = {}

    def follow(self, status: Status, running: Collection[str]) -> frozenset[str]:
        """Those of `running` that are surely declared no more."""
        if status.get("sound") is not True:
            self.missing = {}
            return frozenset()
        named = {f"{proxy['name']}.{proxy['namespace']}" for proxy in status["proxies"]}
        self.missing = {key: self.missing.get(key, 0) + 1 for key in running if key not in named}
        return frozenset(key for key, times in self.missing.items() if times >= _TIMES)
