"""AuthorizationPolicy and RequestAuthentication of a gateway."""

import pytest

from mizzen.model.authorization import (
    Access,
    AccessRule,
    Address,
    All,
    AnyOf,
    Header,
    Not,
    Path,
    Peer,
    Port,
    Suffix,
)
from mizzen.model.route import Exact, Prefix, Present, Regex
from mizzen.resolve.access.authorization import authorization


def policy(spec, name="p", namespace="istio-system", annotations="{}"):
    return (
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}, annotations: {annotations}}}\nspec: {spec}\n"
    )


def the_rule(accesses) -> AccessRule:
    [access] = accesses
    [rule] = access.rules
    return rule


def test_without_a_policy_everybody_may(gateway):
    assert authorization(gateway("").ctx, http=True) == ()


def test_a_policy_without_rules_lets_nobody_in(gateway):
    assert authorization(gateway(policy("{}")).ctx, http=True) == (Access(deny=False, rules=()),)


def test_an_empty_rule_describes_everything(gateway):
    rule = the_rule(authorization(gateway(policy("{rules: [{}]}")).ctx, http=True))
    assert (rule.name, rule.what, rule.who) == ("ns[istio-system]-policy[p]-rule[0]", All(), All())


def test_refusals_are_judged_before_permissions(gateway):
    text = policy("{rules: [{}]}", "b") + policy("{action: DENY, rules: [{}]}", "a")
    assert [one.deny for one in authorization(gateway(text).ctx, http=True)] == [True, False]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "principals: [cluster.local/ns/a/sa/b]",
            AnyOf((AnyOf((Peer(Exact("spiffe://cluster.local/ns/a/sa/b")),)),)),
        ),
        (
            "principals: ['cluster.local/ns/a/*']",
            AnyOf((AnyOf((Peer(Prefix("spiffe://cluster.local/ns/a/")),)),)),
        ),
        ("principals: ['*/sa/b']", AnyOf((Peer(Suffix("/sa/b")),))),
        ("principals: ['*']", AnyOf((Peer(Present()),))),
        ("namespaces: [a, b]", AnyOf((Peer(Regex(".*/ns/a/.*")), Peer(Regex(".*/ns/b/.*"))))),
        ("notNamespaces: [a]", Not(AnyOf((Peer(Regex(".*/ns/a/.*")),)))),
        ("serviceAccounts: [a/b]", AnyOf((Peer(Regex("spiffe://[^/]+/ns/a/sa/b")),))),
        ("serviceAccounts: [b]", AnyOf((Peer(Regex("spiffe://[^/]+/ns/istio-system/sa/b")),))),
        ("trustDomains: [td.example]", AnyOf((AnyOf((Peer(Prefix("spiffe://td.example/")),)),))),
        ("trustDomains: ['td-*']", AnyOf((Peer(Regex("spiffe://td-[^/]*/.*")),))),
        ("trustDomains: ['*.example']", AnyOf((Peer(Regex(r"spiffe://[^/]*\.example/.*")),))),
        ("trustDomains: ['*']", AnyOf((Peer(Prefix("spiffe://")),))),
        ("notTrustDomains: [a]", Not(AnyOf((AnyOf((Peer(Prefix("spiffe://a/")),)),)))),
        ("ipBlocks: [10.0.0.0/8]", AnyOf((Address("peer", "10.0.0.0/8"),))),
        (
            "remoteIpBlocks: [1.2.3.4]",
            AnyOf((AnyOf((Address("client", "1.2.3.4"), Address("client", "::ffff:1.2.3.4/128"))),)),
        ),
        (
            "remoteIpBlocks: ['::ffff:10.0.0.0/104']",
            AnyOf((AnyOf((Address("client", "::ffff:10.0.0.0/104"), Address("client", "10.0.0.0/8"))),)),
        ),
        ("remoteIpBlocks: ['2001:db8::/32']", AnyOf((Address("client", "2001:db8::/32"),))),
    ],
)
def test_who_asks(gateway, source, expected):
    text = policy(f"{{rules: [{{from: [{{source: {{{source}}}}}]}}]}}")
    rule = the_rule(authorization(gateway(text).ctx, http=True))
    assert rule.who == All((AnyOf((All((expected,)),)),))


def test_the_meshs_own_trust_domain_and_its_aliases_are_one(gateway):
    mesh = (
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: o}\n"
        "spec: {meshConfig: {trustDomain: new.example, trustDomainAliases: [old.example]}}\n"
    )
    text = mesh + policy("{rules: [{from: [{source: {principals: [cluster.local/ns/a/sa/b]}}]}]}")
    rule = the_rule(authorization(gateway(text).ctx, http=True))
    names = AnyOf(tuple(Peer(Exact(f"spiffe://{one}.example/ns/a/sa/b")) for one in ("new", "old")))
    assert rule.who == All((AnyOf((All((AnyOf((names,)),)),)),))


@pytest.mark.parametrize(
    ("domain", "expected"),
    [("old.example", ("new", "old")), ("new.example", ("new", "old")), ("other.example", ("other",))],
)
def test_a_trust_domain_of_the_mesh_stands_for_its_aliases(gateway, domain, expected):
    mesh = (
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: o}\n"
        "spec: {meshConfig: {trustDomain: new.example, trustDomainAliases: [old.example]}}\n"
    )
    text = mesh + policy(f"{{rules: [{{when: [{{key: source.trustDomain, values: [{domain}]}}]}}]}}")
    rule = the_rule(authorization(gateway(text).ctx, http=True))
    peers = AnyOf(tuple(Peer(Prefix(f"spiffe://{one}.example/")) for one in expected))
    assert rule.who == All((All((AnyOf((peers,)),)),))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("hosts: [A.example]", Header(name=":authority", value=Regex(r"(?i)A\.example(?::[^:\]]*)?"))),
        ("methods: [GET]", Header(name=":method", value=Exact("GET"))),
        ("paths: ['/a/*']", Path(Prefix("/a/"))),
        ("ports: ['8443']", Port(8443)),
    ],
)
def test_what_is_done(gateway, operation, expected):
    text = policy(f"{{rules: [{{to: [{{operation: {{{operation}}}}}]}}]}}")
    rule = the_rule(authorization(gateway(text).ctx, http=True))
    assert rule.what == All((AnyOf((All((AnyOf((expected,)),)),)),))


def test_on_connections_a_permission_by_http_allows_nothing_and_a_refusal_refuses_without_it(gateway):
    rules = "rules: [{to: [{operation: {methods: [GET], ports: ['7000']}}]}]"
    allow = authorization(gateway(policy(f"{{{rules}}}")).ctx, http=False)
    assert allow == (Access(deny=False, rules=()),)
    deny = the_rule(authorization(gateway(policy(f"{{action: DENY, {rules}}}")).ctx, http=False))
    assert deny.what == All((AnyOf((All((AnyOf((Port(7000),)),)),)),))


def test_policies_of_other_namespaces_other_workloads_and_dry_runs_do_not_count(gateway):
    text = (
        policy("{}", "elsewhere", namespace="shop")
        + policy("{selector: {matchLabels: {app: other}}}", "other")
        + policy("{}", "dry", annotations="{istio.io/dry-run: 'true'}")
    )
    assert authorization(gateway(text).ctx, http=True) == ()
