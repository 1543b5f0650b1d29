"""What is refused in policies and authentications."""

import json

import pytest
import yaml

from mizzen.resources.formats import checks
from mizzen.resources.intake import decode_all
from mizzen.resources.raw_objects import parse_documents


def errors(kind: str, spec: object) -> list[str]:
    text = json.dumps(
        {
            "apiVersion": "security.istio.io/v1",
            "kind": kind,
            "metadata": {"name": "it", "namespace": "own"},
            "spec": spec,
        }
    )
    problems = decode_all(parse_documents(text, "in.yaml")[0])[1]
    return [f"{one.code} {one.field}" for one in problems if one.code != "GRD-001"]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"ipBlocks": ["1.2.3.0/255.255.255.0"]}, "VAL-013"),
        ({"notRemoteIpBlocks": ["fe80::1%eth0"]}, "VAL-013"),
        ({"namespaces": ["a" * 40_000]}, "VAL-007"),
        ({"notNamespaces": ["a\xa0b"]}, "VAL-007"),
        ({"serviceAccounts": ["a/b c"]}, "VAL-007"),
        ({"trustDomains": ["td.example/ns"]}, "VAL-007"),
        ({"trustDomains": ["t*d"]}, "VAL-007"),
        ({"trustDomains": ["*td*"]}, "VAL-007"),
        ({"notTrustDomains": ["**"]}, "VAL-007"),
        ({"notTrustDomains": [""]}, "VAL-007"),
        ({"principals": ["a" * 40_000]}, "VAL-005"),
        ({"requestPrincipals": [""]}, "VAL-005"),
    ],
)
def test_who_cannot_be(source, code):
    [found] = errors("AuthorizationPolicy", {"rules": [{"from": [{"source": source}]}]})
    assert found == f"{code} spec.rules[0].from[0].source.{next(iter(source))}[0]"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"key": "request.headers[]", "values": ["a"]}, "VAL-006 spec.rules[0].when[0].key"),
        ({"key": "request.headers[a\nb]", "values": ["a"]}, "VAL-006 spec.rules[0].when[0].key"),
        ({"key": "request.headers", "values": ["a"]}, "VAL-006 spec.rules[0].when[0].key"),
        ({"key": "request.auth.claims[]", "values": ["a"]}, "VAL-011 spec.rules[0].when[0].key"),
        ({"key": "request.auth.claims[a][]", "values": ["a"]}, "VAL-011 spec.rules[0].when[0].key"),
        ({"key": "request.headers[a]", "values": ["a", "b\n"]}, "VAL-005 spec.rules[0].when[0].values[1]"),
        (
            {"key": "destination.port", "notValues": ["9" * 5000]},
            "VAL-003 spec.rules[0].when[0].notValues[0]",
        ),
        ({"key": "source.namespace", "values": [" "]}, "VAL-007 spec.rules[0].when[0].values[0]"),
        ({"key": "source.trustDomain", "values": ["a/b"]}, "VAL-007 spec.rules[0].when[0].values[0]"),
    ],
)
def test_conditions_that_cannot_be(condition, expected):
    assert errors("AuthorizationPolicy", {"rules": [{"when": [condition]}]}) == [expected]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            {"outputClaimToHeaders": [{"header": "a", "claim": ""}]},
            "VAL-001 spec.jwtRules[0].outputClaimToHeaders[0].claim",
        ),
        ({"outputPayloadToHeader": "a\nb"}, "VAL-006 spec.jwtRules[0].outputPayloadToHeader"),
        (
            {"fromHeaders": [{"name": "a", "prefix": "a\nb"}]},
            "VAL-006 spec.jwtRules[0].fromHeaders[0].prefix",
        ),
        ({"fromParams": [""]}, "VAL-005 spec.jwtRules[0].fromParams[0]"),
        ({"fromCookies": ["a b"]}, "VAL-006 spec.jwtRules[0].fromCookies[0]"),
    ],
)
def test_tokens_that_cannot_be(rule, expected):
    assert errors("RequestAuthentication", {"jwtRules": [{"issuer": "me", **rule}]}) == [expected]


def test_without_an_issuer_a_rule_needs_an_address_of_keys():
    assert errors("RequestAuthentication", {"jwtRules": [{"jwksUri": "https://me.test/keys"}]}) == []
    assert errors("RequestAuthentication", {"jwtRules": [{"jwks": "{}"}]}) == [
        "VAL-001 spec.jwtRules[0].issuer"
    ]


@pytest.mark.parametrize("kind", ["AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"])
def test_a_selector_with_a_star_would_select_nothing(kind):
    assert errors(kind, {"selector": {"matchLabels": {"app": "a*"}}}) == [
        "VAL-007 spec.selector.matchLabels.app"
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/a",
        "/a/*",
        "*",
        "*/a",
        "/{*}",
        "/{**}",
        "/a/{*}/b/{**}",
        "/{*}/{*}/{*}/{*}/{*}/{*}",
        "/{**}/a",
        "/a/{*}/",
        "/a b",
    ],
)
def test_path_templates(path):
    assert checks.path_template(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/{}",
            "/{*",
            "/}{",
            "/{a}/{a}",
            "/{**}/{**}",
            "/{**}/{*}",
            "/half{*}",
            "/{*}half",
            "/{a=*}",
            "/{***}",
            "/a{b",
        ),
        *("{*}", "{**}/a", "/{*}//a", "/{*}/a*", "/{*}/*", "/{*}/a b", "/{*}/é", "/{*}{*}"),
    ],
)
def test_no_path_templates(path):
    assert checks.path_template(path)


def test_subnets_have_no_netmask_and_no_zone():
    good = ("1.2.3.4", "1.2.3.4/8", "::1", "fd00::/7")
    bad = ("1.2.3.4/255.0.0.0", "fe80::1%eth0", "fe80::%1/64", "1.2.3.4/", "1.2.3.4/33", "", "a")
    assert [one for one in good if checks.subnet(one)] == []
    assert [one for one in bad if not checks.subnet(one)] == []


def test_a_pattern_is_judged_as_envoy_reads_it_byte_by_byte():
    assert [one for one in ("/é", r"\xe9", r"\p{Greek}", "[à-é]", r"\C") if checks.regex(one)] == []
    assert [one for one in (r"/\x{663}", r"[\x{100}-\x{200}]", "(") if not checks.regex(one)] == []


@pytest.mark.parametrize(
    ("rule", "is_told"),
    [
        ("{to: [{operation: {paths: [/a]}}]}", True),
        ("{to: [{operation: {paths: [/a], ports: ['80']}}]}", False),
        ("{from: [{source: {requestPrincipals: ['*']}}]}", True),
        ("{from: [{source: {namespaces: [a]}}]}", False),
        ("{from: [{source: {namespaces: [a]}}], to: [{operation: {methods: [GET]}}]}", True),
        ("{when: [{key: 'request.headers[a]', values: [b]}]}", False),
    ],
)
def test_a_deny_of_http_alone_is_one_of_all_bytes_too(rule: str, is_told: bool) -> None:
    told = ["VAL-104 spec.rules[0]"] if is_told else []
    rules = yaml.safe_load(f"[{rule}]")

    assert errors("AuthorizationPolicy", {"action": "DENY", "rules": rules}) == told
    assert errors("AuthorizationPolicy", {"action": "ALLOW", "rules": rules}) == []
