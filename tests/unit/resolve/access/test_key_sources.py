"""Where keys are to be fetched, and how."""

from datetime import timedelta

import pytest

from mizzen.model.token import KeySource
from mizzen.resolve.access.key_sources import key_source, key_sources
from mizzen.resolve.context import Switches
from mizzen.resources.istio.security import JwtRule

DISCOVERY = "https://me.test/realm/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (JwtRule(issuer="x", jwks="{}", jwks_uri="https://me.test/keys"), None),
        (JwtRule(issuer="x", jwks_uri="https://me.test/keys"), KeySource(url="https://me.test/keys")),
        (JwtRule(issuer="https://me.test/realm"), KeySource(url=DISCOVERY, discovered=True)),
        (JwtRule(issuer="https://me.test/realm/"), KeySource(url=DISCOVERY, discovered=True)),
        (
            JwtRule(jwks_uri="https://me.test/keys", timeout=timedelta(hours=1)),
            KeySource(url="https://me.test/keys", timeout=timedelta(seconds=60)),
        ),
    ],
)
def test_the_source_of_a_rule(rule, expected):
    assert key_source(rule, Switches()) == expected


@pytest.mark.parametrize("issuer", ["me@test", "file:///etc/passwd", "https://a b"])
def test_an_issuer_that_is_no_address_has_none(issuer):
    assert isinstance(key_source(JwtRule(issuer=issuer), Switches()), str)


def test_switches_say_how_it_is_asked():
    switches = Switches(
        key_refresh=timedelta(minutes=1), key_networks_blocked=("10.0.0.0/8",), keys_from_anybody=True
    )
    source = key_source(JwtRule(jwks_uri="https://me.test/keys"), switches)
    assert isinstance(source, KeySource)
    assert (source.refresh, source.blocked, source.verify) == (timedelta(minutes=1), ("10.0.0.0/8",), False)


def test_each_address_is_asked_once_with_the_greatest_patience(world):
    rules = "{issuer: a, jwksUri: 'http://k/', timeout: 2s}, {issuer: b, jwksUri: 'http://k/', timeout: 9s}, {issuer: c, jwks: '{}'}"
    found = world(
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\n"
        f"metadata: {{name: r, namespace: n}}\nspec: {{jwtRules: [{rules}]}}\n"
    )
    assert key_sources(found, Switches()) == (KeySource(url="http://k/", timeout=timedelta(seconds=9)),)
