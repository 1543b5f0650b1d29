"""One HTTP request to a port inside a Pod, through the API server: what `kubectl port-forward` carries.

Kubernetes' protocol v4.channel.k8s.io over a WebSocket: each message begins with a channel, 0 for data and
1 for errors, and the first on each repeats the port.
"""

import asyncio
from urllib.parse import quote

import websockets.asyncio.client
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from mizzen.proxy.admin import read_answer
from mizzen.sources.kube import Kube, KubeError

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_LONGEST = 256 * 2**20  # a config_dump of 10,000 hosts has some 50 MB


async def fetch(
    kube: Kube, namespace: str, pod: str, port: int, target: str, *, seconds: float = 20.0
) -> tuple[int, bytes]:
    """GET `target` at a port of a Pod: (status, body). KubeError when that is refused or nobody answers."""
    context, headers = await kube.credentials()
    path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/portforward?ports={port}"
    url = kube.server.replace("http", "ws", 1) + path
    try:
        async with (
            asyncio.timeout(seconds),
            websockets.asyncio.client.connect(
                url,
                ssl=context,
                additional_headers=headers,
                subprotocols=[websockets.Subprotocol(_PROTOCOL)],
                max_size=_LONGEST,
                compression=None,
            ) as socket,
        ):
            request = f"GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
            await socket.send(bytes([_DATA]) + request.encode())
            return read_answer(await _received(socket, f"{namespace}/{pod}:{port}"))
    except InvalidStatus as error:
        status, said = error.response.status_code, (error.response.body or b"").decode(errors="replace")
        raise KubeError(
            status, f"a port of {namespace}/{pod} cannot be reached: {said[:300] or status}"
        ) from None
    except (OSError, WebSocketException) as error:
        why = str(error) or type(error).__name__
        raise KubeError(0, f"port {port} of {namespace}/{pod} cannot be reached: {why}") from None


async def _received(socket: websockets.asyncio.client.ClientConnection, what: str) -> bytes:
    """All data until the other side has no more."""
    parts: list[bytes] = []
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
            if channel == _DATA:
                parts.append(content)
                if _is_whole(b"".join(parts[:1]), sum(map(len, parts))):
                    break
    except ConnectionClosed:
        pass  # with an answer or without: who reads it will see
    return b"".join(parts)


def _is_whole(beginning: bytes, length: int) -> bool:
    """Is there as much as the answer's head announces? The connection may stay open for a while."""
    head, end, _ = beginning.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if end and name == b"content-length" and value.strip().isdigit():
            return length >= len(head) + 4 + int(value)
    return False
