"""A WebAssembly module out of an image in a registry.

(OCI Distribution Specification 1.1; Distribution's token authentication; the Wasm Image Specification, which Istio goes by.)
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from mizzen.lazy import dataclass
from mizzen.resources.formats import web_address
from mizzen.resources.formats.image_reference import ImageReference
from mizzen.sources.fetching import Answer, Unfetched, Unreached, Way, Wish, answered, within
from mizzen.sources.module_archive import LARGEST

_LARGEST_MANIFEST = 4 * 2**20  # what registries have to take, at least
_ENCRYPTED_SECONDS = 5.0  # how long TLS is tried where it may be done without
_INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
_MANIFESTS = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
_ACCEPT = ", ".join(sorted(_MANIFESTS | _INDEXES))
_ARCHIVES = frozenset(
    {"application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"}
)
_MODULE = "application/vnd.module.wasm.content.layer.v1+wasm"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE = re.compile(r'\b(Bearer|Basic)\b(?!\s*=)|([A-Za-z_]+)\s*=\s*"([^"]*)"', re.IGNORECASE)
_LONGEST_CHALLENGE = 4096
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What of an image holds the module."""

    digest: str
    is_archive: bool  # it has the file plugin.wasm; else it is the module itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    layer: bytes
    is_archive: bool
    digests: tuple[str, ...]  # SHA-256 (hexadecimal) of its manifest, and of the index that names it


# --- what registries say ----------------------------------------------------------------------------


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest_of(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unfetched("the registry's manifest is no JSON") from error
    if not isinstance(found, dict):
        raise Unfetched("the registry's manifest is no JSON object")
    return found


def of_platform(index: Mapping[str, Any]) -> str | None:
    """The digest of the manifest that an index leads to: for linux/amd64, as in Istio, or the only one. None: it is no index."""
    if index.get("mediaType") not in _INDEXES and "manifests" not in index:
        return None
    listed = [one for one in _objects(index.get("manifests")) if one.get("mediaType") in _MANIFESTS]
    wanted = [one for one in listed if _platform(one) == ("linux", "amd64")]
    if not wanted and len(listed) == 1:
        wanted = listed
    if not wanted:
        raise Unfetched("the image is for several platforms, and none of them is linux/amd64")
    return _digest(wanted[0])


def module_layer(manifest: Mapping[str, Any]) -> Layer:
    """The last layer, where that is an archive; else the one that is a module."""
    layers = _objects(manifest.get("layers"))
    if layers and layers[-1].get("mediaType") in _ARCHIVES:
        chosen = layers[-1]
    else:
        modules = [one for one in layers if one.get("mediaType") == _MODULE]
        if not modules:
            raise Unfetched(
                "the image has no layer that may hold a module (plugin.wasm in the last one, or "
                + _MODULE
                + ")"
            )
        chosen = modules[0]
    size = chosen.get("size")
    if isinstance(size, int) and size > LARGEST:
        raise Unfetched(f"the image's layer has more than {LARGEST // 2**20} MB")
    return Layer(digest=_digest(chosen), is_archive=chosen.get("mediaType") in _ARCHIVES)


def challenges(header: str) -> dict[str, dict[str, str]]:
    """WWW-Authenticate (RFC 9110, section 11.6.1): "bearer" or "basic" -> parameters by lower-case name."""
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for match in _CHALLENGE.finditer(header[:_LONGEST_CHALLENGE]):
        scheme, name, value = match.groups()
        if scheme:
            current = found.setdefault(scheme.lower(), {})
        else:
            current.setdefault(name.lower(), value)
    return found


def token_address(bearer: Mapping[str, str], repository: str, *, encrypted: bool) -> str:
    """Where a token for pulling is to be had (Distribution: Token Authentication Specification)."""
    realm = bearer.get("realm", "")
    if wrong := web_address.fault(realm):
        raise Unfetched(f"the registry has its tokens from where nobody is asked: {wrong}")
    parts = urlsplit(realm)
    if encrypted and parts.scheme != "https":
        raise Unfetched("the registry has its tokens from where nothing is encrypted")
    asked = {"scope": bearer.get("scope") or f"repository:{repository}:pull"}
    if service := bearer.get("service"):
        asked["service"] = service
    query = "&".join(filter(None, (parts.query, urlencode(asked))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def token_in(body: bytes) -> str:
    try:
        found = json.loads(body)
        token = found.get("token") or found.get("access_token")
    except (ValueError, RecursionError, AttributeError) as error:
        raise Unfetched("the registry's token is not understood") from error
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Unfetched("the registry's token is not understood")
    return token


def _objects(listed: Any) -> list[dict[str, Any]]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _platform(descriptor: Mapping[str, Any]) -> tuple[Any, Any]:
    platform = descriptor.get("platform")
    return (platform.get("os"), platform.get("architecture")) if isinstance(platform, dict) else ("", "")


def _digest(descriptor: Mapping[str, Any]) -> str:
    digest = descriptor.get("digest")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise Unfetched("the registry names a part of the image by no SHA-256")
    return digest


# --- asking ------------------------------------------------------------------------------------------


async def image_of(reference: ImageReference, authorization: str, way: Way) -> Image:
    """The layer of an image that holds a module. Unfetched says why there is none."""
    registry = _Registry(await _origin(reference, way), reference.repository, authorization, way)
    wanted = reference.digest or reference.tag
    digests: list[str] = []
    for _ in range(2):  # an index, and what it leads to
        body = await registry.get(f"manifests/{wanted}", _ACCEPT, _LARGEST_MANIFEST)
        _check(body, wanted if wanted.startswith("sha256:") else "")
        digests.append(digest_of(body).removeprefix("sha256:"))
        manifest = manifest_of(body)
        if (inner := of_platform(manifest)) is None:
            break
        wanted = inner
    else:
        raise Unfetched("the image's index leads to another index")
    layer = module_layer(manifest)
    content = await registry.get(f"blobs/{layer.digest}", "*/*", LARGEST)
    _check(content, layer.digest)
    return Image(layer=content, is_archive=layer.is_archive, digests=tuple(digests))


def _check(content: bytes, digest: str) -> None:
    if digest and digest_of(content) != digest:
        raise Unfetched(f"the registry gives something else for {digest}")


async def _origin(reference: ImageReference, way: Way) -> str:
    """Where the registry is: by TLS; without it where nobody speaks that and it may be done without."""
    encrypted = f"https://{reference.registry}"
    if wrong := web_address.fault(encrypted):
        raise Unfetched(wrong)
    if not reference.may_be_plain:
        return encrypted
    try:
        async with within(_ENCRYPTED_SECONDS):
            await answered(f"{encrypted}/v2/", way, Wish())
    except Unreached:
        return f"http://{reference.registry}"
    return encrypted


class _Registry:
    """One repository, as who we are."""

    def __init__(self, origin: str, repository: str, authorization: str, way: Way) -> None:
        self._origin, self._repository, self._way = origin, repository, way
        self._ours = authorization
        self._shown = authorization if authorization.startswith("Bearer ") else ""  # with each request

    async def get(self, path: str, accept: str, largest: int) -> bytes:
        answer = await self._asked(path, accept, largest)
        if answer.status == 401 and not self._shown:
            self._shown = await self._login(challenges(answer.headers.get("www-authenticate", "")))
            answer = await self._asked(path, accept, largest)
        if answer.status in (401, 403):
            raise Unfetched("the registry does not let us have it (imagePullSecret says who we are)")
        if answer.status == 404:
            raise Unfetched("the registry does not have it")
        return answer.document

    async def _asked(self, path: str, accept: str, largest: int) -> Answer:
        wish = Wish(accept=accept, authorization=self._shown, largest=largest)
        return await answered(f"{self._origin}/v2/{self._repository}/{path}", self._way, wish)

    async def _login(self, asked: Mapping[str, Mapping[str, str]]) -> str:
        """What is to be shown; "" where we have nothing that is asked for."""
        if (bearer := asked.get("bearer")) is not None:
            encrypted = self._origin.startswith("https:")
            url = token_address(bearer, self._repository, encrypted=encrypted)
            answer = await answered(url, self._way, Wish(authorization=self._ours))
            if answer.status in (401, 403):
                raise Unfetched("the registry does not know us (imagePullSecret says who we are)")
            return f"Bearer {token_in(answer.document)}"
        return self._ours if "basic" in asked else ""
