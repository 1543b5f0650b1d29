"""What is refused in the block `transport` of an HTTP3Policy."""

from datetime import timedelta

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.mizzen.transport import LONGEST_IDLE, TransportSettings
from mizzen.resources.rules import shared_rules

_SECOND = timedelta(seconds=1)


def validate_transport(transport: TransportSettings, found: Findings) -> None:
    for name, value in (
        ("idleTimeout", transport.idle_timeout),
        ("keepalive", transport.keepalive),
        ("statsPeriod", transport.stats_period),
    ):
        if value is not None and not _SECOND <= value <= LONGEST_IDLE:
            found.error("VAL-009", f"{transport.at}.{name}", "a time of 1s to 1h is wanted here")
        else:
            shared_rules.time(value, f"{transport.at}.{name}", found)
    stream, connection = transport.stream_window_bytes, transport.connection_window_bytes
    if stream is not None and connection is not None and connection < stream:
        found.error(
            "VAL-002",
            f"{transport.at}.connectionWindowBytes",
            "the window of a connection is smaller than that of each of its streams, which could never be used",
            "Make it as large at least.",
        )
