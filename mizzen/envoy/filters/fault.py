"""Injected faults: on routes that have one."""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline
from mizzen.envoy.parts import duration, fractional_percent
from mizzen.model.route import Fault

NAME = "envoy.filters.http.fault"


def http_filter(meeting: Meeting) -> pb.HttpFilter:
    return inline(NAME, pb.HTTPFault(), disabled=not meeting.scoped)


def http_fault(fault: Fault) -> pb.HTTPFault:
    """What one route has. Without a share a fault never happens: Envoy's reading, and Istio's."""
    out = pb.HTTPFault()
    if fault.delay is not None:
        out.delay.fixed_delay.CopyFrom(duration(fault.delay))
        if fault.delay_share is not None:
            out.delay.percentage.CopyFrom(fractional_percent(fault.delay_share))
    if fault.abort_status is not None:
        out.abort.http_status = fault.abort_status
    elif fault.abort_grpc is not None:
        out.abort.grpc_status = fault.abort_grpc
    if out.HasField("abort") and fault.abort_share is not None:
        out.abort.percentage.CopyFrom(fractional_percent(fault.abort_share))
    return out
