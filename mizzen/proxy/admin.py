"""Envoy's admin interface over its Unix socket: one connection for each question."""

import asyncio
import http.client
import io
import json
import re
import socket
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from mizzen.lazy import dataclass

LIVE = "LIVE"


@dataclass(slots=True)
class Admin:
    """Asks one Envoy. Every method raises OSError when Envoy does not answer, or not with 200."""

    path: Path  # may be set anew: another way to the same Envoy
    seconds: float = 5.0  # how long an answer may take

    async def ready(self) -> str:
        """Envoy's state: LIVE, PRE_INITIALIZING, INITIALIZING or DRAINING."""
        _, body = await ask(self.path, "/ready", seconds=self.seconds)  # 503 unless LIVE
        return body.decode().strip()

    async def stats(self, pattern: str = "") -> Mapping[str, int]:
        """Counters and gauges whose name matches `pattern` (RE2, anywhere in the name); all without one."""
        found = json.loads(await self._get(f"/stats?format=json&filter={quote(pattern, safe='')}"))
        return {one["name"]: one["value"] for one in found["stats"] if "name" in one}

    async def config_dump(self, *, include_endpoints: bool = False) -> dict[str, Any]:
        """All that Envoy holds (private keys redacted by Envoy itself)."""
        target = "/config_dump?include_eds" if include_endpoints else "/config_dump"
        return cast(dict[str, Any], json.loads(await self._get(target)))

    async def prometheus(self) -> str:
        """All statistics, as Prometheus reads them."""
        return (await self._get("/stats/prometheus")).decode()

    async def clusters(self) -> dict[str, Any]:
        """Each cluster with its hosts and their health."""
        return cast(dict[str, Any], json.loads(await self._get("/clusters?format=json")))

    async def drain(self) -> None:
        """Ask clients of all listeners to leave, while still serving them, and stay when they have left."""
        await self._get("/drain_listeners?graceful&skip_exit", method="POST")

    async def fail_health_check(self) -> None:
        """From now on /ready says 503 DRAINING, and health checks through the gateway fail."""
        await self._get("/healthcheck/fail", method="POST")

    async def _get(self, target: str, method: str = "GET") -> bytes:
        status, body = await ask(self.path, target, method=method, seconds=self.seconds)
        if status != 200:
            raise OSError(f"Envoy answered {status} to {target}: {body[:256].decode(errors='replace')}")
        return body


# `listener.0.0.0.0_8443.downstream_cx_active`, but not those of each worker.
CONNECTIONS = r"^listener\..*\.downstream_cx_active$"
_LISTENER = re.compile(r"listener\.(.+)\.downstream_cx_active")


def active_connections(stats: Mapping[str, int], without: frozenset[str]) -> int:
    """Open connections of clients, TCP and QUIC: all listeners but Envoy's admin and those named in `without`.

    Names are those in statistics (a listener's stat_prefix or its address), as Istio's agent sums them up
    before it ends its Envoy.
    """
    total = 0
    for stat, value in stats.items():
        found = _LISTENER.fullmatch(stat)
        if found and ".worker_" not in stat and found[1].split(".")[0] != "admin" and found[1] not in without:
            total += value
    return total


async def ask(path: Path, target: str, *, method: str = "GET", seconds: float = 5.0) -> tuple[int, bytes]:
    """Send one request to the HTTP server on the Unix socket `path`: (status, body).

    OSError (TimeoutError included) when nobody gives a proper answer within `seconds`.
    """
    status, _, body = await exchange(path, target, method=method, seconds=seconds)
    return status, body


async def exchange(
    path: Path,
    target: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    seconds: float = 5.0,
) -> tuple[int, Message, bytes]:
    """The same, with headers in the request, and those of the answer."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            writer.write(
                f"{method} {target} HTTP/1.1\r\nhost: localhost\r\n{lines}"
                "connection: close\r\ncontent-length: 0\r\n\r\n".encode()
            )
            answer = _read(await reader.read())
            return answer.status, answer.headers, answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"no proper answer: {error!r}") from error
        finally:
            writer.close()


def read_answer(data: bytes) -> tuple[int, bytes]:
    """Status and body of a whole HTTP/1.1 answer. OSError when it is none, or cut off."""
    try:
        answer = _read(data)
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"no proper answer: {error!r}") from error


def _read(data: bytes) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(cast(socket.socket, _Received(data)))
    answer.begin()
    return answer


class _Received:
    """Bytes that have arrived, as http.client wants to be handed them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)
