"""What may be read of an Envoy's admin interface, at the port of a Pod where istioctl asks.

The interface itself is a Unix socket that the proxy's container alone has: whoever is in the same Pod, or may
forward a port into it, can look and change nothing.
"""

import asyncio
import logging
from http import HTTPStatus
from pathlib import Path

from mizzen.proxy.admin import ask
from mizzen.run.health import answer

READABLE = frozenset(
    {
        "/certs",
        "/clusters",
        "/config_dump",
        "/init_dump",
        "/listeners",
        "/memory",
        "/ready",
        "/runtime",
        "/server_info",
        "/stats",
        "/stats/prometheus",
    }
)
_REQUEST_SECONDS, _ADMIN_SECONDS = 5.0, 20.0

_log = logging.getLogger(__name__)


class Reading:
    """Hands GET requests for what is READABLE on to Envoy."""

    def __init__(self, admin: Path) -> None:
        self._admin = admin
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """Bind on loopback, and answer. OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        """Stop answering."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await self._answer(head))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            _log.debug("a reader went away", exc_info=True)
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        method, target, *_ = (*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", "")
        if method != "GET" or target.partition("?")[0] not in READABLE:
            return answer(HTTPStatus.FORBIDDEN, f"only GET of {', '.join(sorted(READABLE))}", method)
        try:
            status, body = await ask(self._admin, target, seconds=_ADMIN_SECONDS)
        except OSError as error:
            return answer(HTTPStatus.BAD_GATEWAY, f"Envoy does not answer: {error}", method)
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        return f"{first}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body
