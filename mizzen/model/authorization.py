"""Who may do what with a workload: expressions over connections and requests."""

from datetime import timedelta
from typing import Literal

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
class CheckedBody:
    """How much of a request's body an authorizer is shown."""

    most: int  # bytes; a request with more is answered 413
    partial: bool = False  # the beginning of a larger one is enough
    raw: bool = False  # over gRPC: as bytes, not as UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """Somebody outside who says of each request whether it may pass. Header names are compared in any letters."""

    name: str  # of the provider
    kind: Literal["http", "grpc"]
    backend: str  # name of a Backend
    host: str  # what it is called when it is asked
    timeout: timedelta
    fail_open: bool = False  # without an answer, requests pass
    status_on_error: int | None = None  # of requests without an answer; None: 403
    chooses_routes: bool = False  # the route is chosen again by the headers that it has changed
    body: CheckedBody | None = None
    # Over HTTP alone; over gRPC it sees all, and says itself what becomes of headers.
    path_prefix: str = ""
    shown: tuple[Text, ...] = ()  # headers of the request, beside the usual ones
    added: tuple[tuple[str, str], ...] = ()  # headers of the question
    to_backend: tuple[Text, ...] = ()  # of its answer, where it allows
    to_refused: tuple[Text, ...] = ()  # of its answer to the client, where it refuses; (): all
    to_allowed: tuple[Text, ...] = ()  # of its answer to the client, where it allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`deny`: what a rule describes is refused, or where there is an authorizer, this one is asked about it. Else all
    that no rule describes is refused."""

    deny: bool
    rules: tuple[AccessRule, ...]
    authorizer: Authorizer | None = None
