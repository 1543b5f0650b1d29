"""One HTTP/3 connection by aioquic that shows what is below HTTP: transport parameters, connection ids, datagrams.

It can change its address in mid-connection, as a client does that goes from Wi-Fi to mobile.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import Buffer
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, QuicEvent
from aioquic.quic.packet import QuicTransportParameters, pull_quic_transport_parameters

SOL_UDP, UDP_GRO = 17, 104  # Linux


class _Quic(QuicConnection):
    parameters: QuicTransportParameters | None = None  # of the server

    def _parse_transport_parameters(self, data: bytes, from_session_ticket: bool = False) -> None:
        self.parameters = pull_quic_transport_parameters(Buffer(data=data))
        super()._parse_transport_parameters(data, from_session_ticket)


class Connection(QuicConnectionProtocol):
    """It is open. `datagrams`: the size of each that came; with `merged`, as the kernel hands them over."""

    def __init__(self, quic: _Quic, host: str) -> None:
        super().__init__(quic)
        self.host, self.datagrams = host, list[int]()
        self.closed: ConnectionTerminated | None = None
        self._http = H3Connection(quic)
        self._answers: dict[int, tuple[list[int], asyncio.Future[int]]] = {}

    @property
    def parameters(self) -> QuicTransportParameters:
        assert isinstance(self._quic, _Quic)
        assert self._quic.parameters is not None
        return self._quic.parameters

    @property
    def server_ids(self) -> list[bytes]:
        """The connection ids by which the server wants to be spoken to: the one in use first."""
        return [one.cid for one in (self._quic._peer_cid, *self._quic._peer_cid_available)]

    async def get(self, path: str, *, timeout: float = 5.0) -> int:
        """Ask; the status, 0 when the connection ended. TimeoutError when no whole answer comes."""
        stream = self._quic.get_next_available_stream_id()
        answer = self._answers[stream] = ([0], asyncio.get_running_loop().create_future())
        pseudo = ((":method", "GET"), (":scheme", "https"), (":authority", self.host), (":path", path))
        self._http.send_headers(stream, [(a.encode(), b.encode()) for a, b in pseudo], end_stream=True)
        self.transmit()
        return await asyncio.wait_for(answer[1], timeout)

    async def move(self) -> None:
        """Go on from another address, with another connection id (RFC 9000 section 9)."""
        self._quic.change_connection_id()
        await self.rebind()

    async def rebind(self) -> None:
        """Go on from another port, by the same connection id: what a NAT does that has forgotten us."""
        old, remote = self._transport, self._quic._network_paths[0].addr
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        old.close()
        assert remote

    def merge(self) -> None:
        """Take datagrams that were sent at once as one. QUIC does not understand these: look at `datagrams` alone."""
        held: socket.socket = self._transport.get_extra_info("socket")
        held.setsockopt(SOL_UDP, UDP_GRO, 1)

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        self.datagrams.append(len(data))
        super().datagram_received(data, addr)

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ConnectionTerminated):
            self.closed = event
            for _, ended in self._answers.values():
                if not ended.done():
                    ended.set_result(0)
            return
        for one in self._http.handle_event(event):
            if not isinstance(one, HeadersReceived | DataReceived) or one.stream_id not in self._answers:
                continue
            status, ended = self._answers[one.stream_id]
            if isinstance(one, HeadersReceived):
                status[0] = int(dict(one.headers).get(b":status", b"0"))
            if one.stream_ended and not ended.done():
                ended.set_result(status[0])


@asynccontextmanager
async def connected(host: str, port: int, *, ca_pem: str, **options: Any) -> AsyncIterator[Connection]:
    """A connection to this machine; `options` are those of aioquic's QuicConfiguration."""
    configuration = QuicConfiguration(alpn_protocols=["h3"], server_name=host, **options)
    configuration.verify_mode = ssl.CERT_REQUIRED
    configuration.cadata = ca_pem.encode()
    loop = asyncio.get_running_loop()
    transport, connection = await loop.create_datagram_endpoint(
        lambda: Connection(_Quic(configuration=configuration), host), local_addr=("127.0.0.1", 0)
    )
    try:
        connection.connect(("127.0.0.1", port))
        await connection.wait_connected()
        yield connection
    finally:
        connection.close()
        transport.close()
        connection._transport.close()
        await asyncio.sleep(0)  # sockets are closed by the loop
