"""The backend over HTTP/2 (RFC 9113), by the library h2."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from tests.harness.exchanges.arrived import Arrived, Reply
from tests.harness.exchanges.exchange import End

LONGEST_HEAD = 1 << 20
# Valid from the first frame: who asks before it knows how many streams may be open would else be cut off by h2.
SETTINGS = {
    SettingCodes.INITIAL_WINDOW_SIZE: 256 * 1024,
    SettingCodes.ENABLE_CONNECT_PROTOCOL: 1,
    SettingCodes.MAX_CONCURRENT_STREAMS: 5000,
}
Begun = Callable[["Reply2"], Awaitable[None]]


class Serving2:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begun: Begun) -> None:
        self._reader, self.writer, self._begun = reader, writer, begun
        config = H2Configuration(
            client_side=False,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.http = H2Connection(config)
        self.http.decoder.max_header_list_size = LONGEST_HEAD
        self.replies: dict[int, Reply2] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.room = asyncio.Event()

    async def serve(self, first: bytes) -> None:
        self.http.local_settings = Settings(client=False, initial_values=SETTINGS)
        self.http.initiate_connection()
        self.http.increment_flow_control_window(2**30)
        self.flush()
        data = first
        try:
            while data:
                for event in self.http.receive_data(data):
                    self._happened(event)
                self.flush()
                data = await self._reader.read(65536)
        except (OSError, ProtocolError):
            pass
        for reply in self.replies.values():
            reply.cut(None)
        self.writer.close()

    def flush(self) -> None:
        self.writer.write(self.http.data_to_send())

    def _happened(self, event: Event) -> None:
        self.room.set()
        if isinstance(event, RequestReceived):
            reply = self.replies[event.stream_id] = Reply2(self, event)
            task = asyncio.create_task(self._begun(reply))  # type: ignore[arg-type]
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        elif isinstance(event, DataReceived | TrailersReceived | StreamEnded | StreamReset):
            self.replies[event.stream_id].happened(event)
        elif isinstance(event, ConnectionTerminated):
            self.writer.close()


def _request(event: RequestReceived) -> Arrived:
    pairs = [(bytes(name), bytes(value)) for name, value in event.headers]
    pseudo = {name.decode(): value.decode("latin-1") for name, value in pairs if name.startswith(b":")}
    rest = tuple(pair for pair in pairs if not pair[0].startswith(b":"))
    return Arrived(
        "HTTP/2",
        pseudo[":method"],
        pseudo.get(":path", ""),
        pseudo.get(":authority", ""),
        rest,
        pseudo.get(":protocol", ""),
    )


class Reply2(Reply):
    def __init__(self, serving: Serving2, event: RequestReceived) -> None:
        super().__init__()
        self.arrived = _request(event)
        self._serving, self._number = serving, event.stream_id
        self._pieces: asyncio.Queue[tuple[bytes, int]] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._headless = self.arrived.method == "HEAD"

    def happened(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self._pieces.put_nowait((event.data, event.flow_controlled_length))
        elif isinstance(event, TrailersReceived):
            self.arrived.trailers = tuple((bytes(name), bytes(value)) for name, value in event.headers)
        elif isinstance(event, StreamEnded):
            self.arrived.end = End.WHOLE
            self._pieces.put_nowait((b"", 0))
        elif isinstance(event, StreamReset):
            self.cut(int(event.error_code))

    def cut(self, code: int | None) -> None:
        if not self._gone.is_set():
            self.arrived.end, self.arrived.code = End.CUT, code
            self._gone.set()
            self._pieces.put_nowait((b"", 0))
            self._serving.room.set()

    async def read(self) -> bytes:
        data, size = b"", 0
        while not data:
            data, size = await self._pieces.get()
            if size:
                with contextlib.suppress(ProtocolError):
                    self._serving.http.acknowledge_received_data(size, self._number)
                self._serving.flush()
            elif self._gone.is_set():
                raise ConnectionResetError("the request was cut")
            else:
                self._pieces.put_nowait((b"", 0))  # for who asks once more
                break
        self.arrived.took(data)
        return data

    async def gone(self) -> None:
        await self._gone.wait()

    async def interim(self, status: int, *fields: tuple[bytes, bytes]) -> None:
        self._serving.http.send_headers(self._number, [(b":status", b"%d" % status), *fields])
        self._serving.flush()

    async def head(self, status: int, *fields: tuple[bytes, bytes], end: bool = False) -> None:
        if self._gone.is_set():
            raise ConnectionResetError("the answer is not wanted")
        fields = tuple(pair for pair in fields if pair[0] != b"connection")
        self._headless = end = end or self._headless or status in (204, 304)
        self._serving.http.send_headers(self._number, [(b":status", b"%d" % status), *fields], end_stream=end)
        self._serving.flush()

    async def data(self, data: bytes) -> None:
        http, view = self._serving.http, memoryview(b"" if self._headless else data)
        while view:
            if self._gone.is_set():
                raise ConnectionResetError("the answer is not wanted")
            size = min(http.local_flow_control_window(self._number), http.max_outbound_frame_size, len(view))
            if not size:
                self._serving.room.clear()
                await self._serving.room.wait()
                continue
            http.send_data(self._number, bytes(view[:size]))
            self._serving.flush()
            await self._serving.writer.drain()
            self.arrived.sent += size
            view = view[size:]

    async def end(self, *trailers: tuple[bytes, bytes]) -> None:
        if self._headless or self._gone.is_set():
            return
        if trailers:
            self._serving.http.send_headers(self._number, list(trailers), end_stream=True)
        else:
            self._serving.http.end_stream(self._number)
        self._serving.flush()

    async def reset(self, code: int) -> None:
        with contextlib.suppress(ProtocolError):
            self._serving.http.reset_stream(self._number, code)
        self._serving.flush()

    async def goaway(self) -> None:
        """h2 takes nothing more on a connection that it has closed: the frame is written by hand (section 6.8)."""
        body = max(self._serving.replies).to_bytes(4) + int(ErrorCodes.NO_ERROR).to_bytes(4)
        self._serving.flush()
        self._serving.writer.write(len(body).to_bytes(3) + b"\x07\x00" + bytes(4) + body)
