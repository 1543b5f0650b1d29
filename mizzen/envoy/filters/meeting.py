"""What a filter may know of the connections whose requests it meets, and how routes switch filters on and off."""

from functools import cache

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.parts import packed
from mizzen.lazy import dataclass
from mizzen.model.listener import Edge, HttpService


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One connection manager."""

    service: HttpService
    edge: Edge
    scoped: bool = False  # its route table is told host by host


@cache
def switched_on() -> AnyMessage:
    """What a route has that switches on a filter which has no configuration for routes."""
    on = pb.FilterConfig()
    on.config.SetInParent()
    return packed(on)


@cache
def switched_off() -> AnyMessage:
    """What switches a filter off, unless a route says otherwise."""
    return packed(pb.FilterConfig(disabled=True))


def inline(name: str, config: Message, *, disabled: bool = False) -> pb.HttpFilter:
    """A filter whose configuration is part of its listener. `disabled`: until a route switches it on."""
    return pb.HttpFilter(name=name, typed_config=packed(config), disabled=disabled)
