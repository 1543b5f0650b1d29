"""B3 trace headers where nobody collects spans: made where a request has none, else passed on as they came.

A tracer of Envoy's makes a span with all its tags for every request, sampled or not; three headers cost a fraction of
that (docs/performance.md). Of hex digits Envoy has no source but UUIDs, whose first eight characters are random, and the
time, whose digits are hex digits too. A span is 32 random bits and the fraction of the second; a trace is the time in
microseconds, and behind it the first span, as in the traces of Envoy's Zipkin tracer.
"""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline
from mizzen.model.route import OPERATION_HEADER
from mizzen.model.telemetry import TraceHeaders

NAME = "mizzen.trace_headers"
# Of a request, so many headers are not the client's.
MOST_ADDED = 4

_SPAN, _TRACE, _PARENT, _SAMPLED = "x-b3-spanid", "x-b3-traceid", "x-b3-parentspanid", "x-b3-sampled"
_NEW_SPAN = '%COALESCE({"operators":["UNIQUE_ID"]}):8%%START_TIME(%8f)%'
_NEW_TRACE = f"%START_TIME(%s%6f)%%REQ({_SPAN})%"


def http_filter(meeting: Meeting) -> pb.HttpFilter | None:
    """None where an announcement does it (a filter less for each request), or where nobody asks for it."""
    wanted = meeting.edge.trace_headers
    if wanted is None or meeting.service.announcement is not None:
        return None
    config = pb.HeaderMutation()
    add(wanted, config)
    return inline(NAME, config)


def add(wanted: TraceHeaders | None, out: pb.HeaderMutation) -> None:
    """Add what makes the headers. Each line sees what those before it did."""
    if wanted is None:
        return
    if wanted is TraceHeaders.CONTINUE:
        # Whoever called is the parent of the span that the application's own will be children of.
        _header(_PARENT, f"%REQ({_SPAN})%", out, overwrite=True)
        _header(_SPAN, _NEW_SPAN, out, overwrite=True)
        # It was said to this proxy, as Envoy's own tracing of inbound requests has it.
        out.mutations.request_mutations.add(remove=OPERATION_HEADER)
    else:
        _header(_SPAN, _NEW_SPAN, out)
    _header(_TRACE, _NEW_TRACE, out)
    _header(_SAMPLED, "0", out)


def _header(name: str, value: str, out: pb.HeaderMutation, *, overwrite: bool = False) -> None:
    """A value that comes out empty changes nothing."""
    option = pb.HeaderValueOption(header=pb.HeaderValue(key=name, value=value))
    if overwrite:
        option.append_action = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    else:
        option.append_action = pb.HeaderValueOption.ADD_IF_ABSENT
    out.mutations.request_mutations.add(append=option)
