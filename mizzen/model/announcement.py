"""What the answers of an HTTPS server say about HTTP/3 (the alt-svc header, RFC 7838), and how that comes and goes."""

from dataclasses import field
from datetime import timedelta

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.dns import Binding
from mizzen.model.telemetry import TraceHeaders


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """For how long clients are told to remember, and after how long the next stage may begin."""

    max_age: timedelta
    duration: timedelta | None = None  # None: it is the last


IMMEDIATE = (Stage(max_age=timedelta(days=1)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBack:
    """When an announcement goes back a stage: bad for so many intervals, by what Envoy counted in each. None: not judged."""

    interval: timedelta = timedelta(seconds=30)
    bad: int = 3  # intervals one after the other that are bad, until it goes back
    good: int = 10  # intervals that are not, until it may go on again
    pause: timedelta = timedelta(minutes=10)  # after the first stage it is withdrawn for so long
    # An interval with less is not bad, whatever is in it.
    min_requests: int = 20
    min_connections: int = 10
    # Shares, from 0 to 1: more than that is bad.
    errors_above_tcp: float = 0.05  # of answers with 5xx, above their share over TCP
    handshake_failures: float = 0.2  # of new connections
    abnormal_closes: float = 0.2  # of all that ended
    round_trip: timedelta | None = None  # which most connections must not exceed


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How an announcement comes and goes."""

    stages: tuple[Stage, ...] = IMMEDIATE  # one or more; the ages climb
    step_back: StepBack | None = None
    # A planned withdrawal waits for so long after it is told by DNS no more; zero: nobody tells it by DNS
    # (`Announcement.listed_for`).
    dns_ttl: timedelta = timedelta(0)
    drain: timedelta = timedelta(seconds=20)  # how long Envoy gives connections to what is removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What the answers of one HTTPS server say about HTTP/3.

    Every HTTPS server that ends TLS has one, so that turning HTTP/3 on or off never changes a listener.
    """

    name: str  # "alt-svc/https.443.https.httpbin-gateway.istio-system"
    port: int | None  # the UDP port that clients dial; None: there is no mirror to announce
    why: str = ""  # there is none
    rollout: Rollout = field(default_factory=Rollout)
    # The QUIC listener that must be proven first; without a port, where it is served on while clients remember it.
    listener: str = ""
    public_address: str = ""  # an IP address through which it must be proven too
    server_names: tuple[str, ...] = ()  # SNI that the proof asks for
    certificates: tuple[str, ...] = ()  # names of Certificates, one of which the proof must meet
    trace_headers: TraceHeaders | None = None  # what its filter does besides
    # Its mirror takes early data, and nobody is believed who says over TCP that a request was some.
    strips_early_data: bool = False
    hosts_off: tuple[str, ...] = ()  # of its hosts those that are not had over HTTP/3
    binding: Binding | None = None  # what DNS may say of it, and who keeps the records
    origin: ResourceRef

    @property
    def listed_for(self) -> timedelta | None:
        """For how long a record that mizzen keeps of it may be believed in after it is to go; None: it keeps none."""
        return self.binding.listed_for if self.binding is not None else None
