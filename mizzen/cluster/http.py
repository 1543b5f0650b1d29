"""What a control plane in a cluster answers over HTTP: its readiness, what it knows, and the API server's webhooks."""

import asyncio
import contextlib
import json
import logging
import os
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from mizzen import __version__
from mizzen.node.file_descriptors import raise_limit, shares
from mizzen.serve.credentials import ServerTls

HTTP_PORT, MONITORING_PORT, WEBHOOK_PORT = 8080, 15014, 15017  # Istio's
# A review holds an object twice, as it is and as it was, and an API server takes objects of up to 3 MB.
LARGEST_BODY = 16 * 2**20
LARGEST_HEAD = 32 * 2**10
REQUEST_SECONDS, BODY_SECONDS = 10.0, 10.0  # an API server waits as long for an answer
_LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})

_log = logging.getLogger(__name__)

Review = Callable[[Any], dict[str, Any]]  # an AdmissionReview -> what is answered


def knowing(
    not_ready: Callable[[], str], status: Callable[[], dict[str, object]], is_peer: Callable[[str], bool]
) -> Starlette:
    """/ready for everybody; /debug/status for whoever may forward a port to this Pod, and for other replicas.

    `not_ready`: why it is not. `is_peer`: does another replica show this?
    """

    async def ready(_: Request) -> Response:
        why = not_ready()
        return PlainTextResponse(f"{why or 'ready'}\n", 503 if why else 200)

    async def debug(request: Request) -> Response:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if (request.client is None or request.client.host not in _LOOPBACK) and not is_peer(shown):
            return PlainTextResponse("ask over kubectl port-forward\n", 403)
        if why := not_ready():
            return PlainTextResponse(f"{why}\n", 503)
        return JSONResponse(status())

    return Starlette(routes=[Route("/ready", ready), Route("/debug/status", debug)])


def monitoring(metrics: Callable[[], str]) -> Starlette:
    """/metrics as Prometheus reads them, and /version."""

    async def measured(_: Request) -> Response:
        return PlainTextResponse(metrics(), media_type="text/plain; version=0.0.4")

    async def version(_: Request) -> Response:
        return PlainTextResponse(f"{__version__}\n")

    return Starlette(routes=[Route("/metrics", measured), Route("/version", version)])


def reviewing(inject: Review, validate: Review) -> Starlette:
    """/inject and /validate, below which Istio's paths tell more."""

    def answering(review: Review) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                asked = json.loads(await body_of(request))
            except TooLarge as error:
                return PlainTextResponse(f"{error}\n", 413, {"connection": "close"})
            except TimeoutError:
                return PlainTextResponse("the request did not arrive in time\n", 408, {"connection": "close"})
            except (ValueError, RecursionError):
                return PlainTextResponse("an AdmissionReview as JSON is expected\n", 400)
            return JSONResponse(review(asked))

        return answer

    routes = []
    for path, review in (("/inject", inject), ("/validate", validate)):
        routes += [
            Route(path, answering(review), methods=["POST"]),
            Route(f"{path}/{{rest:path}}", answering(review), methods=["POST"]),
        ]
    return Starlette(routes=routes)


class TooLarge(Exception):
    """The body of a request is larger than any review."""


async def body_of(request: Request) -> bytes:
    """All of it. TooLarge; TimeoutError when it does not come."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 9 or int(declared) > LARGEST_BODY:
        raise TooLarge(f"a body has up to {LARGEST_BODY} bytes")
    parts: list[bytes] = []
    async with asyncio.timeout(BODY_SECONDS):
        async for part in request.stream():
            parts.append(part)
            if sum(map(len, parts)) > LARGEST_BODY:
                raise TooLarge(f"a body has up to {LARGEST_BODY} bytes")
    return b"".join(parts)


class Bounded(H11Protocol):
    """A connection that comes to the point, and one of so many."""

    most = 1_000
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
            return
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and not self._is_answering():
            self._expect_request()
        super().data_received(data)
        if self._is_answering():
            self._forget_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_request(self) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Serving(uvicorn.Server):
    """uvicorn beside others in one process: signals are not its own, and nobody may take his time to say hello."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.servers: list[asyncio.Server] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it. OSError when the port is taken."""
        await self.lifespan.startup()
        config = self.config

        def protocol() -> asyncio.Protocol:
            return Bounded(config=config, server_state=self.server_state, app_state=self.lifespan.state)

        made = await asyncio.get_running_loop().create_server(
            protocol,
            config.host,
            config.port,
            ssl=config.ssl,
            ssl_handshake_timeout=REQUEST_SECONDS if config.ssl else None,
            backlog=config.backlog,
        )
        self.servers, self.started = [made], True


async def serve(
    app: Starlette,
    port: int,
    tls: Callable[[], ServerTls] | None = None,
    folder: Path = Path(),
    *,
    host: str = "0.0.0.0",
) -> None:
    """Serve until cancelled. `tls` is asked again and again, so that a renewed certificate is taken up.

    `folder`: private, and in memory where that can be had; OpenSSL reads certificates from files alone.
    """
    Bounded.most = shares(raise_limit()).webhook
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Bounded,
        ws="none",
        h11_max_incomplete_event_size=LARGEST_HEAD,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
    )
    following: asyncio.Task[None] | None = None
    if tls is not None:
        config.load()
        config.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
        load(config.ssl, tls(), folder)
        following = asyncio.create_task(_follow(config.ssl, tls, folder))
    server = Serving(config)
    try:
        await server.serve()
    finally:
        if following:
            following.cancel()
        server.should_exit = True
        for one in server.servers:
            one.close()


async def _follow(context: ssl.SSLContext, tls: Callable[[], ServerTls], folder: Path) -> None:
    held = tls()
    while True:
        await asyncio.sleep(5.0)
        if (wanted := tls()) == held:
            continue
        try:
            load(context, wanted, folder)
        except OSError as error:  # a full disk: the certificate before this one still lives for half its time
            _log.warning("a new certificate waits, for %s cannot be written: %s", folder, error.strerror)
            continue
        held = wanted


def load(context: ssl.SSLContext, tls: ServerTls, folder: Path) -> None:
    """Take up a certificate and its key, by way of files in `folder` that are gone at once."""
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        chain, key = Path(inside) / "chain.pem", Path(inside) / "key.pem"
        chain.write_text(tls.chain)
        descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(tls.key)
        context.load_cert_chain(chain, key)
