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
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import field
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How documents are reached."""

    roots: Callable[[], ssl.SSLContext]  # whom to trust; raises Unfetched
    # (host, port) -> the endpoints of a service of the mesh; () where it is none.
    endpoints: Callable[[str, int], Iterable[tuple[str, int]]] = lambda _host, _port: ()
    blocked: tuple[str, ...] = ()  # networks
    own_ports: frozenset[int] = field(default_factory=frozenset)  # of ours on this machine, beside OWN_PORTS


async def fetched(url: str, way: Way, seconds: float) -> bytes:
    """What is at an address without a fault, within so many seconds. Unfetched says why not."""
    try:
        async with asyncio.timeout(seconds):
            for _ in range(_MOST_REDIRECTS + 1):
                status, location, body = await _asked(url, way)
                if status not in _REDIRECTS:
                    break
                url = _next(url, location)
            else:
                raise Unfetched("it redirects too often")
    except TimeoutError as error:
        raise Unfetched(f"there is no answer within {seconds:g} s") from error
    if not 200 <= status < 300:
        raise Unfetched(f"the answer has the status {status}")
    return body


def _next(url: str, location: str) -> str:
    target = urljoin(url, location)
    if wrong := web_address.fault(target):
        raise Unfetched(f"it redirects to where nobody is asked: {wrong}")
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise Unfetched("it redirects from https to http")
    return target


async def _asked(url: str, way: Way) -> tuple[int, str, bytes]:
    """(status, where it redirects to, body)."""
    try:
        reader, writer = await _connected(url, way)
    except ssl.SSLCertVerificationError as error:
        raise Unfetched(f"its certificate is not trusted: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise Unfetched("no TLS can be set up with it") from error
    except OSError as error:
        raise Unfetched(
            os.strerror(error.errno).lower() if error.errno else "the connection fails"
        ) from error
    try:
        writer.write(_request(url))
        return await _answer(reader)
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
        if wrong := never(address, way.blocked):
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


def never(address: str, blocked: Iterable[str] = ()) -> str:
    """Why an address is not asked; "" when it may be."""
    for one in _meant(address):
        if one.is_link_local or one in _METADATA:
            return "its address is link-local, or that of a cloud's metadata, which is not asked"
        if one.is_unspecified or one.is_multicast or str(one) == "255.255.255.255":
            return "its address is nobody's"
        for network in blocked:
            if one in ip_network(network, strict=False):
                return f"its address is in {network}, which is blocked (BLOCKED_CIDRS_IN_JWKS_URIS)"
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


def _request(url: str) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return (
        f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: mizzen\r\n"
        "Accept: application/json\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


@dataclass(slots=True)
class _Answer:
    """Takes in what the parser finds."""

    location: str = ""
    tells_its_end: bool = False  # else it ends with the connection
    body: bytearray = field(default_factory=bytearray)
    is_complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"location":
            self.location = value.decode("latin-1")
        elif name.lower() in (b"content-length", b"transfer-encoding"):
            self.tells_its_end = True

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_complete = True


async def _answer(reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    total = 0
    while not answer.is_complete and (chunk := await reader.read(2**16)):
        total += len(chunk)
        try:
            parser.feed_data(chunk)
        except httptools.HttpParserError as error:
            raise Unfetched("the answer is no HTTP") from error
        if len(answer.body) > LARGEST or total > 2 * LARGEST:  # chunks may be tiny
            raise Unfetched(f"it is larger than {LARGEST // 2**10} KiB")
    status = parser.get_status_code() if total else 0
    if not status or (answer.tells_its_end and not answer.is_complete):
        raise Unfetched("the answer ends too early")
    return status, answer.location, bytes(answer.body)
