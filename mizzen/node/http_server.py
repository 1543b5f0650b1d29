"""Answering short questions over HTTP: one request for each connection, and no body in it."""

import asyncio
import logging
from http import HTTPStatus
from pathlib import Path

from mizzen.node.unix_sockets import make_way

REQUEST_SECONDS = 5.0  # how long a request may take to arrive

_log = logging.getLogger(__name__)


class SmallHttp:
    """A server whose answers a subclass gives."""

    def __init__(self) -> None:
        self.server: asyncio.Server | None = None

    async def answer(self, method: str, target: str) -> bytes:
        """The whole answer to one request."""
        raise NotImplementedError

    def may_ask(self, peer_port: int, port: int) -> bool:
        """Whether who connected to the TCP port `port`, from `peer_port`, is answered."""
        return True

    async def listen_on(self, path: Path) -> None:
        """Bind a Unix socket, and answer. One that an earlier instance left is replaced. OSError when something else is there."""
        make_way(path)
        self.server = await asyncio.start_unix_server(self._serve, path)

    async def listen_at(self, host: str, port: int) -> None:
        """Bind a TCP port, and answer. OSError when it is taken."""
        self.server = await asyncio.start_server(self._serve, host, port)

    async def stop(self) -> None:
        """Stop answering."""
        if self.server:
            self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            if not self._may_ask(writer):
                writer.write(answer(HTTPStatus.FORBIDDEN, "not through a proxy"))
                return
            method, target, *_ = (*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", "")
            writer.write(await self.answer(method, target))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            _log.debug("who asked went away", exc_info=True)
        finally:
            writer.close()

    def _may_ask(self, writer: asyncio.StreamWriter) -> bool:
        peer, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        return not isinstance(peer, tuple) or self.may_ask(peer[1], own[1])


def answer(status: HTTPStatus, text: str, method: str = "GET") -> bytes:
    """An HTTP/1.1 answer that ends its connection."""
    body = f"{text}\n".encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain\r\ncache-control: no-store\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)
