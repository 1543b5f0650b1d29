"""Asks Envoys what they have counted. When, and what follows from it, is decided in `state`."""

import asyncio
import logging
from collections.abc import Mapping
from urllib.parse import quote

from mizzen.lazy import dataclass
from mizzen.node.instance import Instance
from mizzen.plane.statistics import PATTERN, Meters, Readings, readings
from mizzen.proxy.admin import ask, read_answer

METRICS_PORT = 15090  # of a proxy elsewhere
TARGET = f"/stats/prometheus?usedonly&filter={quote(PATTERN, safe='')}"
_SECONDS = 5.0
_MOST_AT_ONCE = 8
_MOST_BYTES = 32 * 1024 * 1024

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Counting:
    """`instance`: of the machine on which the Envoys are too; None: they are at their addresses."""

    instance: Instance | None
    port: int = METRICS_PORT

    async def read(self, envoys: Mapping[str, tuple[str, frozenset[Meters]]]) -> dict[str, Readings]:
        """By Envoy; those that do not answer are missing."""
        room = asyncio.Semaphore(_MOST_AT_ONCE)
        found: dict[str, Readings] = {}

        async def look(name: str, address: str, wanted: frozenset[Meters]) -> None:
            async with room:
                try:
                    text = await self._ask(name, address)
                except (OSError, ValueError) as error:
                    _log.debug("what %s has counted is not known: %s", name, error)
                    return
            found[name] = await asyncio.to_thread(readings, text, wanted)

        await asyncio.gather(*(look(name, *one) for name, one in envoys.items()))
        return found

    async def _ask(self, name: str, address: str) -> str:
        if self.instance is not None:
            status, body = await ask(self.instance.admin_socket(name), TARGET, seconds=_SECONDS)
        else:
            status, body = await asyncio.wait_for(fetch_metrics(address, self.port, TARGET), _SECONDS)
        if status != 200:
            raise OSError(f"it answered {status}")
        return body.decode()


async def fetch_metrics(address: str, port: int, target: str) -> tuple[int, bytes]:
    """Status and content of what an Envoy elsewhere answers. OSError, ValueError."""
    reader, writer = await asyncio.open_connection(address, port, limit=_MOST_BYTES)
    try:
        host = f"[{address}]" if ":" in address else address
        writer.write(f"GET {target} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n\r\n".encode())
        data = bytearray()
        while chunk := await reader.read(65536):
            data += chunk
            if len(data) > _MOST_BYTES:
                raise OSError("its answer is too long")
        return read_answer(bytes(data))
    finally:
        writer.close()
