"""HTTP/3 (RFC 9114), by aioquic, which judges nothing of what is sent."""

import asyncio
import contextlib
from typing import Any

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import ErrorCode, FrameType, H3Connection, H3Stream
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StopSendingReceived, StreamReset

from tests.harness.exchanges.exchange import Asked, Connection, End, Exchange, Fields

CHUNK = 65536
MOST_UNSENT = 4 * CHUNK
WINDOW = 256 * 1024  # of a stream


class _H3(H3Connection):
    """Knows that an answer to HEAD has no content, though it has a length (RFC 9110, section 8.6), and hears GOAWAY."""

    goaway = False

    def _check_content_length(self, stream: H3Stream) -> None:
        if stream.content_length:
            super()._check_content_length(stream)

    def _handle_control_frame(self, frame_type: int, frame_data: bytes) -> None:
        self.goaway = self.goaway or frame_type == FrameType.GOAWAY
        super()._handle_control_frame(frame_type, frame_data)


class _Protocol(QuicConnectionProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.http = _H3(self._quic)
        self.exchanges: dict[int, OverHttp3] = {}
        self.paused: set[int] = set()
        raise_window = self._quic._write_stream_limits

        def unless_paused(builder: Any, space: Any, stream: Any) -> None:
            if stream.stream_id not in self.paused:
                raise_window(builder, space, stream)

        self._quic._write_stream_limits = unless_paused  # type: ignore[method-assign]

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ConnectionTerminated):
            for exchange in self.exchanges.values():
                exchange.over(End.CUT, event.error_code)
            return
        if isinstance(event, StreamReset | StopSendingReceived):
            exchange = self.exchanges.get(event.stream_id)
            if exchange is not None:
                exchange.answer.stopped = True
                if isinstance(event, StreamReset):
                    exchange.over(End.CUT, event.error_code)
                exchange.tell()
            return
        for happened in self.http.handle_event(event):
            exchange = self.exchanges.get(getattr(happened, "stream_id", -1))
            if exchange is not None:
                exchange.happened(happened)


class Http3(Connection):
    async def open(self) -> None:
        """As aioquic's `connect`, whose end would wait for packets that are on their way."""
        configuration = QuicConfiguration(
            alpn_protocols=["h3"], server_name=self.sni, cadata=self.ca_pem.encode(), max_stream_data=WINDOW
        )
        made = asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Protocol(QuicConnection(configuration=configuration)), local_addr=("127.0.0.1", 0)
        )
        self._transport, self._protocol = await made
        self._protocol.connect(("127.0.0.1", self.port))
        await self._protocol.wait_connected()

    async def close(self) -> None:
        self._protocol.close()
        self._transport.close()

    @property
    def goaway(self) -> bool:
        return self._protocol.http.goaway

    @goaway.setter
    def goaway(self, _: bool) -> None:
        """It is heard by the connection itself."""

    async def ask(self, asked: Asked, *, end: bool = True) -> "OverHttp3":
        protocol = self._protocol
        number = protocol._quic.get_next_available_stream_id()
        exchange = protocol.exchanges[number] = OverHttp3(protocol, number)
        protocol.http.send_headers(number, list(asked.head), end_stream=end)
        protocol.transmit()
        return exchange


class OverHttp3(Exchange):
    def __init__(self, protocol: _Protocol, number: int) -> None:
        super().__init__()
        self._protocol, self._number = protocol, number

    async def send(self, data: bytes, *, end: bool = False) -> None:
        http = self._protocol.http
        for start in range(0, len(data), CHUNK):
            await self._room()
            http.send_data(self._number, data[start : start + CHUNK], end_stream=False)
            self._protocol.transmit()
        if end:
            await self._room()
            http.send_data(self._number, b"", end_stream=True)
            self._protocol.transmit()

    async def _room(self) -> None:
        """Wait while aioquic holds more than a little that the server has not taken."""
        while True:
            if self.answer.end is End.CUT or self.answer.stopped:
                raise ConnectionResetError("the request is over")
            sender = self._protocol._quic._streams[self._number].sender
            if sender._buffer_stop - sender._buffer_start <= MOST_UNSENT:
                return
            await asyncio.sleep(0.002)

    async def send_trailers(self, fields: Fields) -> None:
        self._protocol.http.send_headers(self._number, list(fields), end_stream=True)
        self._protocol.transmit()

    async def cancel(self) -> None:
        """RFC 9114, section 4.1.1."""
        quic = self._protocol._quic
        with contextlib.suppress(ValueError):
            quic.stop_stream(self._number, ErrorCode.H3_REQUEST_CANCELLED)
        quic.reset_stream(self._number, ErrorCode.H3_REQUEST_CANCELLED)
        self._protocol.transmit()
        self.over(End.CUT)

    def pause(self) -> None:
        self._protocol.paused.add(self._number)

    def resume(self) -> None:
        self._protocol.paused.discard(self._number)
        self._protocol._quic.send_ping(self._number)  # so that the window goes out
        self._protocol.transmit()

    def happened(self, event: H3Event) -> None:
        answer = self.answer
        if isinstance(event, HeadersReceived):
            fields = tuple(event.headers)
            status = int(dict(fields).get(b":status", 0))
            others = tuple(pair for pair in fields if pair[0] != b":status")
            if 100 <= status < 200:
                answer.interim.append((status, others))
            elif status:
                answer.status, answer.fields = status, others
            else:
                answer.trailers = others
        elif isinstance(event, DataReceived):
            answer.body += event.data or b""
        if isinstance(event, HeadersReceived | DataReceived) and event.stream_ended:
            self.over(End.WHOLE)
        self.tell()
