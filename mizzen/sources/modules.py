"""WebAssembly modules that are published: by a server of files, or in an image of a registry."""

import asyncio
import hashlib

from mizzen.lazy import dataclass
from mizzen.model.plugin import ModuleSource
from mizzen.resources.formats.image_reference import image_reference
from mizzen.resources.formats.wasm import wrong_module
from mizzen.sources.fetching import Unfetched, Way, Wish, answered, within
from mizzen.sources.module_archive import LARGEST, from_layer, unboxed
from mizzen.sources.oci import image_of

SECONDS = 30.0  # for all that is asked until a module is there
_OCI = "oci://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    code: bytes
    digests: tuple[str, ...]  # by which it may be known: its own SHA-256 first, then those of its image


async def module_of(source: ModuleSource, way: Way) -> bytes:
    """A module that Envoy may run, and that is the one which is meant. Unfetched says why there is none."""
    if source.trouble:
        raise Unfetched(source.trouble)
    async with within(SECONDS):
        found = await (_image(source, way) if source.url.startswith(_OCI) else _file(source, way))
    if source.sha256 and source.sha256 not in found.digests:
        names = " and that of its image's manifest ".join(found.digests[:2])
        raise Unfetched(f"its sha256 is {names}, not what is asked for")
    if wrong := wrong_module(found.code):
        raise Unfetched(f"it cannot be run: {wrong}")
    return found.code


async def _file(source: ModuleSource, way: Way) -> Published:
    answer = await answered(source.url, way, Wish(accept="application/wasm, */*", largest=LARGEST))
    code = await asyncio.to_thread(unboxed, answer.document)
    return Published(code=code, digests=(hashlib.sha256(code).hexdigest(),))


async def _image(source: ModuleSource, way: Way) -> Published:
    reference = image_reference(source.url.removeprefix(_OCI))
    if isinstance(reference, str):
        raise Unfetched(reference)
    image = await image_of(reference, source.authorization, way)
    code = await asyncio.to_thread(from_layer, image.layer) if image.is_archive else image.layer
    return Published(code=code, digests=(hashlib.sha256(code).hexdigest(), *image.digests))
