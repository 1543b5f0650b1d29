"""Connections to a port inside a Pod, through the API server: what `kubectl port-forward` carries.

Kubernetes' protocol v4.channel.k8s.io over a WebSocket: each message begins with a channel, 0 for data and
1 for errors, and the first on each repeats the port.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

import websockets.asyncio.client
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from mizzen.kube.client import Kube, KubeError
from mizzen.proxy.admin import read_answer

_Socket = websockets.asyncio.client.ClientConnection

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_LONGEST = 256 * 2**20  # a config_dump of 10,000 hosts has some 50 MB


async def tunnel(
    kube: Kube,
    namespace: str,
    pod: str,
    port: int,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Carry one connection to a port of a Pod until either side ends it. KubeError when it is refused."""
    async with _connected(kube, namespace, pod, port) as socket:
        both = [asyncio.create_task(_out(reader, socket)), asyncio.create_task(_in(socket, writer))]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


async def _out(reader: asyncio.StreamReader, socket: _Socket) -> None:
    while content := await reader.read(65_536):
        await socket.send(bytes([_DATA]) + content)


async def _in(socket: _Socket, writer: asyncio.StreamWriter) -> None:
    async for content in _data(socket, "the Pod"):
        writer.write(content)
        await writer.drain()


async def fetch(
    kube: Kube, namespace: str, pod: str, port: int, target: str, *, seconds: float = 20.0
) -> tuple[int, bytes]:
    """GET `target` at a port of a Pod: (status, body). KubeError when that is refused or nobody answers."""
    what = f"{namespace}/{pod}:{port}"
    try:
        async with asyncio.timeout(seconds), _connected(kube, namespace, pod, port) as socket:
            request = f"GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
            with suppress(ConnectionClosed):  # why, is said on the other channel
                await socket.send(bytes([_DATA]) + request.encode())
            return read_answer(await _answered(socket, what))
    except OSError as error:
        raise KubeError(0, f"{what} cannot be reached: {str(error) or type(error).__name__}") from None


@asynccontextmanager
async def _connected(kube: Kube, namespace: str, pod: str, port: int) -> AsyncIterator[_Socket]:
    context, headers = await kube.credentials()
    path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/portforward?ports={port}"
    try:
        async with websockets.asyncio.client.connect(
            kube.server.replace("http", "ws", 1) + path,
            ssl=context,
            additional_headers=headers,
            subprotocols=[websockets.Subprotocol(_PROTOCOL)],
            max_size=_LONGEST,
            compression=None,
        ) as socket:
            yield socket
    except InvalidStatus as error:
        raise _refusal(error, f"{namespace}/{pod}") from None
    except WebSocketException as error:
        raise KubeError(0, f"port {port} of {namespace}/{pod} cannot be reached: {error}") from None


def _refusal(error: InvalidStatus, what: str) -> KubeError:
    status, said = error.response.status_code, (error.response.body or b"").decode(errors="replace")
    try:
        said = json.loads(said)["message"]
    except (ValueError, KeyError, TypeError):
        said = said[:300]
    return KubeError(status, f"no port of {what} can be forwarded: {said or f'HTTP {status}'}")


async def _data(socket: _Socket, what: str) -> AsyncIterator[bytes]:
    """What comes from the port until the other side has no more."""
    greeted: set[int] = set()
    try:
        async for message in socket:
            assert isinstance(message, bytes)
            channel, content = message[0], message[1:]
            if channel not in greeted:
                greeted.add(channel)
                content = content[2:]
            if channel == _ERROR and content:
                raise KubeError(0, f"{what}: {content.decode(errors='replace').strip()}")
            if channel == _DATA and content:
                yield content
    except ConnectionClosed:
        return  # with an answer or without: who reads it will see


async def _answered(socket: _Socket, what: str) -> bytes:
    """A whole HTTP answer."""
    parts: list[bytes] = []
    async for content in _data(socket, what):
        parts.append(content)
        if _is_whole(parts[0], sum(map(len, parts))):
            break
    return b"".join(parts)


def _is_whole(beginning: bytes, length: int) -> bool:
    """Is there as much as the answer's head announces? The connection may stay open for a while."""
    head, end, _ = beginning.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if end and name == b"content-length" and value.strip().isdigit():
            return length >= len(head) + 4 + int(value)
    return False
