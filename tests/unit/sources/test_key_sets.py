"""Key sets at their address, or where the issuer's description leads."""

import json

import pytest

from mizzen.model.token import KeySource
from mizzen.sources import key_sets
from mizzen.sources.fetching import Unfetched, Way

pytestmark = pytest.mark.asyncio
KEYS = b'{"keys": []}'
WAY = Way(roots=lambda: pytest.fail("nobody is asked"))


@pytest.fixture
def pages(monkeypatch):
    """By address, what is there."""
    found = {}

    async def fetched(url, _way, _seconds):
        if url not in found:
            raise Unfetched("nothing is there")
        return found[url]

    monkeypatch.setattr(key_sets, "fetched", fetched)
    return found


async def test_at_their_address(pages):
    pages["http://a/keys"] = KEYS
    assert await key_sets.key_set_of(KeySource(url="http://a/keys"), WAY) == KEYS.decode()


async def test_where_the_description_leads(pages):
    pages["http://a/d"] = json.dumps({"jwks_uri": "http://b/keys"}).encode()
    pages["http://b/keys"] = KEYS
    assert await key_sets.key_set_of(KeySource(url="http://a/d", discovered=True), WAY) == KEYS.decode()


@pytest.mark.parametrize("text", [b"", b"[]", b'{"key": []}', b'{"keys": {}}', b"\xff", b"[" * 100_000])
async def test_what_is_no_key_set(pages, text):
    pages["http://a/keys"] = text
    with pytest.raises(Unfetched):
        await key_sets.key_set_of(KeySource(url="http://a/keys"), WAY)


@pytest.mark.parametrize("named", [None, 7, "file:///etc/passwd", "http://b/ x"])
async def test_a_description_that_leads_nowhere(pages, named):
    pages["http://a/d"] = json.dumps({"jwks_uri": named}).encode()
    with pytest.raises(Unfetched):
        await key_sets.key_set_of(KeySource(url="http://a/d", discovered=True), WAY)
