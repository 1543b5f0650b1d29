"""Answers questions over HTTP on a Unix socket: what the verbs and the supervisor ask the control plane.

Both sides show that they have the key of the instance: somebody could make Envoy connect to this socket, or
listen in its place.
"""

import asyncio
import json
import logging
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from mizzen.authority.proof import HEADER, NONCE_HEADER, holds, proof_of_answer, proof_of_question
from mizzen.node.unix_sockets import make_way
from mizzen.serve.kept_socket import KeptSocket

ANSWER_SECONDS = 10.0  # the loop may be building; past this it is stuck


_log = logging.getLogger(__name__)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked went away."""
        _log.debug("a question was not answered", exc_info=True)


Json = dict[str, Any]
# What a page says; or what works that out where nobody waits for it, in the thread of who asked.
Page = Callable[[], Json | Callable[[], Json]]


class ControlSocket:
    """Serves GET /status, /brief and /configuration at `path`, from what is said in the event loop's own thread."""

    def __init__(
        self,
        path: Path,
        status: Callable[[], Json],
        key: bytes,
        brief: Callable[[], Json] | None = None,
        configuration: Page | None = None,
    ) -> None:
        """`brief`: as much of the status as is asked for again and again; None: all of it. `configuration`: what is served,
        Secrets among it; None: it is not told."""
        self._path, self._key = path, key
        self._pages: dict[str, Page] = {"/status": status, "/brief": brief or status}
        if configuration is not None:
            self._pages["/configuration"] = configuration
        self._server: _Server | None = None
        self._kept = KeptSocket(path)

    async def start(self) -> None:
        """Bind and answer. A socket that an earlier instance left is replaced. OSError when something else is there."""
        loop, key, pages = asyncio.get_running_loop(), self._key, self._pages

        async def ask(page: str) -> Json | Callable[[], Json]:
            return pages[page]()

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"
            timeout = 5.0  # for the question

            def do_GET(self) -> None:
                nonce = self.headers.get(NONCE_HEADER, "")
                if not nonce or not holds(self.headers.get(HEADER, ""), proof_of_question(key, nonce)):
                    self.send_error(403, "the key of the instance is needed")
                    return
                if self.path not in pages:
                    self.send_error(404)
                    return
                try:
                    found = asyncio.run_coroutine_threadsafe(ask(self.path), loop).result(ANSWER_SECONDS)
                except TimeoutError:
                    self.send_error(503, "the control plane is busy")
                    return
                body = json.dumps(found() if callable(found) else found).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.send_header(HEADER, proof_of_answer(key, nonce, body))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self) -> str:
                return "local"  # a Unix peer has no address

            def log_message(self, format: str, *args: Any) -> None:
                pass  # asked several times a second

        make_way(self._path)
        self._server = _Server(str(self._path), Answer)
        self._kept.hold()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def restore(self) -> tuple[str, ...]:
        """Give the socket its name again, if somebody removed it: that name."""
        return (self._path.name,) if self._kept.restore() else ()

    async def stop(self) -> None:
        """Stop answering; the socket goes away."""
        if self._server:
            await asyncio.to_thread(self._server.shutdown)
            self._server.server_close()
            self._kept.end()
