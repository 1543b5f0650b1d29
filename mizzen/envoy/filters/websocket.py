"""Completes the request for a WebSocket that came over HTTP/3, or HTTP/2.

RFC 9220 and RFC 8441 have no sec-websocket-key, an HTTP/1.1 backend (RFC 6455, section 4.1) demands one, and Envoy does not
make it (envoy issue 8547). It stands in the filter chain of WebSocket requests alone: others never meet it.
The key proves nothing to anybody (the client did not send it and does not check the answer), so any does.
"""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline

NAME = "mizzen.websocket_key"

_IF_ABSENT = (("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", "13"))


def http_filter(_: Meeting) -> pb.HttpFilter:
    config = pb.HeaderMutation()
    for key, value in _IF_ABSENT:
        config.mutations.request_mutations.add(
            append=pb.HeaderValueOption(
                header=pb.HeaderValue(key=key, value=value),
                append_action=pb.HeaderValueOption.ADD_IF_ABSENT,
            )
        )
    return inline(NAME, config)
