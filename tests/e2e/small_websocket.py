"""A WebSocket over HTTP/3 (RFC 9220), as short as it can be: one text goes out, one comes back."""

import asyncio

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


async def echoed(host: str, port: int, path: str, text: bytes, *, ca_pem: str) -> bytes:
    """What comes back for `text` (under 126 bytes). AssertionError when the request is not answered 200."""
    configuration = QuicConfiguration(alpn_protocols=["h3"], server_name=host, cadata=ca_pem.encode())
    headers = {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "https",
        ":authority": host,
        ":path": path,
        "sec-websocket-version": "13",
    }
    async with (
        asyncio.timeout(5),
        connect("127.0.0.1", port, configuration=configuration, create_protocol=_Client) as client,
    ):
        assert isinstance(client, _Client)
        stream = client._quic.get_next_available_stream_id()
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        client.http.send_headers(stream, raw)
        client.transmit()
        assert await client.answered == 200
        client.http.send_data(stream, bytes([TEXT, MASKED | len(text), 0, 0, 0, 0]) + text, end_stream=False)
        client.transmit()
        while len(client.received) < 2 + len(text):
            client.came.clear()
            await client.came.wait()
        return bytes(client.received[2:])
