"""The backend over HTTP/1.1 (RFC 9112)."""

import asyncio
import socket
import struct

from tests.harness.exchanges.arrived import Arrived, Reply
from tests.harness.exchanges.exchange import End, Fields

ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets
CUT = (OSError, asyncio.IncompleteReadError)


async def arrived(first: bytes, reader: asyncio.StreamReader) -> Arrived:
    method, path, _ = (first + await reader.readuntil(b"\r\n")).decode("latin-1").split(" ", 2)
    fields = await _fields(reader)
    authority = next((value.decode() for name, value in fields if name.lower() == b"host"), "")
    rest = tuple(pair for pair in fields if pair[0].lower() != b"host")
    return Arrived("HTTP/1.1", method, path, authority, rest)


async def _fields(reader: asyncio.StreamReader) -> Fields:
    fields = []
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        name, _, value = line.partition(b":")
        fields.append((name, value.strip()))
    return tuple(fields)


class Reply1(Reply):
    def __init__(self, request: Arrived, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self.arrived, self._reader, self._writer = request, reader, writer
        self._chunked = False  # the answer
        self._left = int(request.first("content-length") or 0)  # of a body with a length, or of a chunk
        self._body = bool(self._left) or "chunked" in request.first("transfer-encoding")
        self.stays = True  # the connection
        if not self._body and not request.first("upgrade"):
            request.end = End.WHOLE

    async def read(self) -> bytes:
        try:
            data = await self._piece() if self._body else b""
        except CUT:
            self._cut()
            raise ConnectionResetError("the request was cut") from None
        if data:
            self.arrived.took(data)
        elif self.arrived.end is End.OPEN:
            self.arrived.end = End.WHOLE
        return data

    async def _piece(self) -> bytes:
        chunked = "chunked" in self.arrived.first("transfer-encoding")
        if chunked and not self._left:
            self._left = int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16)
            if not self._left:
                self.arrived.trailers = await _fields(self._reader)
        if not self._left:
            self._body = False
            return b""
        data = await self._reader.read(min(self._left, 65536))
        if not data:
            raise asyncio.IncompleteReadError(b"", self._left)
        self._left -= len(data)
        if chunked and not self._left:
            await self._reader.readexactly(2)
        return data

    async def raw(self) -> bytes:
        """What comes on the connection after it was switched to another protocol."""
        data = await self._reader.read(65536)
        self.arrived.took(data)
        if not data:
            self.arrived.end = End.WHOLE
        return data

    def _cut(self) -> None:
        self.arrived.end, self.stays = End.CUT, False

    async def gone(self) -> None:
        try:
            while await self._reader.read(65536):
                pass
        except OSError:
            pass
        self._cut()

    async def interim(self, status: int, *fields: tuple[bytes, bytes]) -> None:
        await self._write(_head(status, fields))

    async def head(self, status: int, *fields: tuple[bytes, bytes], end: bool = False) -> None:
        names = {name.lower() for name, _ in fields}
        length = b"content-length" in names
        closes = (b"connection", b"close") in fields
        self.stays = self.stays and not closes
        bodyless = end or status in (101, 204, 304) or self.arrived.method == "HEAD"
        self._chunked = not (length or closes or bodyless)
        if self._chunked:
            fields = (*fields, (b"transfer-encoding", b"chunked"))
        elif end and not length and status not in (204, 304):
            fields = (*fields, (b"content-length", b"0"))
        await self._write(_head(status, fields))

    async def data(self, data: bytes) -> None:
        if self.arrived.method == "HEAD" or not data:
            return
        await self._write(b"%x\r\n" % len(data) + data + b"\r\n" if self._chunked else data)
        self.arrived.sent += len(data)

    async def end(self, *trailers: tuple[bytes, bytes]) -> None:
        if self._chunked:
            await self._write(
                b"0\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in trailers) + b"\r\n"
            )

    async def reset(self, code: int) -> None:
        self.stays = False
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self._writer.transport.abort()

    async def goaway(self) -> None:
        self.stays = False

    async def linger(self) -> None:
        """Close our side, and read what still comes: else TCP's reset may overtake the answer (RFC 9112, section 9.6)."""
        if self._writer.is_closing() or not self._writer.can_write_eof():
            return
        self._writer.write_eof()
        async with asyncio.timeout(1):
            while await self._reader.read(65536):
                pass

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            self._cut()
            raise ConnectionResetError("the answer was cut") from error


def _head(status: int, fields: Fields) -> bytes:
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    return b"HTTP/1.1 %d Told\r\n" % status + lines + b"\r\n"
