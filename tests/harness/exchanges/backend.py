"""What the gateway forwards to: HTTP/1.1 and HTTP/2 on one port, also over TLS; it does what the path says (`behaviours`)."""

import asyncio
import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizzen.demo.certificates import KeyPair
from tests.harness.exchanges.arrived import Arrived, Reply
from tests.harness.exchanges.backend1 import CUT, Reply1, arrived
from tests.harness.exchanges.backend2 import Serving2
from tests.harness.exchanges.behaviours import behaviour_of

ROW = "x-row"  # names the request, to find it again


@dataclass(slots=True)
class Backend:
    """What has arrived, by the value of `x-row`."""

    port: int = 0
    tls_port: int = 0
    requests: dict[str, list[Arrived]] = field(default_factory=dict)
    transports: set[asyncio.WriteTransport] = field(default_factory=set)  # of its connections
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _replies: dict[str, Reply] = field(default_factory=dict)

    async def sees(self, condition: Callable[[], Any], seconds: float = 10.0) -> Any:
        """The first true result of `condition`. TimeoutError without."""
        async with asyncio.timeout(seconds):
            while not (result := condition()):
                await asyncio.sleep(0.002)
            return result

    def go(self, row: str) -> None:
        """Let the behaviour of a request go one step further."""
        self._loop.call_soon_threadsafe(self._replies[row].go.release)

    async def last(self, row: str) -> Arrived:
        """The request of that name, when it has come."""
        found: Arrived = (await self.sees(lambda: self.requests.get(row)))[-1]
        return found

    async def begun(self, reply: Reply) -> None:
        row = reply.arrived.first(ROW)
        self.requests.setdefault(row, []).append(reply.arrived)
        self._replies[row] = reply
        with contextlib.suppress(*CUT):
            await behaviour_of(reply.arrived.path)(reply)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.transports.add(writer.transport)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(*CUT):
            first = await reader.readexactly(3)
            if first == b"PRI":  # RFC 9113, section 3.4
                await Serving2(reader, writer, self.begun).serve(first)
            while first and first != b"PRI":
                reply = Reply1(await arrived(first, reader), reader, writer)
                await self.begun(reply)
                if not reply.stays:
                    with contextlib.suppress(TimeoutError):
                        await reply.linger()
                    break
                with contextlib.suppress(*CUT):
                    await reply.whole()  # what the behaviour did not want
                first = await reader.readexactly(3)
        self.transports.discard(writer.transport)
        with contextlib.suppress(OSError):
            writer.close()


@contextlib.contextmanager
def running(pair: KeyPair) -> Iterator[Backend]:
    """In a thread until the block ends; over TLS with `pair`."""
    backend = Backend()
    loop = backend._loop
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder, "both.pem")
        both.write_bytes(pair.certificate + pair.key)
        context.load_cert_chain(both)

    async def listen() -> list[asyncio.Server]:
        plain = await asyncio.start_server(backend.connected, "127.0.0.1", 0, limit=1 << 20)
        secured = await asyncio.start_server(backend.connected, "127.0.0.1", 0, limit=1 << 20, ssl=context)
        backend.port, backend.tls_port = (one.sockets[0].getsockname()[1] for one in (plain, secured))
        return [plain, secured]

    async def end(servers: list[asyncio.Server]) -> None:
        for server in servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for transport in backend.transports:
            transport.abort()
        await asyncio.sleep(0)

    servers = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield backend
    finally:
        asyncio.run_coroutine_threadsafe(end(servers), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
