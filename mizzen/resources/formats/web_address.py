"""Addresses of documents on the web that objects name (a jwksUri), held to what may be asked. Pure."""

import re
from urllib.parse import urlsplit

SCHEMES = {"http": 80, "https": 443}
LONGEST = 2048
_SPEAKABLE = re.compile(r"[!-~]+")  # no blanks, no control characters, nothing beyond ASCII


def fault(url: str) -> str:
    """Why an address cannot be asked; "" when it can."""
    if len(url) > LONGEST:
        return f"the address is longer than {LONGEST} characters"
    if not _SPEAKABLE.fullmatch(url):
        return "an address has no blanks, control characters or letters beyond ASCII in it"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as wrong:
        return f"the address is malformed: {str(wrong).lower()}"
    if parts.scheme not in SCHEMES:
        return f"the address begins with neither http:// nor https://: {parts.scheme[:20]!a}"
    if not host:
        return "the address names no host"
    if parts.username is not None or parts.password is not None:
        return "an address with a user name or password in it is not asked"
    return "" if port is None or port > 0 else "port 0 cannot be asked"


def host_and_port(url: str) -> tuple[str, int]:
    """Of an address without a fault."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or SCHEMES[parts.scheme]
