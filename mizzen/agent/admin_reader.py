"""What may be read of an Envoy's admin interface, at the port of a Pod where istioctl asks.

The interface itself is a Unix socket that the proxy's container alone has: whoever is in the same Pod, or may
forward a port into it, can look and change nothing. Envoy itself may not: somebody's route would have made it ask.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from mizzen.node.http_server import SmallHttp, answer
from mizzen.node.ports import connects_from
from mizzen.node.udp_sockets import UDP_SOCKETS, kernel_udp
from mizzen.proxy.admin import ask
from mizzen.redaction import hidden_document
from mizzen.status import to_json

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
_ADMIN_SECONDS = 20.0


class Reading(SmallHttp):
    """Hands GET requests for what is READABLE on to Envoy, and says what the kernel counts of UDP."""

    def __init__(self, admin: Path, envoy: Callable[[], int]) -> None:
        """`envoy`: its process id; 0 while there is none."""
        super().__init__()
        self._admin, self._envoy = admin, envoy

    async def start(self, port: int) -> None:
        """Bind on loopback, and answer. OSError when the port is taken."""
        await self.listen_at("127.0.0.1", port)

    def may_ask(self, peer_port: int, port: int) -> bool:
        """Whoever is in the Pod, but its Envoy."""
        return not connects_from(self._envoy(), peer_port, port)

    async def answer(self, method: str, target: str) -> bytes:
        """What Envoy says, or we, or 403."""
        if method == "GET" and target == UDP_SOCKETS:
            return answer(HTTPStatus.OK, json.dumps(to_json(kernel_udp())), method)
        if method != "GET" or target.partition("?")[0] not in READABLE:
            return answer(
                HTTPStatus.FORBIDDEN, f"only GET of {', '.join(sorted({*READABLE, UDP_SOCKETS}))}", method
            )
        try:
            status, body = await ask(self._admin, target, seconds=_ADMIN_SECONDS)
        except OSError as error:
            return answer(HTTPStatus.BAD_GATEWAY, f"Envoy does not answer: {error}", method)
        if target.partition("?")[0] == "/config_dump":
            body = hidden_document(body.decode(errors="replace")).encode()
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        return f"{first}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body
