"""One request, one answer, by libcurl. A failing network is part of the answer.

`fetch` opens a connection of its own; a `Session` keeps connections between requests, as a browser does.
Neither reads the environment: proxies that it names are not used.
"""

import hashlib
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import field
from datetime import timedelta
from enum import Enum
from types import TracebackType
from typing import Any

import pycurl

from mizzen.lazy import dataclass

USER_AGENT = f"curl/{pycurl.version_info()[1]}"


class Protocol(Enum):
    """What to speak, and what was spoken."""

    H1 = "HTTP/1.1"
    H2 = "HTTP/2"
    H3 = "HTTP/3"

    @property
    def flag(self) -> str:
        """The curl command's option for it."""
        return {"HTTP/1.1": "--http1.1", "HTTP/2": "--http2", "HTTP/3": "--http3-only"}[self.value]


_ASKED = {
    Protocol.H1: pycurl.CURL_HTTP_VERSION_1_1,
    Protocol.H2: pycurl.CURL_HTTP_VERSION_2TLS,
    Protocol.H3: pycurl.CURL_HTTP_VERSION_3ONLY,
}
_SPOKEN = {
    pycurl.CURL_HTTP_VERSION_1_1: Protocol.H1,
    pycurl.CURL_HTTP_VERSION_2_0: Protocol.H2,
    pycurl.CURL_HTTP_VERSION_3: Protocol.H3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask, of whom, and whom to trust."""

    host: str  # goes into the URL, the SNI and the certificate check
    port: int = 443
    path: str = "/"  # with the query
    scheme: str = "https"  # "http" knows H1 and H2 (by prior knowledge) only
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()  # `Host` replaces the one made of host and port
    body: bytes | None = None
    protocol: Protocol = Protocol.H2
    address: str = ""  # the IP address to connect to; "" asks the resolver
    connect_port: int = 0  # the port to connect to when it is not the one of the URL; needs `address`
    ca_pem: str = ""  # whom to trust; "" is the system's list
    client_cert_pem: str = ""  # with its chain
    client_key_pem: str = field(default="", repr=False)
    verify: bool = True
    timeout: timedelta = timedelta(seconds=5)  # for all of it
    max_body: int = 0  # bytes after which the transfer fails (curl error 63); 0: none

    @property
    def url(self) -> str:
        """The URL, without the port when it is the scheme's own."""
        usual = {"https": 443, "http": 80}.get(self.scheme)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port == usual else f':{self.port}'}{self.path}"

    @property
    def resolve(self) -> str:
        """curl's --resolve (CURLOPT_RESOLVE): where the host is; "" when that is left to the resolver."""
        if not self.address or self._elsewhere or is_address(self.host):
            return ""
        return f"{self.host}:{self.port}:{bracketed(self.address)}"

    @property
    def connect_to(self) -> str:
        """curl's --connect-to (CURLOPT_CONNECT_TO): another address and another port."""
        if not self.address or not (self._elsewhere or is_address(self.host)):
            return ""
        there = f"{bracketed(self.address)}:{self.connect_port or self.port}"
        return f"{bracketed(self.host)}:{self.port}:{there}"

    @property
    def _elsewhere(self) -> bool:
        return self.connect_port not in (0, self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long after the start each step was done; zero for a step that was not reached."""

    connect: timedelta  # TCP, or QUIC
    tls: timedelta
    first_byte: timedelta
    total: timedelta


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no whole answer."""

    code: int  # libcurl's: https://curl.se/libcurl/c/libcurl-errors.html
    text: str

    @property
    def is_timeout(self) -> bool:
        return self.code == int(pycurl.E_OPERATION_TIMEDOUT)

    def __str__(self) -> str:
        return f"{self.text} (curl error {self.code})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. With an `error`, the other fields say how far it got."""

    status: int = 0  # 0: no status line came
    reason: str = ""  # HTTP/1.1 only
    protocol: Protocol | None = None  # the one spoken
    headers: tuple[tuple[str, str], ...] = ()  # in order of arrival
    trailers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timings: Timings
    chain: tuple[str, ...] = ()  # PEM of the certificates the server showed, leaf first; () when reused
    reused: bool = False  # no new connection was made
    error: Failure | None = None

    @property
    def ok(self) -> bool:
        """A whole answer came, of whatever status."""
        return self.error is None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the leaf certificate in lower-case hex; "" when none was seen."""
        return fingerprint(self.chain[0]) if self.chain else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    def header(self, name: str) -> str:
        """The first value of a header; "" when it is absent."""
        return next(iter(self.all(name)), "")


def fingerprint(pem: str) -> str:
    """SHA-256 of the first certificate in a PEM text, in lower-case hex. ValueError when there is none."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    start = pem.find(begin)
    stop = pem.find(end, start)
    if start < 0 or stop < 0:
        raise ValueError("there is no PEM certificate")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[start : stop + len(end)])).hexdigest()


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Received:
    """Collects what libcurl hands over: the last head before the body, the body, the trailers."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget everything."""
        self.reason = ""
        self.headers: list[tuple[str, str]] = []
        self.trailers: list[tuple[str, str]] = []
        self.body: list[bytes] = []
        self._in_head = False

    def head_line(self, raw: bytes) -> None:
        line = raw.decode("latin-1").rstrip("\r\n")
        if line.startswith("HTTP/"):  # a new head: what came before was 100 Continue or 103 Early Hints
            self.headers, self._in_head = [], True
            self.reason = line.split(" ", 2)[2] if line.count(" ") >= 2 else ""
        elif not line:
            self._in_head = False
        else:
            name, _, value = line.partition(":")
            (self.headers if self._in_head else self.trailers).append((name, value.strip()))


def configure(curl: pycurl.Curl, request: Request, received: Received) -> None:
    """Set every option that a request needs on a fresh (or reset) handle."""
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.PROXY, "")
    curl.setopt(pycurl.PATH_AS_IS, 1)
    curl.setopt(pycurl.URL, request.url)
    version = _ASKED[request.protocol]
    if request.scheme == "http" and request.protocol is Protocol.H2:
        version = pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
    curl.setopt(pycurl.HTTP_VERSION, version)
    if request.resolve:
        curl.setopt(pycurl.RESOLVE, [request.resolve])
    if request.connect_to:
        curl.setopt(pycurl.CONNECT_TO, [request.connect_to])
    milliseconds = max(1, round(request.timeout / timedelta(milliseconds=1)))
    curl.setopt(pycurl.TIMEOUT_MS, milliseconds)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds)
    if request.max_body:
        curl.setopt(pycurl.MAXFILESIZE_LARGE, request.max_body)
    _set_message(curl, request)
    if request.scheme == "https":
        _set_tls(curl, request)
    curl.setopt(pycurl.HEADERFUNCTION, received.head_line)
    curl.setopt(pycurl.WRITEFUNCTION, received.body.append)


def _set_message(curl: pycurl.Curl, request: Request) -> None:
    curl.setopt(pycurl.USERAGENT, USER_AGENT)
    # "Name;" is libcurl's way to send an empty value; "Name:" would take the header away.
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in request.headers]
    curl.setopt(pycurl.HTTPHEADER, [line.encode("latin-1") for line in lines])
    if request.body is not None:
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(request.body))
        curl.setopt(pycurl.POSTFIELDS, request.body)
    if request.method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    elif (request.method, request.body is None) not in (("GET", True), ("POST", False)):
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)


def _set_tls(curl: pycurl.Curl, request: Request) -> None:
    curl.setopt(pycurl.SSL_VERIFYPEER, int(request.verify))
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if request.verify else 0)
    curl.setopt(pycurl.OPT_CERTINFO, 1)
    if request.ca_pem:
        curl.setopt(pycurl.CAINFO_BLOB, request.ca_pem.encode())
    if request.client_cert_pem:
        curl.setopt(pycurl.SSLCERT_BLOB, request.client_cert_pem.encode())
        curl.setopt(pycurl.SSLKEY_BLOB, request.client_key_pem.encode())


def spoken(curl: pycurl.Curl) -> Protocol | None:
    """The protocol of the last answer on a handle; None when nothing came."""
    return _SPOKEN.get(curl.getinfo(pycurl.INFO_HTTP_VERSION))


def _after(curl: pycurl.Curl, info: int) -> timedelta:
    return timedelta(microseconds=curl.getinfo(info))


def _chain(curl: pycurl.Curl) -> tuple[str, ...]:
    # Raw, because names in certificates need not be ASCII.
    shown: Iterable[Iterable[tuple[bytes, bytes]]] = curl.getinfo_raw(pycurl.INFO_CERTINFO)
    return tuple(value.decode("ascii") for entries in shown for name, value in entries if name == b"Cert")


def _answer(curl: pycurl.Curl, received: Received, error: Failure | None) -> Answer:
    return Answer(
        status=curl.getinfo(pycurl.RESPONSE_CODE),
        reason=received.reason,
        protocol=spoken(curl),
        headers=tuple(received.headers),
        trailers=tuple(received.trailers),
        body=b"".join(received.body),
        timings=Timings(
            connect=_after(curl, pycurl.CONNECT_TIME_T),
            tls=_after(curl, pycurl.APPCONNECT_TIME_T),
            first_byte=_after(curl, pycurl.STARTTRANSFER_TIME_T),
            total=_after(curl, pycurl.TOTAL_TIME_T),
        ),
        chain=_chain(curl),
        reused=error is None and curl.getinfo(pycurl.NUM_CONNECTS) == 0,
        error=error,
    )


class Session:
    """Requests one after the other that share their connections. Not for use by two threads at once."""

    def __init__(self) -> None:
        self._curl = pycurl.Curl()

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._curl.close()

    def fetch(self, request: Request) -> Answer:
        """Ask, and wait for the whole answer or the timeout. A failing network is in `Answer.error`."""
        received = Received()
        self._curl.reset()
        configure(self._curl, request, received)
        error = None
        try:
            self._curl.perform()
        except pycurl.error as failed:
            error = failure(failed)
        return _answer(self._curl, received, error)


def failure(error: Any) -> Failure:
    """libcurl's error as a value. `error` is a `pycurl.error`."""
    code, text = error.args[0], error.args[1] if len(error.args) > 1 else ""
    return Failure(code, text or f"libcurl gives no reason for its error {code}")


def fetch(request: Request) -> Answer:
    """Ask once on a connection of its own. Blocks up to `request.timeout`; network errors do not raise."""
    with Session() as session:
        return session.fetch(request)
