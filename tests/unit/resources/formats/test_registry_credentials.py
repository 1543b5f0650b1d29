"""Who somebody is to a registry."""

import base64
import json

import pytest

from mizzen.resources.formats.image_reference import DOCKER_HUB
from mizzen.resources.formats.registry_credentials import RegistryCredentials, registry_credentials

AUTH = base64.b64encode(b"me:se:cret").decode()
ME = RegistryCredentials(user="me", password="se:cret")


@pytest.mark.parametrize(
    ("registry", "auths", "expected"),
    [
        ("a.test", {"a.test": {"auth": AUTH}}, ME),
        ("a.test", {"https://a.test/v1/": {"auth": AUTH}}, ME),
        ("a.test", {"http://a.test": {"username": "me", "password": "se:cret"}}, ME),
        (
            "a.test:5000",
            {"a.test": {"auth": AUTH}, "a.test:5000": {"registrytoken": "t"}},
            RegistryCredentials(token="t"),
        ),
        ("a.test", {"b.test": {"auth": AUTH}}, RegistryCredentials()),
        ("a.test", {}, RegistryCredentials()),
        (DOCKER_HUB, {"https://index.docker.io/v1/": {"auth": AUTH}}, ME),
        (DOCKER_HUB, {"docker.io": {"auth": AUTH}}, ME),
    ],
)
def test_credentials_of_a_registry(registry: str, auths: object, expected: RegistryCredentials) -> None:
    assert registry_credentials(json.dumps({"auths": auths}).encode(), registry) == expected


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"null", b"[]", b"{}", b"\xff", b'{"auths": 1}', b'{"auths": {"a.test": 1}}', b"[" * 100_000),
        *(b'{"auths": {"a.test": {"auth": "%"}}}', b'{"auths": {"a.test": {"auth": 1}}}'),
        b'{"auths": {"a.test": {"username": 1, "password": "x"}}}',
        b'{"auths": {"a.test": {"registrytoken": "a\\r\\nb"}}}',
        b'{"auths": {"a.test": {"identitytoken": "x"}}}',
    ],
)
def test_what_says_nothing_is_told(content: bytes) -> None:
    assert isinstance(registry_credentials(content, "a.test"), str)


def test_they_are_a_header_and_never_shown() -> None:
    assert ME.authorization == f"Basic {AUTH}"
    assert RegistryCredentials(token="t").authorization == "Bearer t"
    assert RegistryCredentials().authorization == ""
    assert "se:cret" not in repr(ME)
