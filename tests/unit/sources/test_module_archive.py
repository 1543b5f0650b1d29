"""Modules out of what they are packed into, within bounds."""

import gzip
import io
import tarfile

import pytest

from mizzen.sources import module_archive
from mizzen.sources.fetching import Unfetched
from mizzen.sources.module_archive import from_layer, unboxed
from tests.harness.registry import archive

MODULE = b"\0asm\x01\0\0\0"


def tar(*names: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(MODULE) if kind == tarfile.REGTYPE else 0
            out.addfile(member, io.BytesIO(MODULE))
    return packed.getvalue()


@pytest.mark.parametrize(
    "layer",
    [archive("plugin.wasm", MODULE), archive("./a/plugin.wasm", MODULE), tar("x.wasm", "plugin.wasm")],
)
def test_the_file_of_a_layer(layer: bytes) -> None:
    assert from_layer(layer) == MODULE


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (archive("other.wasm", MODULE), "no plugin.wasm"),
        (tar("plugin.wasm", kind=tarfile.SYMTYPE), "no plugin.wasm"),
        (archive("plugin.wasm", MODULE)[:-9], "cut off"),
        (b"\x1f\x8bnonsense", "no sound gzip"),
        (b"nonsense", "no sound archive"),
        (b"", "no sound archive"),
        (tar("plugin.wasm")[:514], "no sound archive"),
        (gzip.compress(bytes(2**20)) * 1, "no plugin.wasm"),
    ],
)
def test_layers_without_a_module(layer: bytes, why: str) -> None:
    with pytest.raises(Unfetched, match=why):
        from_layer(layer)


def test_nothing_is_larger_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_archive, "_LARGEST_UNPACKED", 2**20)
    with pytest.raises(Unfetched, match="1 MB when it is unpacked"):
        from_layer(gzip.compress(bytes(2**24)))
    monkeypatch.setattr(module_archive, "LARGEST", 7)
    for content in (MODULE, tar("a"), archive("a", MODULE)):
        with pytest.raises(Unfetched, match="the module has more than"):
            unboxed(content)


def test_an_archive_has_no_more_files_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_archive, "_MOST_FILES", 2)
    assert from_layer(tar("a", "plugin.wasm")) == MODULE
    with pytest.raises(Unfetched, match="more than 2 files"):
        from_layer(tar("a", "b", "plugin.wasm"))


@pytest.mark.parametrize(
    "content",
    [
        MODULE,
        gzip.compress(MODULE, mtime=0),
        tar("a.wasm"),
        archive("a", MODULE),
        gzip.compress(gzip.compress(MODULE, mtime=0), mtime=0),
    ],
)
def test_what_a_server_of_files_has_is_taken_out_of_its_boxes(content: bytes) -> None:
    assert unboxed(content) == MODULE


def test_what_is_no_box_stays() -> None:
    assert unboxed(b"text") == b"text"
