"""A message of many like parts, put together from what is kept of each on the wire.

A route table has a virtual host for each of 10,000 hosts, a listener a chain for each of 1,000 servers: what stays the
same is not serialised again. The result is, byte for byte, the deterministic serialisation of the whole: fields stand
in the order of their numbers (protobuf, "Serialization Order"), and the entries of a repeated one behind each other.
"""

from collections.abc import Iterable
from functools import cache

from google.protobuf.message import Message

from mizzen.lazy import dataclass

_LENGTH_DELIMITED = 2  # protobuf's wire type of messages


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and behind the entries of one repeated field."""

    head: bytes
    tail: bytes

    def around(self, entries: Iterable[bytes]) -> bytes:
        """The whole message."""
        return b"".join((self.head, *entries, self.tail))


def frame(message: Message, field: str) -> Frame:
    """The rest of `message` around a repeated `field`, whose entries in it are left out."""
    number = message.DESCRIPTOR.fields_by_name[field].number
    head, tail = type(message)(), type(message)()
    head.CopyFrom(message)
    tail.CopyFrom(message)
    for declared, _ in message.ListFields():
        if declared.number >= number:
            head.ClearField(declared.name)
        if declared.number <= number:
            tail.ClearField(declared.name)
    return Frame(head.SerializeToString(deterministic=True), tail.SerializeToString(deterministic=True))


def entry(message: Message, container: type[Message], field: str) -> bytes:
    """`message` as one entry of a repeated `field` of `container`: tag, length and body."""
    return field_of(message.SerializeToString(deterministic=True), container, field)


def field_of(body: bytes, container: type[Message], field: str) -> bytes:
    """A message that is serialised already, as a `field` of `container`."""
    return _tag(container.DESCRIPTOR.fields_by_name[field].number) + _varint(len(body)) + body


@cache
def _tag(number: int) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
