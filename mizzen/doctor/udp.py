"""Does a UDP port answer, and does it speak QUIC? A packet of a version that nobody speaks makes every server say so
(Version Negotiation, RFC 9000 sections 6.1 and 17.2.1), without any state and before TLS."""

import os
import select
import socket
import struct
import time
from contextlib import closing

from mizzen.doctor.measured import Reply, Udp, Where
from mizzen.doctor.sockets import connected, failure, reply_of

# 0x?a?a?a?a is reserved, so that servers practise refusing (RFC 9000, section 15).
NOBODYS_VERSION = 0x1A2A3A4A
SMALLEST = 1200  # servers drop what is shorter (RFC 9000, section 14.1)
_SHORT = 100
_SHORT_PATIENCE = 0.4
_CONNECTION_ID = 8
_AGAIN = (0.3, 0.9)  # seconds after the first: packets get lost


def probe(where: Where, patience: float) -> Udp:
    """What the port does with such a packet. Blocks for `patience` seconds at most.

    Where nothing comes, a short packet of a connection that nobody has is sent as well: to that a server answers with a
    stateless reset (section 10.3), and so large packets alone are lost on the way.
    """
    begun = time.monotonic()
    try:
        with closing(connected(where, socket.SOCK_DGRAM)) as udp:
            source = os.urandom(_CONNECTION_ID)
            data = _answer(udp, packet(source), patience)
            if data:
                return answered(where, data, source, time.monotonic() - begun)
            short = _answer(udp, short_packet(), min(_SHORT_PATIENCE, patience))
            return Udp(where=where, reply=Reply.SILENT, small_only=bool(short), seconds=_since(begun))
    except OSError as error:
        return Udp(where=where, reply=reply_of(error), detail=failure(error), seconds=_since(begun))


def packet(source: bytes) -> bytes:
    """A long header of a reserved version with a destination that is made up, padded to what servers must answer."""
    destination = os.urandom(_CONNECTION_ID)
    head = struct.pack("!BI", 0xC0, NOBODYS_VERSION)
    head += bytes([len(destination)]) + destination + bytes([len(source)]) + source
    return head.ljust(SMALLEST, b"\0")


def short_packet() -> bytes:
    """A short header of a connection that does not exist."""
    return b"\x40" + os.urandom(_SHORT - 1)


def answered(where: Where, data: bytes, source: bytes, seconds: float) -> Udp:
    """What an answer says. `source`: the connection id that a Version Negotiation packet must bear as its destination."""
    versions = negotiated(data, source)
    return Udp(
        where=where,
        reply=Reply.ANSWERED,
        versions=versions or (),
        is_quic=versions is not None,
        seconds=seconds,
        detail="" if versions is not None else f"{len(data)} bytes that are no QUIC",
    )


def negotiated(data: bytes, source: bytes) -> tuple[int, ...] | None:
    """The versions of a Version Negotiation packet for us; None when it is none."""
    if len(data) < 7 or not data[0] & 0x80 or data[1:5] != bytes(4):
        return None
    end = 6 + data[5]
    if data[6:end] != source or len(data) <= end:
        return None
    listed = data[end + 1 + data[end] :]
    return struct.unpack(f"!{len(listed) // 4}I", listed[: len(listed) // 4 * 4])


def _answer(udp: socket.socket, sent: bytes, patience: float) -> bytes:
    """The first datagram that comes back; b"" when none does, though it was sent three times."""
    begun = time.monotonic()
    for until in (*_AGAIN, patience):
        udp.send(sent)
        left = begun + min(until, patience) - time.monotonic()
        if select.select([udp], [], [], max(left, 0.0))[0]:
            return udp.recv(65_535)
    return b""


def _since(begun: float) -> float:
    return time.monotonic() - begun
