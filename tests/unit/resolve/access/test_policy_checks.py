"""What is told of AuthorizationPolicies that are not done as they are written."""

from mizzen.model.authorization import Access
from mizzen.resolve.access.authorization import authorization
from mizzen.resolve.access.policy_checks import check_authorization, check_connections
from tests.unit.resolve.access.test_authorization import policy
from tests.unit.resolve.access.test_authorizers import LOGIN, http, mesh, with_services


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


ASK = "{action: CUSTOM, provider: {name: login}, rules: [RULE]}"


def test_an_authorizer_that_is_asked_is_no_problem(gateway):
    found = gateway(mesh(http()) + LOGIN + policy(ASK.replace("RULE", "{}")))
    check_authorization(with_services(found))
    assert not found.problems


def test_a_port_that_does_not_say_that_it_carries_grpc_is_told(gateway):
    providers = mesh("{name: login, envoyExtAuthzGrpc: {service: login.test, port: 80}}")
    found = gateway(providers + LOGIN + policy(ASK.replace("RULE", "{}")))
    check_authorization(with_services(found))
    assert found.codes == ["AZ-004"]


def test_conditions_on_tokens_are_told(gateway):
    rule = "{from: [{source: {notRequestPrincipals: ['*']}}], when: [{key: request.auth.audiences, values: [b]}]}"
    found = gateway(mesh(http()) + LOGIN + policy(ASK.replace("RULE", rule)))
    check_authorization(with_services(found))
    assert [(code, field) for code, _, field in found.said] == [
        ("AZ-005", "spec.rules[0].from[0].source.notRequestPrincipals"),
        ("AZ-005", "spec.rules[0].when[0].key"),
    ]


def test_connections_that_are_refused_are_told(gateway):
    text = mesh(http()) + LOGIN + policy(ASK.replace("RULE", "{to: [{operation: {hosts: [a]}}]}, {}"))
    found = gateway(text + policy(ASK.replace("RULE", "{to: [{operation: {hosts: [a]}}]}"), "requests"))
    check_connections(with_services(found))
    assert found.said == [("AZ-006", "AuthorizationPolicy/istio-system/p", "spec.rules[1]")]
