"""What a gateway's /healthz/ready (port 15021) answers.

200 only when Envoy is LIVE and has confirmed the wanted configuration. As in Istio, a configuration that was
confirmed once counts until this Envoy ends: a change that is on its way, or a control plane that is away,
shall not take a serving gateway out of its balancer.
"""

import asyncio
from http import HTTPStatus
from pathlib import Path

from mizzen.lazy import dataclass
from mizzen.node.http_server import SmallHttp, answer
from mizzen.proxy.admin import LIVE, Admin
from mizzen.serve.kept_socket import KeptSocket
from mizzen.status import Word

PATH = "/healthz/ready"
_ADMIN_SECONDS = 1.0


@dataclass(slots=True)
class Readiness:
    """What is known of one Envoy. Pure."""

    is_confirmed: bool = False
    is_draining: bool = False
    lost: str = ""  # why a port is not served that an Envoy before this one served
    reason: str = "the control plane has not said anything yet"
    _was_whole: bool = False  # this Envoy has served all that it shall

    def on_start(self) -> None:
        """A new Envoy process: it has confirmed nothing."""
        self.is_confirmed, self._was_whole = False, False
        self.reason = "Envoy has just been started"

    def hear(self, word: Word | None, envoy: str) -> None:
        """What the control plane says of this gateway (None: nothing), asked after Envoy said it was `envoy`.

        A word from before Envoy was LIVE may be about its predecessor: it does not count.
        """
        if word is None:
            self.reason = "the control plane does not know this gateway"
        elif word.synced:
            self.is_confirmed |= envoy == LIVE
            self.lost = word.lost
            self._was_whole |= envoy == LIVE and not self.lost
        else:
            self.reason = word.reason or "Envoy has not confirmed its configuration"

    def verdict(self, envoy: str) -> tuple[HTTPStatus, str]:
        """The answer, and why, when Envoy says that it is `envoy` ("": it does not answer)."""
        if self.is_draining:
            return HTTPStatus.SERVICE_UNAVAILABLE, "the gateway is shutting down"
        if envoy != LIVE:
            state = f"Envoy is {envoy}" if envoy else "Envoy does not answer"
            return HTTPStatus.SERVICE_UNAVAILABLE, state
        if not self.is_confirmed:
            return HTTPStatus.SERVICE_UNAVAILABLE, f"configuration not confirmed: {self.reason}"
        if self.lost and not self._was_whole:
            return HTTPStatus.SERVICE_UNAVAILABLE, self.lost
        return HTTPStatus.OK, "ready"


async def envoy_state(admin: Admin) -> str:
    """What Envoy says of itself; "" when it does not answer."""
    try:
        async with asyncio.timeout(_ADMIN_SECONDS):
            return await admin.ready()
    except OSError:
        return ""


class HealthServer(SmallHttp):
    """Answers GET /healthz/ready on a Unix socket, to which Envoy hands what arrives on its status port."""

    def __init__(self, path: Path, readiness: Readiness, admin: Admin) -> None:
        super().__init__()
        self._path, self._readiness, self._admin = path, readiness, admin
        self.socket = KeptSocket(path)

    async def start(self) -> None:
        """Bind and answer."""
        await self.listen_on(self._path)
        self.socket.hold()

    async def stop(self) -> None:
        """Stop answering; the socket goes away."""
        await super().stop()
        self.socket.end()

    async def answer(self, method: str, target: str) -> bytes:
        """200 when the gateway is ready, else 503 and why."""
        if target.partition("?")[0] != PATH:
            return answer(HTTPStatus.NOT_FOUND, f"there is only {PATH}", method)
        if method not in ("GET", "HEAD"):
            return answer(HTTPStatus.METHOD_NOT_ALLOWED, "ask with GET", method)
        return answer(*self._readiness.verdict(await envoy_state(self._admin)), method)
