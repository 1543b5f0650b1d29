"""What the name of an image means."""

import pytest

from mizzen.resources.formats.image_reference import DOCKER_HUB, ImageReference, image_reference

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("registry.test/team/auth:1.0", "registry.test", "team/auth", "1.0", ""),
        ("registry.test:5000/auth", "registry.test:5000", "auth", "latest", ""),
        ("localhost/auth", "localhost", "auth", "latest", ""),
        (f"registry.test/auth:1@{DIGEST}", "registry.test", "auth", "1", DIGEST),
        (f"[::1]:5000/auth@{DIGEST}", "[::1]:5000", "auth", "latest", DIGEST),
        ("docker.io/team/auth", DOCKER_HUB, "team/auth", "latest", ""),
        ("team/auth:2", DOCKER_HUB, "team/auth", "2", ""),
        ("auth", DOCKER_HUB, "library/auth", "latest", ""),
    ],
)
def test_names(text: str, registry: str, repository: str, tag: str, digest: str) -> None:
    expected = ImageReference(registry=registry, repository=repository, tag=tag, digest=digest)
    assert image_reference(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "registry.test/",
            "registry.test/Auth",
            "registry.test/a b",
            "registry.test/a:",
            "registry.test/a:b/c",
        ),
        *(
            "registry.test/a/../b",
            "user@registry.test/a",
            "registry.test/a@sha256:AB",
            "registry.test/a@md5:1",
        ),
        *("reg istry.test/a", "registry.test/a?b", "registry.test/" + "a" * 256, "a.b:x/c", "-a.b/c"),
    ],
)
def test_what_names_no_image(text: str) -> None:
    assert isinstance(image_reference(text), str)


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        *(
            (one, True)
            for one in (
                "localhost:5000",
                "127.0.0.1",
                "[::1]:5000",
                "10.0.0.1:80",
                "registry.kube.svc.cluster.local",
            )
        ),
        *((one, False) for one in ("registry.test", "8.8.8.8:5000", "local", "localhost.test", DOCKER_HUB)),
    ],
)
def test_who_may_be_asked_without_tls(registry: str, expected: bool) -> None:
    assert ImageReference(registry=registry, repository="a").may_be_plain == expected
