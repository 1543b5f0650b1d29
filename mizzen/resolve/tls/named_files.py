"""Files that objects name: certificates and keys, whom to trust (`caCertificates`), and what is revoked (`caCrl`).

Whoever writes a DestinationRule could have Envoy open anything by its path: a pipe that it waits for for ever, a
device without an end. So files of this machine are read where the control plane may wait, and what they hold is sent;
where the files are on another machine, whoever runs the proxy reads them, and no path leads to a device.
"""

import posixpath
import re
from collections.abc import Callable, Mapping

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.tls import FILE_CERT, FILE_ROOT, Certificate, TrustedCa
from mizzen.resolve.context import Context, NamedFile
from mizzen.resolve.tls.pem import Bad, crl_fault, key_fault, read_chain, roots_fault

# What the control plane sends of files of its own machine: "file://CHAIN~KEY", "file://CA-cacert".
FILE = "file://"
_AND = "~"  # between the paths of a name, as in Istio's
_CA = "-cacert"
ELSEWHERE = "it is in no folder for certificates that was named at start"
_NEVER = ("/dev/", "/proc/", "/sys/")
_PUBLIC = re.compile(
    rb"-----BEGIN (CERTIFICATE|TRUSTED CERTIFICATE|X509 CERTIFICATE|X509 CRL)-----.*?-----END \1-----",
    re.DOTALL,
)

Files = Mapping[str, NamedFile]  # by path


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFault:
    """Why a file cannot be used. `part`: which one of those that a name has."""

    part: int
    why: str


# --- names ------------------------------------------------------------------------------------------


def pair_name(ctx: Context, chain: str, key: str) -> str:
    """The SDS name of a certificate and key in files."""
    return f"{FILE_CERT if ctx.files is None else FILE}{chain}{_AND}{key}"


def roots_name(ctx: Context, roots: str, crl: str = "") -> str:
    """The SDS name of a file of CA certificates, and of one with what they have revoked."""
    paths = _AND.join(filter(None, (roots, crl)))
    return f"{FILE_ROOT}{paths}" if ctx.files is None else f"{FILE}{paths}{_CA}"


def is_file(name: str) -> bool:
    """Is it the name of something in files, here or beside a proxy?"""
    return name.startswith((FILE, FILE_CERT, FILE_ROOT))


def is_roots(name: str) -> bool:
    """Of those: whom to trust, not what to show."""
    return name.startswith(FILE_ROOT) or (name.startswith(FILE) and name.endswith(_CA))


def paths_of(name: str) -> tuple[str, ...]:
    """The files of such a name."""
    for prefix in (FILE, FILE_CERT, FILE_ROOT):
        if name.startswith(prefix):
            return tuple(name.removeprefix(prefix).removesuffix(_CA if prefix == FILE else "").split(_AND))
    return ()


def path_fault(path: str) -> str:
    """Why this can be no file's path, whichever machine it is on."""
    if not path.startswith("/") or posixpath.normpath(path) != path or "\0" in path or _AND in path:
        return f'"{path}" is not the absolute path of a file' + (f" (without {_AND})" if _AND in path else "")
    return f"{path} is no file" if path.startswith(_NEVER) else ""


# --- what they hold ---------------------------------------------------------------------------------


def pair_in(files: Files, name: str) -> Certificate | FileFault:
    """The certificate and key of a name, if they are for one another."""
    paths = paths_of(name)
    for part, path in enumerate(paths):
        if why := _unusable(files, path, is_shown=True):
            return FileFault(part=part, why=why)
    chain, key = paths[0], paths[-1]
    read = read_chain(files[chain].content)
    if isinstance(read, Bad):
        return FileFault(part=0, why=f"{chain} cannot be used: {read.why}")
    if fault := key_fault(files[key].content, read):
        return FileFault(part=1, why=f"{key} cannot be used: {fault}")
    if read.must_staple:
        return FileFault(
            part=0, why=f"{chain} cannot be used: it demands an OCSP staple, and files bring none"
        )
    origin = ResourceRef(kind="File", name=chain)
    # A file may hold both (as haproxy wants it): the key is not sent with what is shown to clients.
    shown = public_part(files[chain].content)
    return Certificate(name=name, chain=shown, key=files[key].content, origin=origin)


def roots_in(files: Files, name: str) -> TrustedCa | FileFault:
    """Whom a name says to trust, and what is revoked of them."""
    contents = []
    paths = paths_of(name)
    for part, (path, judge) in enumerate(zip(paths, (roots_fault, crl_fault), strict=False)):
        if why := _unusable(files, path):
            return FileFault(part=part, why=why)
        content = public_part(files[path].content)
        if fault := judge(content):
            return FileFault(part=part, why=f"{path} cannot be used: {fault}")
        contents.append(content)
    roots, crl = (*contents, b"")[:2]
    return TrustedCa(name=name, roots=roots, crl=crl, origin=ResourceRef(kind="File", name=paths[0]))


def _unusable(files: Files, path: str, *, is_shown: bool = False) -> str:
    """`is_shown`: it is to be a certificate or key of our own."""
    if fault := path_fault(path):
        return fault
    file = files.get(path) or NamedFile(why="it has not been read")
    why = file.why
    if is_shown and not file.may_be_shown:
        why = why or ELSEWHERE
    elif file.content.count(b"-----BEGIN ") != file.content.count(b"-----END "):
        why = why or "it is half written"
    return f"{path} cannot be used: {why}" if why else ""


def fault_of(ctx: Context, path: str, judge: Callable[[bytes], str]) -> tuple[str, bool]:
    """(what is wrong with a file, can it be used all the same). `judge` says what is wrong with what it holds."""
    if fault := path_fault(path):
        return fault, False
    if ctx.files is None:
        return "", True
    found = ctx.files.get(path)
    if found is None or not found.content:
        return f"{path} cannot be used: {found.why if found else 'it has not been read'}", False
    if fault := judge(public_part(found.content)):
        return f"{path} cannot be used: {fault}", False
    return f"{path} cannot be read any more: {found.why}" if found.why else "", True


def content_of(ctx: Context, path: str) -> bytes:
    """The certificates and revocation lists in a file; b"" where it is on another machine, and read there."""
    found = ctx.files.get(path) if ctx.files is not None else None
    return public_part(found.content) if found else b""


def public_part(pem: bytes) -> bytes:
    """Without private keys, and whatever else stands in such files."""
    return b"".join(found[0] + b"\n" for found in _PUBLIC.finditer(pem))
