"""What is told of AuthorizationPolicies that are not done as they are written."""

from mizzen.model.authorization import Access
from mizzen.resolve.access.authorization import authorization
from mizzen.resolve.access.policy_checks import check_authorization
from tests.unit.resolve.access.test_authorization import policy


def test_an_authorizer_that_is_not_asked_refuses_what_it_would_judge(gateway):
    found = gateway(policy("{action: CUSTOM, provider: {name: opa}, rules: [{}]}"))
    [access] = authorization(found.ctx, http=True)
    check_authorization(found.ctx)
    assert access.deny
    assert found.codes == ["AZ-001"]


def test_a_condition_that_cannot_be_judged_allows_nothing_and_is_told(gateway):
    found = gateway(policy("{rules: [{when: [{key: request.moon, values: [full]}]}]}"))
    check_authorization(found.ctx)
    assert authorization(found.ctx, http=True) == (Access(deny=False, rules=()),)
    assert found.said == [("AZ-003", "AuthorizationPolicy/istio-system/p", "spec.rules[0].when[0].key")]
