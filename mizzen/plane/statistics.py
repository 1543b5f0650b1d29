"""What Envoy counts of a mirror and of its TCP twin, read from its statistics as Prometheus has them. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mizzen.http3.health import RX, TX, Counters
from mizzen.lazy import dataclass

# Which statistics are asked for, as Envoy names them (RE2).
PATTERN = (
    r"^listener\..*(\.downstream_cx_total|quic_connection_close_error_code|\.downstream_rq_(completed|5xx)|cx_rtt_us)"
    r"|^http\.refuse-unknown\.downstream_cx_total"
)
_SAMPLE = re.compile(r"(envoy_(?:listener|http)_\w+)\{([^}]*)\} ([0-9.eE+]+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_CLOSE = re.compile(r"envoy_listener_http3_downstream_(rx|tx)_quic_connection_close_error_code_(\w+)")
_REFUSED = ("envoy_http_downstream_cx_total", "refuse-unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meters:
    """Where Envoy counts a server: its two listeners, and the prefixes of its connection managers there."""

    listener: str  # "udp_0.0.0.0_8443"
    prefix: str
    tcp_listener: str
    tcp_prefix: str


Readings = Mapping[Meters, Counters]
_Counts = dict[tuple[str, str], int]  # by listener and prefix


def readings(text: str, wanted: Iterable[Meters]) -> Readings:
    """What one Envoy has counted since it started. Where nothing came yet Envoy says nothing: that is zero."""
    requests: _Counts = {}
    errors: _Counts = {}
    by_listener: dict[str, Counters] = {}
    refused = 0
    for name, labels, value in _samples(text):
        listener = _plain(labels.get("envoy_listener_address", ""))
        prefix = labels.get("envoy_http_conn_manager_prefix", "")
        key = listener, prefix
        match name:
            case "envoy_listener_http_downstream_rq_completed":
                requests[key] = int(value)
            case "envoy_listener_http_downstream_rq_xx" if labels.get("envoy_response_code_class") == "5":
                errors[key] = int(value)
            case _ if (name, prefix) == _REFUSED:
                refused = int(value)
            case _:
                counters = by_listener.get(listener, Counters())
                by_listener[listener] = _with(counters, name, labels, int(value))
    return {
        meters: replace(
            _connections(by_listener.get(_plain(meters.listener), Counters()), refused),
            requests=requests.get((_plain(meters.listener), meters.prefix), 0),
            errors=errors.get((_plain(meters.listener), meters.prefix), 0),
            tcp_requests=requests.get((_plain(meters.tcp_listener), meters.tcp_prefix), 0),
            tcp_errors=errors.get((_plain(meters.tcp_listener), meters.tcp_prefix), 0),
        )
        for meters in wanted
    }


def _connections(counters: Counters, refused: int) -> Counters:
    """Less those that named a host which has no mirror."""
    return replace(counters, connections=max(0, counters.connections - refused), refused=refused)


def _with(counters: Counters, name: str, labels: Mapping[str, str], value: int) -> Counters:
    """The counters of a listener, with one more of its statistics."""
    if name == "envoy_listener_downstream_cx_total":
        return replace(counters, connections=value)
    if name == "envoy_listener_quic_stats_cx_rtt_us_bucket":
        return replace(counters, round_trips={**counters.round_trips, float(labels["le"]): value})
    if (found := _CLOSE.fullmatch(name)) is not None:
        side = RX if found[1] == "rx" else TX
        return replace(counters, closes={**counters.closes, (side, found[2]): value})
    return counters


def _samples(text: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    for line in text.splitlines():
        if (found := _SAMPLE.fullmatch(line)) is not None:
            yield found[1], dict(_LABEL.findall(found[2])), float(found[3])


def _plain(listener: str) -> str:
    """Envoy writes no colon into the name of a statistic."""
    return listener.replace(":", "_")
