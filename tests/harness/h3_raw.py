"""An HTTP/3 client that sends headers just as they are given, several requests on one connection (aioquic).

libcurl would leave out or rewrite what is odd; here it goes on the wire. Each request waits for the end of the one
before: an answer, a reset of its stream, or the end of the connection.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StopSendingReceived, StreamReset

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True)
class Outcome:
    """What became of one request."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: int | None = None  # error code of a stream that the server reset
    closed: int | None = None  # error code, when the whole connection ended meanwhile

    @property
    def answered(self) -> bool:
        return self.status != 0 and self.reset is None and self.closed is None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """One request as it goes on the wire; `headers` hold the pseudo-headers too."""

    headers: Headers
    body: bytes = b""


def plain(host: str, path: str, *more: tuple[bytes, bytes], method: str = "GET") -> RawRequest:
    """A request with nothing odd but `more`."""
    pseudo = ((":method", method), (":scheme", "https"), (":authority", host), (":path", path))
    return RawRequest(headers=(*((name.encode(), value.encode()) for name, value in pseudo), *more))


class _Connection(QuicConnectionProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.outcomes: dict[int, tuple[Outcome, asyncio.Event]] = {}
        self.code: int | None = None

    def ask(self, request: RawRequest) -> tuple[Outcome, asyncio.Event]:
        stream = self._quic.get_next_available_stream_id()
        self.outcomes[stream] = (Outcome(closed=self.code), asyncio.Event())
        self.http.send_headers(stream, list(request.headers), end_stream=not request.body)
        if request.body:
            self.http.send_data(stream, request.body, end_stream=True)
        self.transmit()
        return self.outcomes[stream]

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ConnectionTerminated):
            self.code = event.error_code
            for outcome, over in self.outcomes.values():
                if not over.is_set():
                    outcome.closed = event.error_code
                    over.set()
            return
        if isinstance(event, StreamReset | StopSendingReceived) and event.stream_id in self.outcomes:
            outcome, over = self.outcomes[event.stream_id]
            # STOP_SENDING beside a whole answer only says that the rest of the request is not wanted.
            if isinstance(event, StreamReset):
                outcome.reset = event.error_code
                over.set()
            return
        for http_event in self.http.handle_event(event):
            if isinstance(http_event, HeadersReceived | DataReceived):
                outcome, over = self.outcomes[http_event.stream_id]
                if isinstance(http_event, HeadersReceived):
                    pairs = [
                        (name.decode("latin-1"), value.decode("latin-1"))
                        for name, value in http_event.headers
                    ]
                    outcome.headers = dict(pairs)
                    outcome.status = int(outcome.headers.get(":status", 0))
                else:
                    outcome.body += http_event.data
                if http_event.stream_ended:
                    over.set()


def converse(
    sni: str,
    port: int,
    requests: Sequence[RawRequest],
    *,
    address: str = "127.0.0.1",
    ca_pem: str = "",
    timeout: float = 5.0,
    idle: float = 60.0,
) -> list[Outcome]:
    """Ask `requests` one after the other on one connection. No pings are sent; `idle` is the idle timeout
    it offers. Without `ca_pem` the server may be anybody."""

    async def talk() -> list[Outcome]:
        configuration = QuicConfiguration(alpn_protocols=["h3"], server_name=sni, idle_timeout=idle)
        if ca_pem:
            configuration.cadata = ca_pem.encode()
        else:
            configuration.verify_mode = ssl.CERT_NONE
        outcomes = []
        async with connect(
            address, port, configuration=configuration, create_protocol=_Connection, wait_connected=True
        ) as connection:
            assert isinstance(connection, _Connection)
            for request in requests:
                outcome, over = connection.ask(request)
                outcomes.append(outcome)
                if connection.code is None:
                    try:
                        async with asyncio.timeout(timeout):
                            await over.wait()
                    except TimeoutError:
                        pass
        return outcomes

    return asyncio.run(talk())
