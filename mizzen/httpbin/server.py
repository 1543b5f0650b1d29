"""Listening: in the foreground until a signal comes, or in a thread for as long as a caller wants it."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from mizzen.httpbin.app import app

# A request that is still running when we are told to stop gets this long, in seconds.
GRACE = 0.3


class _Server(uvicorn.Server):
    """uvicorn without its own ideas about signals: it may run in any thread, and ends without noise."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """End soon: idle connections at once, running requests after `GRACE`. From the server's own loop."""
        self.should_exit = True
        # What we cut off ourselves is no error to report.
        logging.getLogger("uvicorn.error").disabled = True
        asyncio.get_running_loop().call_later(GRACE, self._cut)

    def _cut(self) -> None:
        for task in list(self.server_state.tasks):
            task.cancel()


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes any free one. OSError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    # Connections inherit it. asyncio sets it by itself only on sockets made with IPPROTO_TCP; without it an
    # answer waits up to 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL under which a listener on this machine is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server() -> _Server:
    logging.getLogger("uvicorn.error").disabled = False
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="websockets-sansio",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # what proxies said is shown, not believed
        server_header=False,
        headers=[("server", "mizzen-httpbin")],
        timeout_keep_alive=600,  # longer than a proxy's: the side that reuses connections closes them
        timeout_graceful_shutdown=1,
    )
    return _Server(config)


async def _serve(listener: socket.socket, ready: Callable[[str], None], bind_stop: bool) -> None:
    server = _server()
    loop = asyncio.get_running_loop()
    if bind_stop:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
    ready(url_of(listener))
    await server.serve(sockets=[listener])


def serve(host: str, port: int, ready: Callable[[str], None] = print) -> None:
    """Serve in the foreground until SIGTERM or SIGINT, then return within a second.

    `ready` is called once with the URL, when connections are accepted. OSError when the port cannot be had.
    """
    listener = listen(host, port)
    with contextlib.closing(listener):
        asyncio.run(_serve(listener, ready, bind_stop=True))


@contextlib.contextmanager
def running(host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in a thread while the block runs; gives the URL. OSError when the port cannot be had."""
    listener = listen(host, port)
    server = _server()
    loop = asyncio.new_event_loop()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.serve(sockets=[listener]))

    thread = threading.Thread(target=work, name="httpbin", daemon=True)
    thread.start()
    try:
        yield url_of(listener)
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(timeout=5)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        listener.close()
