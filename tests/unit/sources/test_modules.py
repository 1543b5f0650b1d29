"""Modules that are published, as they are held against what is asked for."""

import hashlib

import pytest

from mizzen.model.plugin import ModuleSource
from mizzen.sources import modules
from mizzen.sources.fetching import Answer, Unfetched, Way
from mizzen.sources.modules import module_of
from mizzen.sources.oci import Image
from tests.harness.registry import archive
from tests.harness.small_wasm import answering
from tests.unit.sources.test_fetching import nobody

pytestmark = pytest.mark.asyncio
WAY = Way(roots=nobody)
MODULE = answering(418)
OWN = hashlib.sha256(MODULE).hexdigest()
MANIFEST, OTHER = "ab" * 32, "cd" * 32
FILE = ModuleSource(url="https://a.test/a.wasm")
IMAGE = ModuleSource(url="oci://a.test/a:1", authorization="Basic x")


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answered(url: str, way: Way, wish: object) -> Answer:
        pages = {
            FILE.url: MODULE,
            "https://a.test/packed": archive("a", MODULE),
            "https://a.test/text": b"text",
        }
        body = pages.get(url)
        return Answer(status=404 if body is None else 200, headers={}, body=body or b"")

    async def image_of(reference: object, authorization: str, way: Way) -> Image:
        assert authorization == IMAGE.authorization
        return Image(layer=archive("plugin.wasm", MODULE), is_archive=True, digests=(MANIFEST,))

    monkeypatch.setattr(modules, "answered", answered)
    monkeypatch.setattr(modules, "image_of", image_of)


@pytest.mark.parametrize(
    "source",
    [
        FILE,
        ModuleSource(url=FILE.url, sha256=OWN),
        ModuleSource(url="https://a.test/packed", sha256=OWN),
        *(ModuleSource(url=IMAGE.url, authorization="Basic x", sha256=one) for one in ("", OWN, MANIFEST)),
    ],
)
async def test_the_module_that_is_meant(source: ModuleSource) -> None:
    assert await module_of(source, WAY) == MODULE


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (ModuleSource(url=FILE.url, sha256=OTHER), f"its sha256 is {OWN}, not"),
        (
            ModuleSource(url=IMAGE.url, authorization="Basic x", sha256=OTHER),
            f"{OWN} and that of .* {MANIFEST}, not",
        ),
        (ModuleSource(url="https://a.test/gone"), "status 404"),
        (ModuleSource(url="https://a.test/text"), "it cannot be run: it is no WebAssembly module"),
        (ModuleSource(url="oci://a.test/A"), "lower-case"),
        (ModuleSource(url=IMAGE.url, trouble="no Secret"), "no Secret"),
    ],
)
async def test_what_is_not_meant_is_not_had(source: ModuleSource, why: str) -> None:
    with pytest.raises(Unfetched, match=why):
        await module_of(source, WAY)
