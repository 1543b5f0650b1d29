"""HTTP/2 (RFC 9113), by the library h2, which judges nothing of what is sent."""

import asyncio
import contextlib

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from tests.harness.exchanges.exchange import Asked, Connection, End, Exchange, Fields

LONGEST_HEAD = 1 << 20
GOAWAY = 7  # type of a frame


def _split(fields: object) -> tuple[int, Fields]:
    """The status, and the other fields."""
    pairs = [(bytes(name), bytes(value)) for name, value in fields]  # type: ignore[attr-defined]
    return int(dict(pairs).get(b":status", 0)), tuple(pair for pair in pairs if pair[0] != b":status")


class Http2(Connection):
    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls("h2"), server_hostname=self.sni
        )
        config = H2Configuration(
            header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.http = H2Connection(config)
        self.http.decoder.max_header_list_size = LONGEST_HEAD
        self.exchanges: dict[int, OverHttp2] = {}
        self._unread = b""
        self.room = asyncio.Event()  # somebody's window may have grown
        self.http.initiate_connection()
        self.flush()
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        self._reading.cancel()
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def ask(self, asked: Asked, *, end: bool = True) -> "OverHttp2":
        number = self.http.get_next_available_stream_id()
        exchange = self.exchanges[number] = OverHttp2(self, number)
        self.http.send_headers(number, list(asked.head), end_stream=end)
        self.flush()
        return exchange

    def flush(self) -> None:
        self._writer.write(self.http.data_to_send())

    async def drain(self) -> None:
        await self._writer.drain()

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65536):
                for event in self.http.receive_data(self._but_goaway(data)):
                    self._happened(event)
                self.flush()
        except (OSError, ProtocolError):
            pass
        for exchange in self.exchanges.values():
            exchange.over(End.CUT)
        self.room.set()

    def _but_goaway(self, data: bytes) -> bytes:
        """Whole frames without GOAWAY, after which h2 takes nothing more: what runs goes on (RFC 9113, section 6.8)."""
        self._unread += data
        out = b""
        while len(self._unread) >= 9 and len(self._unread) >= (size := 9 + int.from_bytes(self._unread[:3])):
            frame, self._unread = self._unread[:size], self._unread[size:]
            if frame[3] == GOAWAY:
                self.goaway = True
            else:
                out += frame
        return out

    def _happened(self, event: Event) -> None:
        exchange = self.exchanges.get(getattr(event, "stream_id", None) or 0)
        if exchange is not None:
            exchange.happened(event)
        self.room.set()


class OverHttp2(Exchange):
    def __init__(self, connection: Http2, number: int) -> None:
        super().__init__()
        self._connection, self._number = connection, number
        self._paused, self._unread = False, 0

    async def send(self, data: bytes, *, end: bool = False) -> None:
        http = self._connection.http
        view = memoryview(data)
        try:
            while view:
                if self.answer.end is End.CUT or self.answer.stopped:
                    raise ConnectionResetError("the request is over")
                window = http.local_flow_control_window(self._number)
                size = min(window, http.max_outbound_frame_size, len(view))
                if not size:
                    self._connection.room.clear()
                    await self._connection.room.wait()
                    continue
                ended = end and size == len(view)
                http.send_data(self._number, bytes(view[:size]), end_stream=ended)
                view = view[size:]
                self._connection.flush()
                await self._connection.drain()
            if end and not data:
                http.end_stream(self._number)
                self._connection.flush()
        except ProtocolError as error:
            raise ConnectionResetError("the request is over") from error

    async def send_trailers(self, fields: Fields) -> None:
        self._connection.http.send_headers(self._number, list(fields), end_stream=True)
        self._connection.flush()

    async def cancel(self) -> None:
        with contextlib.suppress(ProtocolError):
            self._connection.http.reset_stream(self._number, ErrorCodes.CANCEL)
        self._connection.flush()
        self.over(End.CUT)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._acknowledge(self._unread)
        self._unread = 0

    def _acknowledge(self, size: int) -> None:
        if size:
            with contextlib.suppress(ProtocolError):
                self._connection.http.acknowledge_received_data(size, self._number)
            self._connection.flush()

    def happened(self, event: Event) -> None:
        answer = self.answer
        match event:
            case InformationalResponseReceived():
                answer.interim.append(_split(event.headers))
            case ResponseReceived():
                answer.status, answer.fields = _split(event.headers)
            case DataReceived():
                answer.body += event.data
                size = event.flow_controlled_length
                if self._paused:
                    self._unread += size
                else:
                    self._acknowledge(size)
            case TrailersReceived():
                answer.trailers = _split(event.headers)[1]
            case StreamEnded():
                self.over(End.WHOLE)
            case StreamReset():
                answer.stopped = True
                self.over(End.CUT, int(event.error_code))
        self.tell()
