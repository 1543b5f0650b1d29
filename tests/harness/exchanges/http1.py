"""HTTP/1.1 (RFC 9112) by hand: one request on each connection."""

import asyncio
import contextlib

from tests.harness.exchanges.exchange import Asked, Connection, End, Exchange, Fields

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455, section 1.3
BODYLESS = (204, 304)
LONGEST_HEAD = 1 << 20


class Http1(Connection):
    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls("http/1.1"), server_hostname=self.sni, limit=LONGEST_HEAD
        )

    async def close(self) -> None:
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def ask(self, asked: Asked, *, end: bool = True) -> "OverHttp1":
        fields = [(b"host", asked.authority.encode()), *asked.fields]
        names = {name.lower() for name, _ in fields}
        chunked = not end and b"content-length" not in names and b"upgrade" not in names
        if chunked and b"transfer-encoding" not in names:
            fields.append((b"transfer-encoding", b"chunked"))
        target = asked.target or (asked.authority if asked.method == "CONNECT" else asked.path)
        lines = [f"{asked.method} {target} HTTP/1.1".encode("latin-1")]
        lines += [name + b": " + value for name, value in fields]
        self._writer.write(b"\r\n".join([*lines, b"", b""]))
        exchange = OverHttp1(self._reader, self._writer, asked.method, chunked=chunked)
        await asyncio.sleep(0)
        return exchange

    async def websocket(self, asked: Asked) -> "OverHttp1":
        fields = (
            (b"connection", b"Upgrade"),
            (b"upgrade", b"websocket"),
            (b"sec-websocket-version", b"13"),
            (b"sec-websocket-key", KEY),
            *asked.fields,
        )
        return await self.ask(asked.but(method="GET", fields=fields), end=False)


class OverHttp1(Exchange):
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, *, chunked: bool
    ) -> None:
        super().__init__()
        self._reader, self._writer, self._method, self._chunked = reader, writer, method, chunked
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._reading = asyncio.create_task(self._read())

    async def send(self, data: bytes, *, end: bool = False) -> None:
        if self._writer.is_closing():
            raise ConnectionResetError("the server has closed")
        if self._chunked:
            self._writer.write(b"%x\r\n" % len(data) + data + b"\r\n" if data else b"")
            self._writer.write(b"0\r\n\r\n" if end else b"")
        else:
            self._writer.write(data)
        await self._writer.drain()

    async def send_trailers(self, fields: Fields) -> None:
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
        self._writer.write(b"0\r\n" + lines + b"\r\n")
        await self._writer.drain()

    async def cancel(self) -> None:
        self._writer.transport.abort()
        self.over(End.CUT)

    def pause(self) -> None:
        self._may_read.clear()

    def resume(self) -> None:
        self._may_read.set()

    async def _read(self) -> None:
        answer = self.answer
        try:
            while not answer.status:
                status, fields = await self._head()
                if 100 <= status < 200 and status != 101:
                    answer.interim.append((status, fields))
                else:
                    answer.status, answer.fields = status, fields
                self.tell()
            await self._body({name.lower(): value for name, value in answer.fields})
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self.over(End.CUT)
        else:
            self.over(End.WHOLE)

    async def _head(self) -> tuple[int, Fields]:
        line = await self._reader.readuntil(b"\r\n")
        return int(line.split()[1]), await self._fields()

    async def _fields(self) -> Fields:
        fields = []
        while (line := await self._reader.readuntil(b"\r\n")) != b"\r\n":
            name, _, value = line.partition(b":")
            fields.append((name, value.strip()))
        return tuple(fields)

    async def _body(self, fields: dict[bytes, bytes]) -> None:
        if self._method == "HEAD" or self.answer.status in BODYLESS:
            return
        if b"chunked" in fields.get(b"transfer-encoding", b""):
            while size := int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16):
                await self._take(size)
                await self._reader.readexactly(2)
            self.answer.trailers = await self._fields()
        elif b"content-length" in fields:
            await self._take(int(fields[b"content-length"]))
        else:
            while data := await self._some(65536):
                self.answer.body += data
                self.tell()

    async def _take(self, size: int) -> None:
        while size:
            data = await self._some(min(size, 65536))
            if not data:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(data)
            self.answer.body += data
            self.tell()

    async def _some(self, most: int) -> bytes:
        await self._may_read.wait()
        return await self._reader.read(most)
