"""Tokens, refusals, permissions: in that order, or nothing at all. What becomes of them: tests/e2e/test_optional_filters.py."""

import pytest

from mizzen._api import pb
from mizzen.envoy.closing import REFUSE_ALL, closed_policies
from mizzen.envoy.filters import access_policies
from mizzen.envoy.filters.meeting import Meeting
from mizzen.errors import Problem
from mizzen.model.authorization import Access, AccessRule, All
from mizzen.model.listener import AccessPolicies, Edge, HttpService
from mizzen.model.token import TokenRule
from tests.harness.small_models import GATEWAY

ALLOW = Access(deny=False, rules=(AccessRule(name="a", what=All(), who=All()),))
TOKEN = TokenRule(name="t", issuer="me", keys='{"keys": []}')


def filters(policies: AccessPolicies) -> list[str]:
    made = access_policies.typed_extension_config(policies)
    config = pb.HttpFilterChainConfig.FromString(made.typed_config.value)
    found = []
    for one in config.default_filter_chain.filters:
        rules = pb.RBAC()
        named = one.typed_config.Unpack(rules)
        found.append(pb.RBACRules.Action.Name(rules.rules.action) if named else one.name)
    return found


@pytest.mark.parametrize("judged", [True, False])
def test_only_connections_that_are_judged_have_the_filter(judged: bool) -> None:
    service = HttpService(route_table="routes", stat_prefix="x", judged=judged)
    made = access_policies.http_filter(Meeting(service=service, edge=Edge()))
    assert (made is not None) is judged
    if made is not None:
        # Whose policies are not known yet lets nobody in.
        assert not made.config_discovery.HasField("default_config")


def test_the_order_is_istios() -> None:
    policies = AccessPolicies(tokens=(TOKEN,), access=(ALLOW, REFUSE_ALL), origin=GATEWAY)
    assert filters(policies) == ["envoy.filters.http.jwt_authn", "DENY", "ALLOW"]


def test_without_policies_requests_meet_nothing() -> None:
    made = access_policies.typed_extension_config(AccessPolicies(origin=GATEWAY))
    assert made.typed_config.value == b""


def test_a_token_that_cannot_be_told_refuses_everybody_and_is_reported() -> None:
    problems: list[Problem] = []
    bad = TokenRule(name="t", issuer="me", keys="", headers=(("", ""),))

    closed = closed_policies(
        AccessPolicies(tokens=(TOKEN, bad), access=(ALLOW,), origin=GATEWAY), problems.append
    )

    assert problems
    assert filters(closed) == ["envoy.filters.http.jwt_authn", "DENY", "ALLOW"]
