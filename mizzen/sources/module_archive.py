"""A WebAssembly module out of what it was packed into: an image's layer, or what a server of files has. With bounds. Pure."""

import io
import tarfile
import zlib

from mizzen.sources.fetching import Unfetched

LARGEST = 12 * 2**20  # bytes of a module, and of what it is packed into
_LARGEST_UNPACKED = 64 * 2**20  # of all that is in an archive
_GZIP, _WASM = b"\x1f\x8b", b"\0asm"
_TAR_AT, _TAR = 257, b"ustar"
_NAME = "plugin.wasm"
_MOST_BOXES, _MOST_FILES = 3, 10_000


def from_layer(layer: bytes) -> bytes:
    """The file plugin.wasm of a layer (tar, mostly packed by gzip), as the Wasm Image Specification (compat) has it."""
    tar = _unpacked(layer) if layer.startswith(_GZIP) else layer
    return _file(tar, _NAME)


def unboxed(content: bytes) -> bytes:
    """What a server of files has: a module, or one within gzip or tar, of which the first file counts (Istio's way)."""
    for _ in range(_MOST_BOXES):
        if content.startswith(_WASM):
            break
        if content.startswith(_GZIP):
            content = _unpacked(content)
        elif content[_TAR_AT:].startswith(_TAR):
            content = _file(content, "")
        else:
            break
    return _within_bounds(content)


def _unpacked(content: bytes) -> bytes:
    """RFC 1952. One member; what is behind it does not count."""
    reader = zlib.decompressobj(wbits=31)
    try:
        unpacked = reader.decompress(content, _LARGEST_UNPACKED + 1)
    except zlib.error as error:
        raise Unfetched("it is no sound gzip") from error
    if len(unpacked) > _LARGEST_UNPACKED:
        raise Unfetched(f"it has more than {_LARGEST_UNPACKED // 2**20} MB when it is unpacked")
    if not reader.eof:
        raise Unfetched("it is cut off")
    return unpacked


def _file(content: bytes, name: str) -> bytes:
    """The first regular file, or the first of this name in any folder."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for number, member in enumerate(archive):
                if number >= _MOST_FILES:
                    raise Unfetched(f"the archive has more than {_MOST_FILES:,} files")
                if member.isreg() and name in ("", member.name.rpartition("/")[2]):
                    if member.size > LARGEST:
                        raise _too_large()
                    file = archive.extractfile(member)
                    return _within_bounds(file.read(LARGEST + 1) if file is not None else b"")
    except (tarfile.TarError, ValueError, OSError, EOFError, RecursionError) as error:
        raise Unfetched("it is no sound archive (tar)") from error
    raise Unfetched(f"there is no {name or 'file'} in the archive")


def _within_bounds(module: bytes) -> bytes:
    if len(module) > LARGEST:
        raise _too_large()
    return module


def _too_large() -> Unfetched:
    return Unfetched(f"the module has more than {LARGEST // 2**20} MB")
