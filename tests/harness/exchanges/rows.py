"""A row of the table: what is done, what comes of it over each version of HTTP, and where it is known to differ."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.harness.exchanges import CLIENTS, Asked, Connection
from tests.harness.exchanges.backend import ROW, Backend
from tests.harness.exchanges.exchange import Fields
from tests.harness.exchanges.observed import Observed, flat
from tests.harness.exchanges.site import DOMAIN

PROTOCOLS = ("h1", "h2", "h3")


@dataclass(frozen=True, slots=True)
class Talk:
    """Who talks with whom."""

    protocol: str
    kind: str  # of backend
    row: str  # a name for what is asked, unique
    backend: Backend
    ca_pem: str
    port: int = 8443

    @property
    def host(self) -> str:
        return f"{self.kind}.{DOMAIN}"

    def connect(self) -> Connection:
        return CLIENTS[self.protocol](self.port, self.host, self.ca_pem)

    def asked(self, asked: Asked, row: str = "") -> Asked:
        """For this host, with what finds it again at the backend."""
        name = (ROW.encode(), (row or self.row).encode())
        authority = self.host if asked.authority == Asked().authority else asked.authority
        return asked.but(authority=authority, fields=(name, *asked.fields))


Script = Callable[[Talk], Awaitable[Observed]]


@dataclass(frozen=True, slots=True)
class Differs:
    """A known difference and its reason. The row fails when it is gone."""

    expected: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`expected`: keys are paths through what is observed ("seen fields te"); None: it is not there.

    `differs`: by protocol ("h1"), kind of backend ("http2") or both ("h1 http2").
    """

    name: str
    does: Script
    expected: Mapping[str, Any]
    over: tuple[str, ...] = PROTOCOLS
    kinds: tuple[str, ...] = ("http1", "http2")
    differs: Mapping[str, Differs] = field(default_factory=dict)
    alone: bool = False  # one place after the other: it disturbs others on the gateway's connections

    def places(self) -> list[tuple[str, str]]:
        return [(protocol, kind) for kind in self.kinds for protocol in self.over]

    def known(self, protocol: str, kind: str) -> dict[str, Any]:
        """What is expected there in place of what is expected elsewhere."""
        out: dict[str, Any] = {}
        for where in (kind, protocol, f"{protocol} {kind}"):
            if where in self.differs:
                out |= self.differs[where].expected
        return out


def wrong(row: Row, observed: Mapping[tuple[str, str], Observed]) -> list[str]:
    """What is not as the row says: of each place, and between the protocols of a kind of backend."""
    found = []
    flats = {place: flat(values) for place, values in observed.items()}
    for (protocol, kind), values in flats.items():
        known = row.known(protocol, kind)
        for key, expected in {**row.expected, **known}.items():
            if values.get(key) != expected:
                found.append(f"{protocol} {kind}: {key} is {values.get(key)!r}, not {expected!r}")
    for kind in row.kinds:
        first, *others = row.over
        for other in others:
            differing = row.known(first, kind).keys() | row.known(other, kind).keys()
            one, two = flats[first, kind], flats[other, kind]
            for key in (one.keys() | two.keys()) - differing:
                if one.get(key) != two.get(key) and not (key == "code" and "h1" in (first, other)):
                    found.append(
                        f"{kind}: {key} is {one.get(key)!r} over {first}, {two.get(key)!r} over {other}"
                    )
    return found


def fields(**values: str | list[str]) -> Fields:
    """`fields(x_a="1")`: the fields of a request, with hyphens."""
    out: list[tuple[bytes, bytes]] = []
    for name, value in values.items():
        each = value if isinstance(value, list) else [value]
        out += [(name.replace("_", "-").encode(), text.encode("latin-1")) for text in each]
    return tuple(out)
