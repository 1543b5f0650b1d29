"""Plugins as values."""

from dataclasses import replace

from mizzen.errors import ResourceRef
from mizzen.model.plugin import Phase, Plugin


def test_the_digest_stands_for_the_code():
    """Megabytes are not compared with every build."""
    one = Plugin(
        name="a",
        kind="wasm",
        phase=Phase.STATS,
        code=b"a",
        digest="1",
        origin=ResourceRef(kind="WasmPlugin", name="a"),
    )
    assert one == replace(one, code=b"b")
    assert one != replace(one, digest="2")
    assert "b'a'" not in repr(one)
