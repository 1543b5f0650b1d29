"""One thing that an operator looks at, and what came of it. Pure."""

from collections.abc import Iterable
from typing import Any

from mizzen.doctor.links import Finding, Name
from mizzen.lazy import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`ok` None: nothing can be said, or it is worth knowing and breaks nothing. `links`: those of a client that it is
    about, where it is not fine."""

    check: str
    ok: bool | None
    said: str
    remedy: str = ""
    links: tuple[Name, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, "ok": self.ok, "said": self.said, "remedy": self.remedy}


def findings(checks: Iterable[Check]) -> tuple[Finding, ...]:
    """What is to be told at the links of the client."""
    return tuple(
        Finding(link, one.ok, one.said, one.remedy)
        for one in checks
        if one.ok is not True
        for link in one.links
    )


def others(checks: Iterable[Check]) -> tuple[Check, ...]:
    """What is told by itself: all that is about no link, or is fine."""
    return tuple(one for one in checks if one.ok is True or not one.links)


def at(resource: str, origin: str) -> str:
    """`Service/shop/web (site.yaml:9:3)`"""
    return f"{resource} ({origin})" if origin else resource
