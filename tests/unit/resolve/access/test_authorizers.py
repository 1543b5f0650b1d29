"""Providers of the mesh as authorizers; each way of being unusable: cases access/authorizers-*."""

from datetime import timedelta

import pytest

from mizzen.model.authorization import All, Authorizer, CheckedBody, Suffix
from mizzen.model.route import Exact, Prefix
from mizzen.resolve.access.authorization import authorization
from mizzen.resolve.access.authorizers import authorizer_of
from mizzen.resolve.services.destinations import Indexes
from mizzen.resolve.services.policies import policy_index
from mizzen.resolve.services.services import service_index
from tests.unit.resolve.access.test_authorization import policy

LOGIN = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: login, namespace: auth}
spec:
  hosts: [login.test]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 81, name: grpc, protocol: GRPC}]
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: auth}
spec: {type: ExternalName, externalName: login.test, ports: [{port: 80, name: http}]}
"""


def mesh(*providers: str) -> str:
    return (
        "---\napiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"
        "metadata: {name: mesh, namespace: istio-system}\n"
        f"spec: {{meshConfig: {{extensionProviders: [{', '.join(providers)}]}}}}\n"
    )


def http(name: str = "login", more: str = "") -> str:
    return f"{{name: {name}, envoyExtAuthzHttp: {{service: login.test, port: 80{more}}}}}"


def with_services(found):
    ctx = found.ctx
    services = service_index(ctx)
    ctx.steps.views["indexes"] = Indexes(services, policy_index(ctx, services))
    return ctx


def test_what_is_not_said_is_as_in_istio(gateway):
    found = authorizer_of(with_services(gateway(mesh(http()) + LOGIN)), "login")
    assert found.authorizer == Authorizer(
        name="login",
        kind="http",
        backend="outbound|80||login.test",
        host="login.test",
        timeout=timedelta(seconds=600),
    )


def test_every_field_of_http_takes_part(gateway):
    more = (
        ", timeout: 2s, pathPrefix: /check, failOpen: true, clearRouteCache: true, statusOnError: 502, "
        "includeRequestHeadersInCheck: [cookie, x-*], includeHeadersInCheck: [old], "
        "includeAdditionalHeadersInCheck: {x-b: b, x-a: a}, headersToUpstreamOnAllow: ['*-user'], "
        "headersToDownstreamOnDeny: [a], headersToDownstreamOnAllow: [b], "
        "includeRequestBodyInCheck: {maxRequestBytes: 9, allowPartialMessage: true, packAsBytes: true}"
    )
    made = authorizer_of(with_services(gateway(mesh(http(more=more)) + LOGIN)), "login").authorizer
    assert made is not None
    assert (made.timeout, made.path_prefix, made.fail_open) == (timedelta(seconds=2), "/check", True)
    assert (made.chooses_routes, made.status_on_error) == (True, 502)
    assert made.shown == (Exact("cookie"), Prefix("x-"))
    assert made.added == (("x-a", "a"), ("x-b", "b"))
    assert (made.to_backend, made.to_refused, made.to_allowed) == (
        (Suffix("-user"),),
        (Exact("a"),),
        (Exact("b"),),
    )
    assert made.body == CheckedBody(most=9, partial=True, raw=True)


def test_the_deprecated_list_counts_where_the_new_one_is_empty(gateway):
    made = authorizer_of(
        with_services(gateway(mesh(http(more=", includeHeadersInCheck: [old]")) + LOGIN)), "login"
    )
    assert made.authorizer is not None and made.authorizer.shown == (Exact("old"),)


@pytest.mark.parametrize("service", ["auth/login.test", "alias.auth.svc.cluster.local"])
def test_a_service_is_named_with_its_namespace_or_by_an_alias(gateway, service):
    text = mesh(f"{{name: login, envoyExtAuthzGrpc: {{service: {service}, port: 81}}}}") + LOGIN
    found = authorizer_of(with_services(gateway(text)), "login")
    assert found.authorizer is not None and not found.doubt
    assert (found.authorizer.kind, found.authorizer.backend) == ("grpc", "outbound|81||login.test")


def test_authorizers_come_before_refusals_by_name_each_with_the_rules_of_all_its_policies(gateway):
    text = (
        mesh(http("b"), http("a"))
        + LOGIN
        + policy("{action: DENY, rules: [{}]}", "deny")
        + policy("{action: CUSTOM, provider: {name: b}, rules: [{}]}", "one")
        + policy("{action: CUSTOM, provider: {name: a}, rules: [{}]}", "two")
        + policy("{action: CUSTOM, provider: {name: b}, rules: [{}]}", "three")
    )
    found = authorization(with_services(gateway(text)), http=True)
    assert [(one.authorizer and one.authorizer.name, len(one.rules)) for one in found] == [
        ("a", 1),
        ("b", 2),
        (None, 1),
    ]


def test_what_tokens_say_is_not_known_before_they_are_read(gateway):
    rule = (
        "{from: [{source: {requestPrincipals: ['*']}}], when: [{key: 'request.auth.claims[a]', values: [b]}]}"
    )
    text = mesh(http()) + LOGIN + policy(f"{{action: CUSTOM, provider: {{name: login}}, rules: [{rule}]}}")
    [access] = authorization(with_services(gateway(text)), http=True)
    assert "Claim" not in str(access.rules)


@pytest.mark.parametrize(
    ("rule", "refused"),
    [
        ("{}", True),
        ("{to: [{operation: {ports: ['9000']}}]}", True),
        ("{to: [{operation: {hosts: [a]}}]}", False),
    ],
)
def test_connections_of_which_an_authorizer_over_http_cannot_be_asked_are_refused(gateway, rule, refused):
    text = mesh(http()) + LOGIN + policy(f"{{action: CUSTOM, provider: {{name: login}}, rules: [{rule}]}}")
    [access] = authorization(with_services(gateway(text)), http=False)
    assert (access.deny, access.authorizer, len(access.rules)) == (True, None, refused)


def test_connections_are_asked_about_over_grpc(gateway):
    text = mesh("{name: opa, envoyExtAuthzGrpc: {service: login.test, port: 81}}") + LOGIN
    text += policy("{action: CUSTOM, provider: {name: opa}, rules: [{to: [{operation: {hosts: [a]}}]}]}")
    [access] = authorization(with_services(gateway(text)), http=False)
    assert access.authorizer is not None
    assert access.rules[0].who == All()


def test_a_service_that_is_not_known_is_told_with_the_nearest_name(gateway):
    text = mesh("{name: login, envoyExtAuthzHttp: {service: logn.test, port: 80}}") + LOGIN
    found = authorizer_of(with_services(gateway(text)), "login")
    assert (found.authorizer, found.hint) == (None, "Did you mean login.test?")


def test_a_service_with_errors_of_its_own_is_named(gateway):
    text = mesh(http()) + LOGIN.replace("number: 80", "number: x")
    found = authorizer_of(with_services(gateway(text)), "login")
    assert "ServiceEntry/auth/login has errors of its own" in found.fault
