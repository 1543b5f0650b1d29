"""Who may do what with a workload: expressions over connections and requests."""

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.route import Exact, Prefix, Present, Regex


@dataclass(frozen=True, slots=True)
class Suffix:
    value: str


Text = Exact | Prefix | Suffix | Regex | Present


@dataclass(frozen=True, slots=True)
class All:
    """Every one of them; of none, always."""

    of: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of them; of none, never."""

    of: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    of: "Expression"


@dataclass(frozen=True, slots=True)
class Peer:
    """The name (SPIFFE) in the certificate of who connected. Whoever shows none does not match."""

    name: Text


@dataclass(frozen=True, slots=True)
class Address:
    """An address or range. `whose`: "peer" (who connected), "client" (x-forwarded-for counts), "destination"."""

    whose: str
    cidr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Also ":authority" and ":method"."""

    name: str
    value: Text


@dataclass(frozen=True, slots=True)
class Path:
    """Of the request, without its query."""

    value: Text
    ignore_case: bool = False  # a Regex says it itself


@dataclass(frozen=True, slots=True)
class Port:
    """The port that was connected to."""

    number: int


@dataclass(frozen=True, slots=True)
class Sni:
    value: Text


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the verified token."""

    path: tuple[str, ...]
    value: Text


Expression = All | AnyOf | Not | Peer | Address | Header | Path | Port | Sni | Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """Holds when both do: what is done, and who does it."""

    name: str
    what: Expression
    who: Expression
    origin: ResourceRef | None = None  # the policy
    at: str = ""  # field path of the rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`deny`: what a rule describes is refused. Else all that no rule describes is."""

    deny: bool
    rules: tuple[AccessRule, ...]
