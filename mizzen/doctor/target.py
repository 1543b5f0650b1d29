"""A URL, and where curl's --resolve and --connect-to send it. Pure."""

import ipaddress
import string
from urllib.parse import quote, urlsplit

from mizzen.lazy import dataclass

HTTPS = 443


class Unusable(ValueError):
    """Why a URL or an option cannot be used; the text is for who wrote it."""


@dataclass(frozen=True, slots=True)
class Resolve:
    """--resolve HOST:PORT:ADDRESS[,ADDRESS]...; host "*" is any."""

    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConnectTo:
    """--connect-to HOST1:PORT1:HOST2:PORT2; what is empty is any, or stays."""

    host: str
    port: int
    to_host: str
    to_port: int


@dataclass(frozen=True, slots=True)
class Dial:
    """Whom to connect to. `addresses` None: `host` has to be looked up."""

    host: str
    port: int
    addresses: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is looked at."""

    url: str  # as it was written
    host: str
    port: int
    path: str  # with the query
    resolves: tuple[Resolve, ...] = ()
    connects: tuple[ConnectTo, ...] = ()

    @property
    def authority(self) -> str:
        """The host as :authority has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS else f"{host}:{self.port}"

    @property
    def is_address(self) -> bool:
        return _is_address(self.host)

    def is_told(self, host: str, port: int) -> bool:
        """Whether an option says where that host and port are."""
        return self._connect(host, port) is not None or self._resolve(host, port) is not None

    def dial(self, host: str, port: int) -> Dial:
        """Where a connection to host:port goes: --connect-to first, --resolve for the host that it names, as curl does.

        But for ports that an alternative names: an option that sends every port to one would hide a wrong one, so there
        it says the host alone.
        """
        if connect := self._connect(host, port):
            host = connect.to_host or host
            if connect.port or port == self.port:
                port = connect.to_port or port
        if _is_address(host):
            return Dial(host, port, (host,))
        resolve = self._resolve(host, port)
        return Dial(host, port, resolve.addresses if resolve else None)

    def _connect(self, host: str, port: int) -> ConnectTo | None:
        return next(
            (one for one in self.connects if one.host in ("", host) and one.port in (0, port)),
            None,
        )

    def _resolve(self, host: str, port: int) -> Resolve | None:
        for name in (host, "*"):
            for one in reversed(self.resolves):  # curl: the last one counts
                if (one.host, one.port) == (name, port):
                    return one
        return None


def parse(url: str, resolve: tuple[str, ...] = (), connect_to: tuple[str, ...] = ()) -> Target:
    """The target of a URL. Raises Unusable with what is wrong."""
    text = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise Unusable(f"{url!r} is no URL: {error}") from None
    if parts.scheme == "http":
        better = f"https://{parts.hostname or ''}{parts.path}"
        raise Unusable(f"{url}: HTTP/3 needs TLS, so only https:// has it. Did you mean {better}?")
    if parts.scheme != "https":
        raise Unusable(f"{url!r}: only https:// URLs can be looked at")
    if not parts.hostname or any(char.isspace() for char in text):
        raise Unusable(f"{url!r} is no URL: it names no host")
    if port == 0:
        raise Unusable(f"{url!r} is no URL: there is no port 0")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        url=url,
        host=_ascii(parts.hostname, f"{url!r} is no URL"),
        port=port or HTTPS,
        path=quote(path, safe=string.punctuation),
        resolves=tuple(_resolve(one) for one in resolve if not one.startswith("-")),
        connects=tuple(_connect_to(one) for one in connect_to),
    )


def _ascii(host: str, wrong: str) -> str:
    """A host as the DNS and TLS name it; `wrong` is said of one that they cannot name."""
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError as error:
        raise Unusable(f"{wrong}: {error}") from None


def _resolve(text: str) -> Resolve:
    host, port, rest = (*_split(text.removeprefix("+"), most=3), "", "")[:3]
    addresses = tuple(one.strip("[]") for one in rest.split(","))
    if not host or not _is_port(port) or not addresses or not all(map(_is_address, addresses)):
        raise Unusable(f"--resolve {text!r} is not HOST:PORT:ADDRESS[,ADDRESS]...")
    return Resolve(host.strip("[]").lower(), int(port), addresses)


def _connect_to(text: str) -> ConnectTo:
    words = _split(text)
    if len(words) != 4 or not all(word == "" or _is_port(word) for word in (words[1], words[3])):
        raise Unusable(f"--connect-to {text!r} is not HOST1:PORT1:HOST2:PORT2")
    host, port, to_host, to_port = words
    to_host = _ascii(to_host.strip("[]"), f"--connect-to {text!r} names no host")
    return ConnectTo(host.strip("[]").lower(), int(port or 0), to_host, int(to_port or 0))


def _split(text: str, most: int = 9) -> list[str]:
    """At colons, but those between brackets; into `most` words, the last of which may hold colons."""
    words: list[str] = []
    depth, word = 0, ""
    for char in text:
        depth += (char == "[") - (char == "]")
        if char == ":" and depth == 0 and len(words) + 1 < most:
            words.append(word)
            word = ""
        else:
            word += char
    return [*words, word]


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 65_536


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
