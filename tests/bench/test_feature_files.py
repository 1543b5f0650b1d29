"""The YAML of each feature is what a user may write: nothing is complained of, and it differs from the rest."""

import pytest

from bench.feature_files import FEATURES, Feature, Site, base
from mizzen.demo import certificates
from mizzen.errors import Problem
from mizzen.pipeline import Settings, analysed
from tests.golden import built, rendered
from tests.harness.gateway import Authority, now
from tests.harness.issuer import Issuer

AUTHORITY = Authority()
PAIR = AUTHORITY.server()
ISSUER = Issuer()
SITE = Site(
    upstream=18080,
    tls_upstream=18081,
    collector=18082,
    authorizer=18083,
    access_log="/var/log/access.log",
    client=certificates.client("gateway.test", AUTHORITY.pair, now()),
    ca=AUTHORITY.pem,
    jwks=ISSUER.jwks,
    token=ISSUER.token(),
)


def served(feature: Feature) -> tuple[tuple[Problem, ...], object]:
    """What is complained of, and what Envoy gets."""
    files = {**base(PAIR, SITE.upstream), **feature.files(SITE)}
    build = built({f"{name}.yaml": text.encode() for name, text in files.items()}, Settings())
    return analysed(build, now()), rendered(build.gateways[0])


NOTHING = served(FEATURES[0])


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_is_valid_and_changes_what_envoy_gets(feature: Feature) -> None:
    problems, config = served(feature)

    assert problems == ()
    assert (config == NOTHING[1]) is feature.name.startswith("nothing")


def test_a_tracer_at_one_percent_is_not_one_at_all() -> None:
    by_name = {feature.name: feature for feature in FEATURES}

    assert served(by_name["tracing-1"]) != served(by_name["tracing-100"])
