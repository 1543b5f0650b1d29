"""One document of the web, asked for with bounds, by somebody whom tenants may tell what to ask.

Whom a name leads to is judged when it is dialled, and that very address is dialled: not what a name said a moment ago. Never
asked are link-local addresses and those of clouds' metadata, ports of our own on this machine, and Unix sockets. Nothing of
what was answered is ever shown.
"""

import asyncio
import contextlib
import os
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_INET, AF_INET6, SOCK_STREAM, getaddrinfo, socket
from urllib.parse import urljoin, urlsplit

import httptools

from mizzen.lazy import dataclass
from mizzen.resources.formats import web_address

LARGEST = 256 * 2**10  # bytes of a document
_MOST_REDIRECTS, _MOST_ADDRESSES = 3, 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Of Amazon over IPv6, Alibaba, Oracle, Azure; those of most others are link-local.
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")))
_NAT64 = IPv6Network("64:ff9b::/96")
OWN_PORTS = range(15000, 15100)  # Istio's and ours: admin pages, status, metrics, joining
_resolving = threading.BoundedSemaphore(32)  # names at once


class Unfetched(Exception):
    """Why a document was not had: a few words that tell nothing of what was answered."""


class Unreached(Unfetched):
    """Nobody is there, or nobody who speaks what we do: another scheme may lead to somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How documents are reached."""

    roots: Callable[[], ssl.SSLContext]  # whom to trust; raises Unfetched
    # (host, port) -> the endpoints of a service of the mesh; () where it is none.
    endpoints: Callable[[str, int], Iterable[tuple[str, int]]] = lambda _host, _port: ()
    blocked: tuple[str, ...] = ()  # networks
    blocked_by: str = "BLOCKED_CIDRS_IN_JWKS_URIS"  # the setting that blocks them
    own_ports: frozenset[int] = field(default_factory=frozenset)  # of ours on this machine, beside OWN_PORTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for at an address."""

    accept: str = "application/json"
    authorization: str = field(default="", repr=False)  # told to the origin of the address alone
    largest: int = LARGEST  # bytes of the document


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered, whatever its status."""

    status: int
    headers: Mapping[str, str]  # by lower-case name
    body: bytes = field(repr=False)

    @property
    def document(self) -> bytes:
        """The body of an answer without a fault. Unfetched for any other."""
        if not 200 <= self.status < 300:
            raise Unfetched(f"the answer has the status {self.status}")
        return self.body


async def fetched(url: str, way: Way, seconds: float) -> bytes:
    """What is at an address without a fault, within so many seconds. Unfetched says why not."""
    async with within(seconds):
        return (await answered(url, way, Wish())).document


@contextlib.asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """What is done in it takes no longer. Unfetched says that it would."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unreached(f"there is no answer within {seconds:g} s") from error


async def answered(url: str, way: Way, wish: Wish) -> Answer:
    """What is answered at an address, or where it redirects to. Unfetched says why nothing is."""
    for _ in range(_MOST_REDIRECTS + 1):
        answer = await _asked(url, way, wish)
        if answer.status not in _REDIRECTS:
            return answer
        target = _next(url, answer.headers.get("location", ""))
        if _origin(target) != _origin(url):
            wish = replace(wish, authorization="")
        url = target
    raise Unfetched("it redirects too often")


def _origin(url: str) -> tuple[str, str, int]:
    return (urlsplit(url).scheme, *web_address.host_and_port(url))


def _next(url: str, location: str) -> str:
    target = urljoin(url, location)
    if wrong := web_address.fault(target):
        raise Unfetched(f"it redirects to where nobody is asked: {wrong}")
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise Unfetched("it redirects from https to http")
    return target


async def _asked(url: str, way: Way, wish: Wish) -> Answer:
    try:
        reader, writer = await _connected(url, way)
    except ssl.SSLCertVerificationError as error:
        raise Unfetched(f"its certificate is not trusted: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise Unreached("no TLS can be set up with it") from error
    except OSError as error:
        raise Unreached(
            os.strerror(error.errno).lower() if error.errno else "the connection fails"
        ) from error
    try:
        writer.write(_request(url, wish))
        return await _answer(reader, wish.largest)
    except OSError as error:
        raise Unfetched("the connection breaks off") from error
    finally:
        writer.transport.abort()


# --- connecting -------------------------------------------------------------------------------------


async def _connected(url: str, way: Way) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = web_address.host_and_port(url)
    tls = way.roots() if urlsplit(url).scheme == "https" else None
    last: Exception = Unfetched("its name leads nowhere")
    async for address, at in _addresses(host, port, way):
        if wrong := never(address, way.blocked, way.blocked_by):
            last = Unfetched(wrong)
            continue
        try:
            dialled = await _dial(address, at, way)
        except (OSError, Unfetched) as error:
            last = error
            continue
        try:
            return await asyncio.open_connection(sock=dialled, ssl=tls, server_hostname=host if tls else None)
        except BaseException:
            dialled.close()
            raise
    raise last


async def _addresses(host: str, port: int, way: Way) -> AsyncIterator[tuple[str, int]]:
    """Where a connection may be tried, in this order."""
    endpoints = list(way.endpoints(host, port)) or [(host, port)]
    left = _MOST_ADDRESSES
    for name, at in endpoints:
        for address in await _resolved(name):
            yield address, at
            left -= 1
            if not left:
                return


async def _resolved(name: str) -> list[str]:
    """The addresses of a name. The system's resolver may take longer than anybody waits: its threads keep no process alive."""
    with contextlib.suppress(ValueError):
        return [str(ip_address(name))]
    if not _resolving.acquire(blocking=False):
        raise Unfetched("too many names are being resolved")
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str] | None] = loop.create_future()

    def tell(addresses: list[str] | None) -> None:
        if not found.done():
            found.set_result(addresses)

    def resolve() -> None:
        try:
            addresses = [str(one[4][0]) for one in getaddrinfo(name, None, type=SOCK_STREAM)]
        except (OSError, UnicodeError):
            addresses = None
        finally:
            _resolving.release()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, addresses)

    threading.Thread(target=resolve, name="dns", daemon=True).start()
    if (addresses := await found) is None:
        raise Unfetched("its name cannot be resolved")
    return list(dict.fromkeys(addresses))


async def _dial(address: str, port: int, way: Way) -> socket:
    """A connection to that address, on which nothing has been said."""
    is_own_port = port in OWN_PORTS or port in way.own_ports
    if is_own_port and any(one.is_loopback for one in _meant(address)):
        raise Unfetched("the port is one of mizzen's own")
    one = socket(AF_INET6 if ":" in address else AF_INET, SOCK_STREAM)
    try:
        one.setblocking(False)
        await asyncio.get_running_loop().sock_connect(one, (address, port))
        # Who reaches himself has the same address at both ends.
        if is_own_port and one.getpeername()[0] == one.getsockname()[0]:
            raise Unfetched("the port is one of mizzen's own")
    except BaseException:
        one.close()
        raise
    return one


def never(address: str, blocked: Iterable[str] = (), setting: str = "") -> str:
    """Why an address is not asked; "" when it may be. `setting`: what blocks the networks."""
    for one in _meant(address):
        if one.is_link_local or one in _METADATA:
            return "its address is link-local, or that of a cloud's metadata, which is not asked"
        if one.is_unspecified or one.is_multicast or str(one) == "255.255.255.255":
            return "its address is nobody's"
        for network in blocked:
            if one in ip_network(network, strict=False):
                return f"its address is in {network}, which is blocked ({setting})"
    return ""


def _meant(address: str) -> Iterator[IPv4Address | IPv6Address]:
    """The address, and one of IPv4 that it is a spelling of."""
    one = ip_address(address.partition("%")[0])
    yield one
    if isinstance(one, IPv6Address):
        inner = one.ipv4_mapped or one.sixtofour
        if inner is None and one in _NAT64:
            inner = IPv4Address(int(one) & 0xFFFFFFFF)
        if inner is not None:
            yield inner


# --- HTTP -------------------------------------------------------------------------------------------


def _request(url: str, wish: Wish) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    authorization = f"Authorization: {wish.authorization}\r\n" if wish.authorization else ""
    return (
        f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: mizzen\r\n"
        f"Accept: {wish.accept}\r\n{authorization}Connection: close\r\n\r\n"
    ).encode("ascii")


@dataclass(slots=True)
class _Reading:
    """Takes in what the parser finds."""

    headers: dict[str, str] = field(default_factory=dict)
    tells_its_end: bool = False  # else it ends with the connection
    body: bytearray = field(default_factory=bytearray)
    is_complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        known, text = name.lower().decode("latin-1"), value.decode("latin-1")
        self.headers[known] = f"{self.headers[known]}, {text}" if known in self.headers else text
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self.tells_its_end = True

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_complete = True


async def _answer(reader: asyncio.StreamReader, largest: int) -> Answer:
    answer = _Reading()
    parser = httptools.HttpResponseParser(answer)
    total = 0
    while not answer.is_complete and (chunk := await reader.read(2**16)):
        total += len(chunk)
        try:
            parser.feed_data(chunk)
        except httptools.HttpParserError as error:
            raise Unfetched("the answer is no HTTP") from error
        if len(answer.body) > largest or total > 2 * max(largest, LARGEST):  # chunks may be tiny
            raise Unfetched(f"it is larger than {largest // 2**10} KiB")
    status = parser.get_status_code() if total else 0
    if not status or (answer.tells_its_end and not answer.is_complete):
        raise Unfetched("the answer ends too early")
    return Answer(status=status, headers=answer.headers, body=bytes(answer.body))
