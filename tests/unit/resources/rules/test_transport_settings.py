"""What is refused in the block `transport` of an HTTP3Policy."""

from datetime import timedelta

import pytest

from mizzen.errors import ResourceRef
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.mizzen.transport import TransportSettings
from mizzen.resources.rules.transport_settings import validate_transport


def judged(**values):
    findings = Findings(ResourceRef(kind="HTTP3Policy", namespace="shop", name="one"))
    validate_transport(TransportSettings(at="spec.transport", **values), findings)
    return [(one.code, one.field) for one in findings.all()]


@pytest.mark.parametrize("name", ["idle_timeout", "keepalive", "stats_period"])
def test_times_are_a_second_to_an_hour(name):
    first, *others = name.split("_")
    written = f"spec.transport.{first}" + "".join(map(str.capitalize, others))

    assert judged(**{name: timedelta(seconds=1)}) == judged(**{name: timedelta(hours=1)}) == []
    for wrong in (timedelta(0), timedelta(milliseconds=999), timedelta(hours=1, microseconds=1)):
        assert judged(**{name: wrong}) == [("VAL-009", written)]


def test_the_window_of_a_connection_holds_that_of_a_stream():
    assert judged(stream_window_bytes=65536, connection_window_bytes=65536) == []
    assert judged(stream_window_bytes=65537, connection_window_bytes=65536) == [
        ("VAL-002", "spec.transport.connectionWindowBytes")
    ]
