"""A backend that writes down every request that it believes it got, as a strict HTTP/1.1 server reads them."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from mizzen.httpbin.server import listen


@dataclass(frozen=True, slots=True)
class Seen:
    """One request."""

    method: str
    target: str  # path and query as they came
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.headers if key == name)


@dataclass(slots=True)
class Recorder:
    """The backend. `requests` grows; a test takes what came since it looked last."""

    port: int
    requests: list[Seen] = field(default_factory=list)
    _taken: int = 0

    def take(self) -> list[Seen]:
        """The requests since the last call."""
        new = self.requests[self._taken :]
        self._taken += len(new)
        return new

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            body, more = body + message.get("body", b""), message.get("more_body", False)
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        self.requests.append(Seen(scope["method"], target, headers, body))
        told = [(b"content-type", b"text/plain"), (b"content-length", str(len(target)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": told})
        await send({"type": "http.response.body", "body": target.encode()})


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def recording() -> Iterator[Recorder]:
    """Serve in a thread while the block runs."""
    listener: socket.socket = listen("127.0.0.1", 0)
    recorder = Recorder(listener.getsockname()[1])
    server = _Server(
        uvicorn.Config(recorder, http="httptools", lifespan="off", log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()
