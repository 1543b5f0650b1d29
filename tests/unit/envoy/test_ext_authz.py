"""What becomes of an authorizer in Envoy's words; that Envoy does it: tests/e2e/test_external_authorizers.py."""

from datetime import timedelta

import pytest

from mizzen._api import pb
from mizzen.envoy.closing import closed_policies
from mizzen.envoy.ext_authz import ext_authz, http_filters, network_filters
from mizzen.envoy.filters import access_policies
from mizzen.errors import Problem
from mizzen.model.authorization import Access, AccessRule, All, Authorizer, Port
from mizzen.model.listener import AccessPolicies
from mizzen.model.token import TokenRule
from tests.harness.small_models import GATEWAY

OPA = Authorizer(name="opa", kind="grpc", backend="outbound|1||opa", host="opa", timeout=timedelta(seconds=1))
SOME = AccessRule(name="some", what=Port(80), who=All())
EVERYTHING = AccessRule(name="everything", what=All(), who=All())


@pytest.mark.parametrize("make", [http_filters, network_filters])
def test_what_no_rule_describes_is_not_asked_about(make) -> None:
    first, second = make(Access(deny=True, rules=(SOME,), authorizer=OPA), OPA)
    assert (first.name.endswith(".rbac"), second.name.endswith(".ext_authz")) == (True, True)
    assert b"ext_authz_opa_shadow_engine_result" in second.typed_config.value
    assert not make(Access(deny=True, rules=(), authorizer=OPA), OPA)


@pytest.mark.parametrize("make", [http_filters, network_filters])
def test_where_everything_is_asked_about_no_filter_looks_for_it(make) -> None:
    [one] = make(Access(deny=True, rules=(SOME, EVERYTHING), authorizer=OPA), OPA)
    assert one.name.endswith(".ext_authz")
    assert b"shadow" not in one.typed_config.value


def test_answers_that_cannot_be_sent_refuse() -> None:
    assert ext_authz(OPA).validate_mutations
    assert not ext_authz(OPA).failure_mode_allow


def test_authorizers_are_asked_before_tokens_are_read() -> None:
    token = TokenRule(name="t", issuer="me", keys='{"keys": []}')
    access = (Access(deny=True, rules=(EVERYTHING,), authorizer=OPA), Access(deny=True, rules=(SOME,)))
    made = access_policies.typed_extension_config(
        AccessPolicies(tokens=(token,), access=access, origin=GATEWAY)
    )
    config = pb.HttpFilterChainConfig.FromString(made.typed_config.value)
    assert [one.name.rpartition(".")[2] for one in config.default_filter_chain.filters] == [
        "ext_authz",
        "jwt_authn",
        "rbac",
    ]


def test_an_authorizer_that_cannot_be_told_refuses_what_it_would_be_asked_about() -> None:
    problems: list[Problem] = []
    broken = Authorizer(name="x", kind="grpc", backend="", host="opa", timeout=timedelta(seconds=1))
    policies = AccessPolicies(access=(Access(deny=True, rules=(SOME,), authorizer=broken),), origin=GATEWAY)

    closed = closed_policies(policies, problems.append)

    assert problems
    assert closed.access == (Access(deny=True, rules=(SOME,)),)
