"""HTTP3Policy `announcement`: how answers come to promise HTTP/3 (alt-svc), for how long, and when they go back on it."""

from datetime import timedelta
from typing import Annotated, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Duration, Element, Least, Range

SHORTEST = timedelta(seconds=1)
AnnouncedFor = Annotated[timedelta, Least(SHORTEST)]
Intervals = Annotated[int, Range(1, 100)]
Count = Annotated[int, Range(1, 1_000_000)]
Percentage = Annotated[float, Range(0, 100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementStage(Element):
    max_age: Annotated[AnnouncedFor, "for how long clients are told to remember it (ma)"]
    duration: Annotated[AnnouncedFor | None, "how long it lasts; the last one stays"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementStepBack(Element):
    """What Envoy counted in each interval is judged, over all Envoys of the gateway together."""

    enabled: Annotated[bool | None, "unset: yes"] = None
    interval: Annotated[AnnouncedFor | None, "unset: 30s"] = None
    bad_intervals: Annotated[Intervals | None, "so many in a row go back a stage. Unset: 3"] = None
    good_intervals: Annotated[Intervals | None, "so many in a row, then it goes on again. Unset: 10"] = None
    pause: Annotated[
        AnnouncedFor | None, "back from the first stage it is withdrawn for so long. Unset: 10m"
    ] = None
    min_requests: Annotated[Count | None, "an interval with fewer is not bad. Unset: 20"] = None
    min_connections: Annotated[Count | None, "an interval with fewer is not bad. Unset: 10"] = None
    errors_above_tcp: Annotated[
        Percentage | None, "percent of the answers with 5xx, above their share over TCP. Unset: 5"
    ] = None
    handshake_failures: Annotated[Percentage | None, "percent of new connections. Unset: 20"] = None
    abnormal_closes: Annotated[
        Percentage | None, "percent of connections that ended for an error. Unset: 20"
    ] = None
    round_trip: Annotated[Duration | None, "which more than half of the connections may not exceed"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementSettings(Element):
    """Unset: a day, as soon as it is proven."""

    rollout: Annotated[
        Literal["Immediate", "Gradual"] | None, "Gradual: 60 s first, then 5 min, 1 h and maxAge"
    ] = None
    max_age: Annotated[AnnouncedFor | None, "for how long clients are told to remember it at last"] = None
    stages: Annotated[tuple[AnnouncementStage, ...], "with Gradual: others than those"] = ()
    step_back: Annotated[AnnouncementStepBack | None, "with Gradual it is on"] = None
    public_address: Annotated[
        str, "an IP address of the load balancer, through which it must be proven too"
    ] = ""
