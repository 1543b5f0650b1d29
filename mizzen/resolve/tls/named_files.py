"""Files that objects name: whom to trust (`caCertificates`), and what is revoked (`caCrl`).

Whoever writes a DestinationRule could have Envoy open anything by its path: a pipe that it waits for for ever, a
device without an end. So files of this machine are read where the control plane may wait, and what they hold is sent;
where the files are on another machine, at least no path leads to a device.
"""

import posixpath
import re
from collections.abc import Callable

from mizzen.resolve.context import Context

_NEVER = ("/dev/", "/proc/", "/sys/")
_PUBLIC = re.compile(
    rb"-----BEGIN (CERTIFICATE|TRUSTED CERTIFICATE|X509 CERTIFICATE|X509 CRL)-----.*?-----END \1-----",
    re.DOTALL,
)


def fault_of(ctx: Context, path: str, judge: Callable[[bytes], str]) -> tuple[str, bool]:
    """(what is wrong with a file, can it be used all the same). `judge` says what is wrong with what it holds."""
    if not path.startswith("/") or posixpath.normpath(path) != path or "\0" in path:
        return f'"{path}" is not the absolute path of a file', False
    if path.startswith(_NEVER):
        return f"{path} is no file", False
    if ctx.files is None:
        return "", True
    found = ctx.files.get(path)
    if found is None or not found.content:
        return f"{path} cannot be used: {found.why if found else 'it has not been read'}", False
    if fault := judge(public_part(found.content)):
        return f"{path} cannot be used: {fault}", False
    return f"{path} cannot be read any more: {found.why}" if found.why else "", True


def content_of(ctx: Context, path: str) -> bytes:
    """The certificates and revocation lists in a file; b"" where it is on another machine, and Envoy reads it."""
    found = ctx.files.get(path) if ctx.files is not None else None
    return public_part(found.content) if found else b""


def public_part(pem: bytes) -> bytes:
    """Without private keys, and whatever else stands in such files."""
    return b"".join(found[0] + b"\n" for found in _PUBLIC.finditer(pem))
