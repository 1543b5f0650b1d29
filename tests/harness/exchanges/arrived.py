"""A request as it reached the backend, and how it is answered, over HTTP/1.1 and 2 alike."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from tests.harness.exchanges.exchange import End, Fields


@dataclass(slots=True)
class Arrived:
    """What has come so far."""

    version: str  # "HTTP/1.1", "HTTP/2"
    method: str
    path: str
    authority: str
    fields: Fields = ()  # without pseudo-headers and host
    protocol: str = ""  # of an extended CONNECT
    body: int = 0  # bytes
    pieces: list[bytes] = field(default_factory=list)  # the first of them
    trailers: Fields = ()
    end: End = End.OPEN
    code: int | None = None
    sent: int = 0  # bytes of the answer's body that went out

    def all(self, name: str) -> list[str]:
        return [value.decode("latin-1") for key, value in self.fields if key.decode().lower() == name]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def took(self, data: bytes) -> None:
        self.body += len(data)
        if len(self.pieces) < 100:
            self.pieces.append(data)


class Reply(ABC):
    """The answer to a request, and what of it has not been read."""

    arrived: Arrived

    def __init__(self) -> None:
        self.go = asyncio.Semaphore(0)  # what the test lets happen, one after the other

    @abstractmethod
    async def read(self) -> bytes:
        """The next piece of the body; b"" at its end."""

    @abstractmethod
    async def gone(self) -> None:
        """Wait until the request is called off."""

    @abstractmethod
    async def interim(self, status: int, *fields: tuple[bytes, bytes]) -> None: ...

    @abstractmethod
    async def head(self, status: int, *fields: tuple[bytes, bytes], end: bool = False) -> None:
        """Without a content-length: chunked over HTTP/1.1. `end`: without any body."""

    @abstractmethod
    async def data(self, data: bytes) -> None:
        """Waits where it is not taken. ConnectionError where the request has been called off."""

    @abstractmethod
    async def end(self, *trailers: tuple[bytes, bytes]) -> None: ...

    @abstractmethod
    async def reset(self, code: int) -> None:
        """Give up: over HTTP/1.1 with the connection, by TCP's reset."""

    @abstractmethod
    async def goaway(self) -> None:
        """This is the last request of its connection (GOAWAY; `connection: close` is for the behaviour to say)."""

    async def whole(self) -> int:
        """Read all of the body."""
        while await self.read():
            pass
        return self.arrived.body

    async def answer(self, status: int, *fields: tuple[bytes, bytes], body: bytes = b"") -> None:
        await self.head(status, (b"content-length", b"%d" % len(body)), *fields)
        await self.data(body)
        await self.end()
