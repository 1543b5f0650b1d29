"""A WebSocket over HTTP/3 (RFC 9220), as short as it can be: one text goes out, one comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent

TEXT, MASKED = 0x81, 0x80  # RFC 6455, section 5.2; the mask is zeros, so that the text stays as it is


class _Client(QuicConnectionProtocol):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.http = H3Connection(self._quic)
        self.answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.received = bytearray()
        self.came = asyncio.Event()

    def quic_event_received(self, event: QuicEvent) -> None:
        for one in self.http.handle_event(event):
            if isinstance(one, HeadersReceived) and not self.answered.done():
                self.answered.set_result(int(dict(one.headers)[b":status"]))
            elif isinstance(one, DataReceived):
                self.received += one.data
                self.came.set()


@asynccontextmanager
async def _asked(
    sni: str, authority: str, port: int, path: str, ca_pem: str
) -> AsyncIterator[tuple[_Client, int]]:
    """A connection, and the stream on which it has asked for a WebSocket."""
    configuration = QuicConfiguration(alpn_protocols=["h3"], server_name=sni, cadata=ca_pem.encode())
    headers = {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "https",
        ":authority": authority,
        ":path": path,
        "sec-websocket-version": "13",
    }
    async with (
        asyncio.timeout(5),
        connect("127.0.0.1", port, configuration=configuration, create_protocol=_Client) as client,
    ):
        assert isinstance(client, _Client)
        stream = client._quic.get_next_available_stream_id()
        client.http.send_headers(stream, [(name.encode(), value.encode()) for name, value in headers.items()])
        client.transmit()
        yield client, stream


async def answered(sni: str, authority: str, port: int, path: str, *, ca_pem: str) -> int:
    """The status that a request for a WebSocket gets, on a connection that was opened for `sni`."""
    async with _asked(sni, authority, port, path, ca_pem) as (client, _):
        return await client.answered


async def echoed(host: str, port: int, path: str, text: bytes, *, ca_pem: str) -> bytes:
    """What comes back for `text` (under 126 bytes). AssertionError when the request is not answered 200."""
    async with _asked(host, host, port, path, ca_pem) as (client, stream):
        assert await client.answered == 200
        client.http.send_data(stream, bytes([TEXT, MASKED | len(text), 0, 0, 0, 0]) + text, end_stream=False)
        client.transmit()
        while len(client.received) < 2 + len(text):
            client.came.clear()
            await client.came.wait()
        return bytes(client.received[2:])
