"""What a request, its answer and a connection are to who asks, over each version of HTTP."""

import asyncio
import enum
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

Fields = tuple[tuple[bytes, bytes], ...]
SECONDS = 10.0  # longer than anything here takes on a busy machine


class End(enum.StrEnum):
    """How a message came to its end."""

    OPEN = "open"
    WHOLE = "whole"
    CUT = "cut"  # its stream was reset, or its connection closed, before that


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The head of a request. Of HTTP/1.1 the lines, of HTTP/2 and 3 the fields, in this order."""

    method: str = "GET"
    path: str = "/"
    authority: str = "shop.test"
    fields: Fields = ()
    protocol: str = ""  # of an extended CONNECT (RFC 8441, RFC 9220)
    target: str = ""  # of the request line, where it is not the path (HTTP/1.1)
    raw: Fields = ()  # all of it, pseudo-headers too, in place of the rest (HTTP/2, HTTP/3)

    def but(self, **changes: object) -> "Asked":
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def head(self) -> Fields:
        """All of it, for HTTP/2 and 3."""
        return self.raw or (*self.pseudo(), *self.fields)

    def pseudo(self) -> Fields:
        """The pseudo-headers; those of a CONNECT are fewer (RFC 9113 section 8.5)."""
        named = {":method": self.method, ":authority": self.authority}
        if self.method != "CONNECT" or self.protocol:
            named |= {":scheme": "https", ":path": self.path}
        if self.protocol:
            named[":protocol"] = self.protocol
        return tuple((name.encode(), value.encode()) for name, value in named.items())


@dataclass(slots=True)
class Answer:
    """What has come so far."""

    status: int = 0
    fields: Fields = ()
    interim: list[tuple[int, Fields]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    trailers: Fields = ()
    end: End = End.OPEN
    code: int | None = None  # of a reset; None where the protocol has none
    stopped: bool = False  # the rest of the request is not wanted (RST_STREAM of NO_ERROR, STOP_SENDING)

    def all(self, name: str) -> list[str]:
        return [value.decode("latin-1") for key, value in self.fields if key.decode().lower() == name]


class Exchange(ABC):
    """A request that is under way."""

    def __init__(self) -> None:
        self.answer = Answer()
        self._news = asyncio.Event()

    def tell(self) -> None:
        """Something has come."""
        self._news.set()

    def over(self, end: End, code: int | None = None) -> None:
        if self.answer.end is End.OPEN:
            self.answer.end, self.answer.code = end, code
        self.tell()

    async def until(self, condition: Callable[[Answer], object], seconds: float = SECONDS) -> Answer:
        """Wait until `condition` holds of the answer. TimeoutError where it does not, or cannot any more."""
        async with asyncio.timeout(seconds):
            while not condition(self.answer):
                if self.answer.end is not End.OPEN:
                    raise TimeoutError(f"it will never be so: {self.answer}")
                self._news.clear()
                await self._news.wait()
        return self.answer

    async def whole(self, seconds: float = SECONDS) -> Answer:
        """The answer when it is over, however it ended."""
        return await self.until(lambda answer: answer.end is not End.OPEN, seconds)

    @abstractmethod
    async def send(self, data: bytes, *, end: bool = False) -> None:
        """Send a piece of the body; waits where the server does not take it. ConnectionError where the request is cut."""

    @abstractmethod
    async def send_trailers(self, fields: Fields) -> None: ...

    @abstractmethod
    async def cancel(self) -> None:
        """Call the request off: over HTTP/1.1 with its connection."""

    @abstractmethod
    def pause(self) -> None:
        """Read no more of the answer; the server learns of it when its window is full."""

    @abstractmethod
    def resume(self) -> None: ...


class Connection(ABC):
    """A connection of one client; used as a context."""

    def __init__(self, port: int, sni: str, ca_pem: str) -> None:
        self.port, self.sni, self.ca_pem = port, sni, ca_pem
        self.goaway = False  # the server takes no more requests on it

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def ask(self, asked: Asked, *, end: bool = True) -> Exchange:
        """Send the head of a request, and with `end` that nothing follows."""

    async def websocket(self, asked: Asked) -> Exchange:
        """Ask for a WebSocket; what is sent then is its bytes."""
        return await self.ask(asked.but(method="CONNECT", protocol="websocket"), end=False)

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(SECONDS):
            await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def tls(self, *alpn: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.ca_pem)
        context.set_alpn_protocols(list(alpn))
        return context
