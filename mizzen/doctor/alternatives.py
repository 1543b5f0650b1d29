"""The header alt-svc (RFC 7838, section 3) as values. Pure."""

import re
from collections.abc import Iterable

from mizzen.lazy import dataclass

DEFAULT_AGE = 86_400  # seconds (section 3.1)
_ENTRY = re.compile(r'\s*([^=;,\s]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*((?:;[^,;]*)*)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One alternative of an origin."""

    protocol: str  # "h3"
    host: str = ""  # "": the origin's
    port: int
    max_age: int = DEFAULT_AGE  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What one answer says."""

    text: str = ""  # all values, joined; "": there is no such header
    clear: bool = False  # clients shall forget what they know
    alternatives: tuple[Alternative, ...] = ()

    @property
    def h3(self) -> Alternative | None:
        """The first alternative over HTTP/3."""
        return next((one for one in self.alternatives if one.protocol == "h3"), None)


def announced(values: Iterable[str]) -> Announced:
    """All values of the header in one answer."""
    text = ", ".join(values)
    if text.strip().lower() == "clear":  # case-sensitive in the RFC; browsers take either
        return Announced(text=text, clear=True)
    found = []
    for match in _ENTRY.finditer(text):
        host, _, port = match[2].rpartition(":")
        if port.isdecimal():
            age = re.search(r";\s*ma\s*=\s*\"?(\d+)", match[3])
            found.append(
                Alternative(
                    protocol=match[1],
                    host=host.strip("[]"),
                    port=int(port),
                    max_age=int(age[1]) if age else DEFAULT_AGE,
                )
            )
    return Announced(text=text, alternatives=tuple(found))
