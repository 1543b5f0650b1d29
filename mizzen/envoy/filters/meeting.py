"""What a filter may know of the connections whose requests it meets, and how routes switch filters on and off."""

from dataclasses import dataclass
from functools import cache

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.parts import packed
from mizzen.model.listener import Edge, HttpService


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One connection manager."""

    service: HttpService
    edge: Edge
    scoped: bool = False  # its route table is told host by host

    @property
    def optional_are_off(self) -> bool:
        """Are filters off until a route asks for them?

        Which filters a request meets is decided once, by the route that it has then. Where another may be chosen later,
        they are on: tokens make Envoy choose anew, and scopes have another way (`off_in_scopes`).
        """
        return not self.scoped and not self.service.tokens


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
