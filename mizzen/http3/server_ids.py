"""By which server id a balancer finds one Envoy among several: QUIC-LB (draft-ietf-quic-load-balancers). Pure.

The Envoys of a gateway share one configuration, and each has an id of its own. So the configuration names a variable of
Envoy's environment, one for each length that an id may have, and whoever starts an Envoy sets them.
"""

import hashlib
import ipaddress
from base64 import b64encode
from collections.abc import Mapping

# A connection id has up to 20 bytes: one that says which key, the server id and the nonce (18 together, and 4 of them at least
# the nonce), and one of Envoy's own, which worker it is.
LONGEST = 14
ANNOTATION = "mizzen.dev/server-id"
VARIABLE = "MIZZEN_SERVER_ID"  # of who starts an Envoy: hexadecimal digits


def variable(length: int) -> str:
    """The variable of Envoy's environment that has the id of `length` bytes, in base64."""
    return f"{VARIABLE}_{length}"


def derived(address: str, name: str, length: int) -> bytes:
    """The id of an Envoy that was given none.

    Of 4 bytes it is the Pod's IPv4 address, so that a balancer needs no table. Else it is a hash of address and name; on
    one machine, where the address is loopback, the name alone tells Envoys apart.
    """
    if length == 4 and (packed := _ipv4(address)):
        return packed
    return hashlib.sha256(f"{address} {name}".encode()).digest()[:length]


def _ipv4(address: str) -> bytes:
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        return b""
    return b"" if found.is_loopback or found.is_unspecified else found.packed


def chosen(text: str) -> bytes | None:
    """The id that somebody wrote, as hexadecimal digits; b"" when nobody did, None when it is none."""
    try:
        found = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        return None
    return found if len(found) <= LONGEST else None


def server_id(written: str, address: str, name: str, length: int) -> bytes:
    """The id of `length` bytes of an Envoy; b"" where it has none of that length: then its QUIC listener is refused, and
    nothing is sent to where it is not."""
    own = chosen(written)
    if own is None or (own and len(own) != length):
        return b""
    return own or derived(address, name, length)


def environment(written: str, address: str, name: str) -> Mapping[str, str]:
    """The variables of an Envoy."""
    ids = {length: server_id(written, address, name, length) for length in range(1, LONGEST + 1)}
    return {variable(length): b64encode(found).decode() for length, found in ids.items() if found}
