"""What a control plane in a cluster answers over HTTP: its readiness, what it knows, and the API server's webhooks."""

import asyncio
import contextlib
import logging
import os
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

from mizzen import __version__
from mizzen.serve.credentials import ServerTls

HTTP_PORT, MONITORING_PORT, WEBHOOK_PORT = 8080, 15014, 15017  # Istio's
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
                asked = await request.json()
            except ValueError:
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


class Serving(uvicorn.Server):
    """uvicorn beside others in one process: signals are not its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: Starlette, port: int, tls: Callable[[], ServerTls] | None = None, folder: Path = Path()
) -> None:
    """Serve until cancelled. `tls` is asked again and again, so that a renewed certificate is taken up.

    `folder`: private, and in memory where that can be had; OpenSSL reads certificates from files alone.
    """
    config = uvicorn.Config(
        app, host="0.0.0.0", port=port, log_config=None, access_log=False, lifespan="off", server_header=False
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
