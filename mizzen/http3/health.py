"""Is HTTP/3 well? Judged by what Envoy counted in an interval, over QUIC and over TCP. Pure.

Envoy's counters only climb: what is judged is the difference between two looks at each Envoy, all of them summed up.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import field
from typing import TypeVar

from mizzen.lazy import dataclass
from mizzen.model.announcement import StepBack

K = TypeVar("K", bound=Hashable)
Close = tuple[str, str]  # (RX or TX, code)

_MOST_GOOD = 1000  # so far is counted
RX, TX = "rx", "tx"  # who closed: the client, Envoy
# Codes with which a connection ends that was well (QUICHE's names, as in Envoy's statistics).
_NORMAL = frozenset(
    {
        "QUIC_NO_ERROR",
        "QUIC_PEER_GOING_AWAY",
        "QUIC_CONNECTION_CANCELLED",
        "QUIC_NETWORK_IDLE_TIMEOUT",
        "QUIC_SILENT_IDLE_TIMEOUT",
        # A client that is not made of QUICHE closes with H3_NO_ERROR (RFC 9114, section 8.1) and without QUICHE's number before
        # its reason: Firefox, aioquic, quic-go. Whether it left well is not to be seen.
        "QUIC_IETF_GQUIC_ERROR_MISSING",
    }
)
_OF_HANDSHAKES = ("QUIC_HANDSHAKE", "QUIC_TLS_", "QUIC_CRYPTO_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one interval. `bad`: in one sentence; "" where nothing is. `is_known` False: nobody could look."""

    bad: str = ""
    is_known: bool = True


UNSEEN = Verdict(is_known=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How many of the last intervals were bad, or good, one after the other; one of the two is 0."""

    bad: int = 0
    good: int = 0
    reason: str = ""  # of the last that was bad

    def after(self, verdict: Verdict) -> "Health":
        """One interval later."""
        if not verdict.is_known:
            return self
        if verdict.bad:
            return Health(bad=self.bad + 1, reason=verdict.bad)
        return Health(good=min(self.good + 1, _MOST_GOOD), reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Of one mirror and its TCP twin at one Envoy, since that started; or a difference of two."""

    connections: int = 0  # over QUIC, to one of the mirror's servers
    refused: int = 0  # to none
    closes: Mapping[Close, int] = field(default_factory=dict)
    requests: int = 0  # answered over HTTP/3
    errors: int = 0  # of these with 5xx
    tcp_requests: int = 0
    tcp_errors: int = 0
    round_trips: Mapping[float, int] = field(
        default_factory=dict
    )  # at most so many us -> how many connections

    def since(self, before: "Counters") -> "Counters":
        """What came between two looks; all of it, where Envoy was started again in between."""
        # A connection counts for the listener before it is known whether it is to none of the servers.
        all_now, all_before = self.connections + self.refused, before.connections + before.refused
        pairs = (
            (all_now, all_before),
            (self.requests, before.requests),
            (self.tcp_requests, before.tcp_requests),
        )
        if any(now < earlier for now, earlier in pairs):
            return self
        return Counters(
            connections=max(0, self.connections - before.connections),
            refused=max(0, self.refused - before.refused),
            closes=_less(self.closes, before.closes),
            requests=self.requests - before.requests,
            errors=max(0, self.errors - before.errors),
            tcp_requests=self.tcp_requests - before.tcp_requests,
            tcp_errors=max(0, self.tcp_errors - before.tcp_errors),
            round_trips=_less(self.round_trips, before.round_trips),
        )


def total(some: Iterable[Counters]) -> Counters:
    """Of several Envoys."""
    closes: dict[Close, int] = {}
    round_trips: dict[float, int] = {}
    sums = [0] * 6
    for one in some:
        numbers = (
            one.connections,
            one.refused,
            one.requests,
            one.errors,
            one.tcp_requests,
            one.tcp_errors,
        )
        sums = [before + more for before, more in zip(sums, numbers, strict=True)]
        _add(closes, one.closes)
        _add(round_trips, one.round_trips)
    connections, refused, requests, errors, tcp_requests, tcp_errors = sums
    return Counters(
        connections=connections,
        refused=refused,
        closes=closes,
        requests=requests,
        errors=errors,
        tcp_requests=tcp_requests,
        tcp_errors=tcp_errors,
        round_trips=round_trips,
    )


def judge(seen: Counters, wanted: StepBack) -> Verdict:
    """What one interval was like. Where little came it is not bad."""
    checks = (_errors(seen, wanted), _handshakes(seen, wanted), _closes(seen, wanted), _slow(seen, wanted))
    return Verdict(bad=next((bad for bad in checks if bad), ""))


def _errors(seen: Counters, wanted: StepBack) -> str:
    """Failing answers above the share of TCP: where both fail alike it is the backend."""
    if seen.requests < wanted.min_requests:
        return ""
    share = seen.errors / seen.requests
    over_tcp = seen.tcp_errors / seen.tcp_requests if seen.tcp_requests else 0.0
    if share - over_tcp <= wanted.errors_above_tcp:
        return ""
    return f"{share:.0%} of {seen.requests} requests over HTTP/3 failed with 5xx, {over_tcp:.0%} over TCP"


def _handshakes(seen: Counters, wanted: StepBack) -> str:
    """Clients that name a host that has no mirror, or bring no good certificate, fail over TCP too: they do not count."""
    if seen.connections < wanted.min_connections:
        return ""
    failed = sum(count for close, count in seen.closes.items() if _is_handshake(*close))
    return _share(
        max(0, failed - seen.refused), seen.connections, wanted.handshake_failures, "handshakes failed"
    )


def _is_handshake(side: str, code: str) -> bool:
    if side == TX and code.startswith("QUIC_TLS_"):
        return False  # Envoy does not take the client's certificate
    return code.startswith(_OF_HANDSHAKES)


def _closes(seen: Counters, wanted: StepBack) -> str:
    ended = {close: count for close, count in seen.closes.items() if not close[1].startswith(_OF_HANDSHAKES)}
    count = sum(ended.values())
    if count < wanted.min_connections:
        return ""
    abnormal = {close: n for close, n in ended.items() if n and close[1] not in _NORMAL}
    worst = max(abnormal, key=lambda close: (abnormal[close], close), default=(RX, ""))
    why = f"connections were closed for an error, most with {worst[1]}"
    return _share(sum(abnormal.values()), count, wanted.abnormal_closes, why)


def _share(part: int, whole: int, most: float, what: str) -> str:
    share = part / whole
    return f"{share:.0%} of {whole} HTTP/3 {what}" if share > most else ""


def _slow(seen: Counters, wanted: StepBack) -> str:
    """More than half of the connections are slower than they may be."""
    if wanted.round_trip is None:
        return ""
    count = max(seen.round_trips.values(), default=0)
    most = wanted.round_trip.total_seconds() * 1e6
    fast = max((n for bound, n in seen.round_trips.items() if bound <= most), default=0)
    if count < wanted.min_connections or fast * 2 >= count:
        return ""
    return (
        f"the round trip of {1 - fast / count:.0%} of {count} HTTP/3 connections is above {most / 1000:g} ms"
    )


def _add(sums: dict[K, int], more: Mapping[K, int]) -> None:
    for key, count in more.items():
        sums[key] = sums.get(key, 0) + count


def _less(now: Mapping[K, int], before: Mapping[K, int]) -> dict[K, int]:
    return {key: max(0, count - before.get(key, 0)) for key, count in now.items()}
