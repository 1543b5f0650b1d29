"""One HTTPS record (RFC 9460): its owner name, its values, and the text of both."""

import ipaddress
import re
from collections.abc import Iterable

from mizzen.lazy import dataclass

HTTPS_PORT = 443
PRIORITY = 1  # SvcPriority: ServiceMode, the first choice (RFC 9460, section 2.4.1)
_LONGEST_NAME = 253  # letters of a name without the dot at its end (RFC 1035: 255 octets in messages)
_LONGEST_LABEL = 63
_LABEL = re.compile(r"[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?")
_WILDCARD = "*."


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Record:
    """One record, as values that are sorted already."""

    name: str  # absolute: "_8443._https.www.example.com."
    ttl: int  # seconds
    target: str = "."
    alpn: tuple[str, ...] = ()
    no_default_alpn: bool = False
    port: int = HTTPS_PORT
    ipv4hint: tuple[str, ...] = ()
    ipv6hint: tuple[str, ...] = ()

    @property
    def rdata(self) -> str:
        """As it stands in a zone file, the parameters in the order of their numbers (RFC 9460, section 14.3.2)."""
        said = [f'alpn="{",".join(self.alpn)}"'] if self.alpn else []
        if self.no_default_alpn:
            said.append("no-default-alpn")
        if self.port != HTTPS_PORT:
            said.append(f"port={self.port}")
        if self.ipv4hint:
            said.append(f"ipv4hint={','.join(self.ipv4hint)}")
        if self.ipv6hint:
            said.append(f"ipv6hint={','.join(self.ipv6hint)}")
        return " ".join((str(PRIORITY), self.target, *said))

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} IN HTTPS {self.rdata}"


class Unnameable(ValueError):
    """A host that no HTTPS record can be of. The message is a sentence for users."""


def owner_name(host: str, port: int) -> str:
    """The name that clients ask for: the host, below its port where that is not 443 (RFC 9460, section 9.1).

    Raises:
        Unnameable: if there is no such name.
    """
    if host == "*":
        raise Unnameable("it is for every host, and a record has the name of one")
    rest = host.removeprefix(_WILDCARD)
    if not all(map(_is_label, rest.split("."))):
        raise Unnameable("it is no name of DNS")
    if port == HTTPS_PORT:
        return _absolute(host)
    if rest != host:
        # The record would be at _8443._https.*.example.com, where the asterisk is but a letter (RFC 4592, section 2.1.1).
        raise Unnameable(f"a wildcard has no record for a port other than {HTTPS_PORT}")
    return _absolute(f"_{port}._https.{host}")


def _is_label(text: str) -> bool:
    return len(text) <= _LONGEST_LABEL and _LABEL.fullmatch(text) is not None


def _absolute(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise Unnameable(f"its record would have a name of more than {_LONGEST_NAME} letters ({len(name)})")
    return f"{name}."


def is_within(name: str, zone: str) -> bool:
    """Is an absolute name in a zone ("example.com.", ".")?"""
    return zone == "." or name == zone or name.endswith(f".{zone}")


def hints(addresses: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """IPv4 and IPv6 addresses, each as DNS writes them and in the order of their numbers."""
    found = {ipaddress.ip_address(one) for one in addresses}
    four = sorted(one for one in found if isinstance(one, ipaddress.IPv4Address))
    six = sorted(one for one in found if isinstance(one, ipaddress.IPv6Address) and one.scope_id is None)
    return tuple(map(str, four)), tuple(map(str, six))
