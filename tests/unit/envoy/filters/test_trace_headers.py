"""What the filter does is asked of a real Envoy (tests/e2e/test_trace_headers.py); here, where it stands."""

from dataclasses import replace

import pytest

from mizzen._api import pb
from mizzen.envoy.filters import announcement, header_limits, trace_headers
from mizzen.envoy.filters.meeting import Meeting
from mizzen.model.listener import Edge, HttpService
from mizzen.model.telemetry import TraceHeaders
from tests.harness import small_models as small


def meeting(wanted: TraceHeaders | None, announced: str | None) -> Meeting:
    service = HttpService(route_table="routes", stat_prefix="x", announcement=announced)
    return Meeting(service=service, edge=Edge(trace_headers=wanted))


@pytest.mark.parametrize("announced", [None, "alt-svc/x"])
@pytest.mark.parametrize("wanted", [None, *TraceHeaders])
def test_headers_are_made_once(wanted: TraceHeaders | None, announced: str | None) -> None:
    filters = [
        made
        for make in (announcement.http_filter, trace_headers.http_filter)
        if (made := make(meeting(wanted, announced))) is not None
    ]
    texts = [str(made) for made in filters]
    assert sum("x-b3-traceid" in text for text in texts) == (wanted is not None)
    assert len(filters) == (1 if announced or wanted else 0)


def test_an_announcement_makes_them_whatever_it_says_of_http3() -> None:
    resource = small.announcement()
    for wanted in (None, TraceHeaders.MAKE):
        for value in (None, "clear"):
            made = announcement.typed_extension_config(replace(resource, trace_headers=wanted), value)
            config = pb.HeaderMutation.FromString(made.typed_config.value)
            assert len(config.mutations.request_mutations) == (3 if wanted else 0)
            assert len(config.mutations.response_mutations) == (1 if value else 0)


@pytest.mark.parametrize("wanted", TraceHeaders)
def test_headers_of_traces_are_not_counted_as_the_clients(wanted: TraceHeaders) -> None:
    config = pb.HeaderMutation()
    trace_headers.add(wanted, config)
    added = [one for one in config.mutations.request_mutations if one.HasField("append")]
    assert len(added) <= trace_headers.MOST_ADDED < header_limits.NOT_THE_CLIENTS
