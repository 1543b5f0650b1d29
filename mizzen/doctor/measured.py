"""What was measured on a walk, as values. Judged by `verdicts`; nothing here asks a network."""

from dataclasses import field
from datetime import datetime
from enum import Enum

from mizzen.doctor.target import Target
from mizzen.lazy import dataclass
from mizzen.probe.client import Answer


class Reply(Enum):
    """What an address did when it was dialled."""

    ANSWERED = "answered"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"  # this machine or a router on the way says that there is no road
    UNLOOKED = "unlooked"  # this machine has no address of that family: it says nothing of the host


@dataclass(frozen=True, slots=True)
class Where:
    """An address and a port that were dialled."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecord:
    """One HTTPS record (RFC 9460)."""

    priority: int  # 0: an alias
    target: str = ""  # "" is the name itself
    alpn: tuple[str, ...] = ()
    no_default_alpn: bool = False
    port: int = 0  # 0: that of the URL
    hints: tuple[str, ...] = ()  # ipv4hint and ipv6hint
    ech: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What names led to."""

    addresses: tuple[str, ...] = ()  # that are walked
    left_out: int = 0  # how many more there are
    is_given: bool = (
        False  # by --resolve, --connect-to or because the URL has an address: nothing was looked up
    )
    error: str = ""  # why there are none
    seconds: float = 0.0
    query: str = ""  # the name that HTTPS records were asked of; "": they were not asked for
    records: tuple[ServiceRecord, ...] = ()
    records_error: str = ""  # why it is not known whether there are any
    hints: tuple[
        tuple[Where, Reply], ...
    ] = ()  # hints that are none of the addresses, and what they did over TCP


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """A TLS handshake over TCP without verification."""

    error: str = ""
    version: str = ""
    cipher: str = ""
    alpn: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTcp:
    """What came of one address over TCP."""

    where: Where
    reply: Reply
    seconds: float = 0.0
    detail: str = ""
    handshake: Handshake | None = None
    page: Answer | None = None  # of the URL
    nowhere: Answer | None = None  # of a path that nobody has
    asks: bool = False  # nothing was answered, and the client had been asked for a certificate
    distrust: str = (
        ""  # why libcurl does not trust the certificate; `page` was then fetched without verification
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Udp:
    """What a UDP port did with a packet of a QUIC version that nobody speaks (RFC 9000, section 6)."""

    where: Where
    reply: Reply
    versions: tuple[int, ...] = ()  # of the Version Negotiation packet
    is_quic: bool = False
    small_only: bool = False  # short datagrams pass, those of 1,200 bytes do not
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One QUIC connection, and one request on it."""

    where: Where
    refused: bool = False  # ICMP: port unreachable
    error: str = ""  # of this machine
    seconds: float | None = None  # until the handshake was complete; None: never
    datagrams: int = 0  # received
    largest: int = 0  # of them, in bytes
    stalled_at: int = (
        0  # bytes after which the server waited for the client before its handshake was out; 0: it did not
    )
    version: int = 0
    retried: bool = False  # the server asked for another Initial (Retry)
    idle_timeout: float = 0.0  # seconds, the server's
    chain: tuple[bytes, ...] = ()  # DER, leaf first
    asked_for_certificate: bool = False
    resumed: bool = False
    early: bool = False  # 0-RTT data were accepted
    tickets: int = 0
    tickets_take_early: bool = False
    close_code: int | None = None
    close_reason: str = ""
    status: int = 0  # of the answer; 0: none
    headers: tuple[tuple[str, str], ...] = ()
    awake: bool | None = None  # answered after a time without a word; None: not tried
    moved: bool | None = None  # answered after the client's port had changed; None: not tried

    @property
    def connected(self) -> bool:
        return self.seconds is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What clients without a certificate get."""

    tcp_status: int = 0  # 0: refused
    tcp_asks: bool | None = None  # a CertificateRequest was seen; None: cannot be told
    tcp_error: str = ""
    quic: Visit | None = None
    others: tuple[Visit, ...] = ()  # the same at the other addresses
    resumed: Visit | None = None  # came back without one, with the ticket of a visit that had one
    stranger_tcp: bool | None = None  # a certificate of an unknown issuer was let in; None: not tried
    stranger_quic: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """What became of requests in 0-RTT data."""

    get: Visit | None = None  # None: the tickets take none, or there are no tickets
    post: Visit | None = None
    had_ticket: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Everything that was measured of one URL."""

    target: Target
    now: datetime
    has_certificate: bool = False  # the client brought one
    insecure: bool = False
    http3_only: bool = False  # nothing was asked over TCP, because it was not to be
    names: Names
    tcp: tuple[OverTcp, ...] = ()
    udp_port: int = 0  # the one that clients are told, else that of the URL
    udp: tuple[Udp, ...] = ()
    quic: tuple[Visit, ...] = ()
    url_quic: tuple[Visit, ...] = ()  # at the port of the URL, where clients are told of another
    h3: Answer | None = (
        None  # by libcurl, verified; without verification where it does not trust the certificate
    )
    distrust_h3: str = ""  # why not
    again: Answer | None = None  # the URL once more over TCP: what differs there differs by itself
    parity: Parity | None = None
    resumed: tuple[Visit, ...] = field(default=())
    early: Early | None = None
    migration: Visit | None = None
    quiet: float = 0.0  # seconds without a word on one connection
    idle: Visit | None = None  # what came of it
    mtu: tuple[
        tuple[int, Visit], ...
    ] = ()  # size of the client's datagrams, what came of it; for each family
