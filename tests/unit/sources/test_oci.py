"""What registries say, and what is asked of them."""

import json
import ssl
from collections.abc import Callable

import pytest

from mizzen.resources.formats.image_reference import ImageReference
from mizzen.sources import oci
from mizzen.sources.fetching import Unfetched, Way
from mizzen.sources.oci import (
    Layer,
    challenges,
    digest_of,
    image_of,
    manifest_of,
    module_layer,
    of_platform,
    token_address,
    token_in,
)
from tests.harness.registry import USER, Registry, archive
from tests.unit.sources.test_fetching import http, nobody, server

WAY = Way(roots=nobody)
WAY_WITH_TLS = Way(roots=ssl.create_default_context)
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
A, B = digest_of(b"a"), digest_of(b"b")


def layer(media_type: str, digest: str = A, **more: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest, **more}


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([layer(OCI_LAYER)], Layer(digest=A, is_archive=True)),
        ([layer(OCI_LAYER), layer(DOCKER_LAYER, B)], Layer(digest=B, is_archive=True)),
        ([layer(WASM_LAYER), layer("config", B)], Layer(digest=A, is_archive=False)),
        ([layer("config", B), layer(WASM_LAYER)], Layer(digest=A, is_archive=False)),
        ([layer(WASM_LAYER), layer(OCI_LAYER, B)], Layer(digest=B, is_archive=True)),
    ],
)
def test_which_layer_holds_the_module(layers: object, expected: Layer) -> None:
    assert module_layer({"layers": layers}) == expected


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        (None, "no layer"),
        ([], "no layer"),
        ([1], "no layer"),
        ([layer(OCI_LAYER), layer("other")], "no layer"),
        ([layer(OCI_LAYER, "md5:1")], "no SHA-256"),
        ([layer(OCI_LAYER, "sha256:../../x")], "no SHA-256"),
        ([layer(OCI_LAYER, size=2**30)], "more than 12 MB"),
    ],
)
def test_images_without_a_module(layers: object, why: str) -> None:
    with pytest.raises(Unfetched, match=why):
        module_layer({"layers": layers})


def of(os: str, architecture: str, digest: str) -> dict[str, object]:
    return layer(MANIFEST, digest, platform={"os": os, "architecture": architecture})


def test_of_several_platforms_that_of_linux_counts() -> None:
    both = {"manifests": [of("linux", "arm64", A), of("linux", "amd64", B)]}
    assert of_platform(both) == B
    assert of_platform({"manifests": [layer(MANIFEST)]}) == A
    assert of_platform({"layers": []}) is None
    with pytest.raises(Unfetched, match="linux/amd64"):
        of_platform({"manifests": [of("linux", "arm64", A), of("windows", "amd64", B)]})


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_manifest_or_token(body: bytes) -> None:
    with pytest.raises(Unfetched):
        manifest_of(body)
    with pytest.raises(Unfetched):
        token_in(body)


@pytest.mark.parametrize("body", [b"{}", b'{"token": 1}', b'{"token": "a\\r\\nb"}'])
def test_tokens_that_are_none(body: bytes) -> None:
    with pytest.raises(Unfetched):
        token_in(body)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Bearer realm="https://a/t",service="s,1"', {"bearer": {"realm": "https://a/t", "service": "s,1"}}),
        (
            'Basic realm="Bearer x", bearer Realm="r"',
            {"basic": {"realm": "Bearer x"}, "bearer": {"realm": "r"}},
        ),
        ("Basic", {"basic": {}}),
        ("Negotiate", {}),
        ("", {}),
    ],
)
def test_challenges(header: str, expected: object) -> None:
    assert challenges(header) == expected


def test_where_tokens_are_had() -> None:
    bearer = {"realm": "https://a.test/t?x=1", "service": "s p"}
    assert (
        token_address(bearer, "r/a", encrypted=True)
        == "https://a.test/t?x=1&scope=repository%3Ar%2Fa%3Apull&service=s+p"
    )
    for realm in ("http://a.test/", "file:///etc/passwd", "", "https://u:p@a.test/"):
        with pytest.raises(Unfetched):
            token_address({"realm": realm}, "r", encrypted=True)


def manifest(content: bytes) -> bytes:
    return json.dumps({"mediaType": MANIFEST, "layers": [layer(WASM_LAYER, digest_of(content))]}).encode()


def answering(pages: dict[str, bytes]) -> Callable[[bytes], bytes]:
    """HTTP; whoever begins with TLS is told so in HTTP."""

    def answer(request: bytes) -> bytes:
        parts = request.split(b" ", 2)
        page = pages.get(parts[1].decode("latin-1")) if len(parts) > 2 else None
        return http(page) if page is not None else http(b"", "404 Not Found")

    return answer


async def image(port: int, tag: str = "1", digest: str = "", authorization: str = ""):
    reference = ImageReference(registry=f"127.0.0.1:{port}", repository="a", tag=tag, digest=digest)
    return await image_of(reference, authorization, WAY)


@pytest.mark.asyncio
async def test_digests_are_held_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def plain(reference: ImageReference, _: Way) -> str:
        return f"http://{reference.registry}"

    monkeypatch.setattr(oci, "_origin", plain)
    body, index = (
        manifest(b"code"),
        json.dumps({"manifests": [layer(MANIFEST, digest_of(manifest(b"code")))]}).encode(),
    )
    pages = {
        "/v2/a/manifests/1": body,
        "/v2/a/manifests/all": index,
        f"/v2/a/manifests/{digest_of(body)}": body,
        f"/v2/a/manifests/{A}": body,
        f"/v2/a/blobs/{digest_of(b'code')}": b"code",
        "/v2/a/manifests/forged": manifest(b"other"),
        f"/v2/a/blobs/{digest_of(b'other')}": b"code",
        "/v2/a/manifests/twice": json.dumps({"manifests": [layer(MANIFEST, digest_of(index))]}).encode(),
        f"/v2/a/manifests/{digest_of(index)}": index,
    }
    async with server(answering(pages)) as port:
        one = await image(port)
        assert (one.layer, one.is_archive) == (b"code", False)
        assert one.digests == (digest_of(body).removeprefix("sha256:"),)
        assert (await image(port, digest=digest_of(body))).layer == b"code"
        assert len((await image(port, "all")).digests) == 2
        for asked, why in (
            ({"digest": A}, "something else"),
            ({"tag": "forged"}, "something else"),
            ({"tag": "missing"}, "does not have it"),
            ({"tag": "twice"}, "another index"),
        ):
            with pytest.raises(Unfetched, match=why):
                await image(port, **asked)


@pytest.mark.asyncio
async def test_a_registry_without_tls_that_wants_a_token_gets_to_know_us() -> None:
    with Registry() as registry:
        registry.push("team/a", "1", archive("plugin.wasm", b"code"), OCI_LAYER)
        registry.is_closed = True
        reference = ImageReference(registry=registry.host, repository="team/a", tag="1")
        found = await image_of(reference, USER, WAY_WITH_TLS)
        assert found.is_archive
        assert any(one.startswith("/token?scope=repository%3Ateam%2Fa%3Apull") for one in registry.asked)
        for authorization, why in (("", "does not know us"), ("Bearer other", "does not let us")):
            with pytest.raises(Unfetched, match=why):
                await image_of(reference, authorization, WAY_WITH_TLS)


@pytest.mark.asyncio
async def test_where_nobody_can_be_verified_nothing_is_asked_in_the_clear() -> None:
    with Registry() as registry:
        reference = ImageReference(registry=registry.host, repository="a")
        with pytest.raises(Unfetched, match="nobody can be verified"):
            await image_of(reference, USER, WAY)
        assert not registry.asked
