"""How the QUIC listeners of a gateway are set up: HTTP3Policies -> QuicTransport."""

from dataclasses import fields, replace

from mizzen.model.quic import QuicTransport
from mizzen.resolve.context import Context, step
from mizzen.resolve.http3_policies import chosen, of_workload


@step
def quic_transport(ctx: Context) -> QuicTransport:
    """What the policy that counts says, and the defaults where it says nothing."""
    choice = chosen(of_workload(ctx), lambda spec: spec.transport)
    if choice is None:
        return QuicTransport()
    names = {one.name for one in fields(QuicTransport)}
    written = {name: value for name in names if (value := getattr(choice.value, name)) is not None}
    made = replace(QuicTransport(), **written)
    if made.connection_window_bytes >= made.stream_window_bytes:
        return made
    # One of the two is a default, which gives way.
    if "stream_window_bytes" in written:
        return replace(made, connection_window_bytes=made.stream_window_bytes)
    return replace(made, stream_window_bytes=made.connection_window_bytes)
