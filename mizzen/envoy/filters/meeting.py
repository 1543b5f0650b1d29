"""What a filter may know of the connections whose requests it meets."""

from dataclasses import dataclass

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


def inline(name: str, config: Message) -> pb.HttpFilter:
    """A filter whose configuration is part of its listener."""
    return pb.HttpFilter(name=name, typed_config=packed(config))
