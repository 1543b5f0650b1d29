"""What stands for a guard that has an error."""

import json

import pytest

from mizzen.errors import Severity
from mizzen.resources.istio.security import AuthorizationPolicy, Closure

POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: it, namespace: own}}
spec: {spec}
"""
BAD_PATH, GOOD_PATH = "/{**}/{*}", "/good"


def only(world) -> AuthorizationPolicy:
    [policy] = world.authorization_policies
    assert not world.closures
    return policy


def refused(*rules: object) -> str:
    return POLICY.format(spec=json.dumps({"action": "DENY", "rules": rules}))


def test_a_refusal_goes_without_the_condition_that_has_the_error(read):
    rule = {"to": [{"operation": {"hosts": ["a"], "paths": [GOOD_PATH, BAD_PATH]}}]}
    world, problems = read(refused(rule, {"to": [{"operation": {"methods": ["PUT"]}}]}))
    first, second = only(world).spec.rules
    assert (first.to[0].operation.hosts, first.to[0].operation.paths) == (("a",), ())
    assert second.to[0].operation.methods == ("PUT",)
    assert [one.code for one in problems if one.severity is not Severity.INFO] == ["VAL-005", "GRD-001"]


@pytest.mark.parametrize(
    "rule",
    [
        {"to": [{"operation": {"path": ["/a"]}}]},
        {"to": [{"operation": {"notPaths": [BAD_PATH]}}]},
        {"to": [{"operation": {"ports": ["9" * 5000]}}]},
        {"from": [{"source": {"ipBlocks": ["1.2.3.0/255.255.255.0"]}}]},
        {"from": {"source": {}}},
        {"from": [{"source": {"namespaces": ["a"]}}, {"sorce": {}}]},
        {"from": [7]},
        {"frm": []},
        {"when": [{"key": "request.headers[]", "values": ["a"]}]},
        {"when": [{"key": "source.ip", "values": ["a"]}, {"key": 7}]},
        {"when": [7]},
        {"when": 7},
        7,
    ],
)
def test_a_refusal_of_nothing_else_refuses_everything(read, rule):
    world, _ = read(refused(rule))
    [made] = only(world).spec.rules
    operations, sources = [one.operation for one in made.to], [one.source for one in made.from_]
    assert not any((one.hosts, one.paths, one.not_paths, one.ports) != ((), (), (), ()) for one in operations)
    assert not any((one.ip_blocks, one.namespaces) != ((), ()) for one in sources)
    assert made.when == ()


def test_an_allowance_that_has_an_error_allows_nothing_and_others_stay(read):
    rules = [
        {"to": [{"operation": {"paths": [BAD_PATH, GOOD_PATH]}}]},
        {"to": [{"operation": {"paths": [GOOD_PATH]}}]},
    ]
    policy = only(read(POLICY.format(spec=json.dumps({"rules": rules})))[0])
    assert [rule.to[0].operation.paths for rule in policy.spec.rules] == [(GOOD_PATH,)]


@pytest.mark.parametrize(("action", "number"), [("ALLOW", 0), ("DENY", 1), ("CUSTOM", 1)])
def test_rules_that_cannot_be_read_at_all(read, action, number):
    policy = only(read(POLICY.format(spec=json.dumps({"action": action, "provider": 7, "rules": 7})))[0])
    assert (policy.spec.action, len(policy.spec.rules)) == (action, number)


@pytest.mark.parametrize(
    ("spec", "selector"),
    [
        ("{action: DENNY, selector: {matchLabels: {app: a}}}", {"app": "a"}),
        ("{action: DENNY}", None),
        ("{selector: {matchLabels: {app: 7}}}", None),
        ("{selector: {matchLabels: {app: 'a*'}}}", None),
        ("{action: DENY, rulez: []}", None),
        ("7", None),
    ],
)
def test_what_is_not_understood_refuses_all_that_it_may_select(read, spec, selector):
    world, problems = read(POLICY.format(spec=spec))
    [closure] = world.closures
    assert isinstance(closure, Closure)
    assert not world.authorization_policies
    assert (closure.spec.selector.match_labels if closure.spec.selector else None) == selector
    assert "GRD-001" in [one.code for one in problems]


@pytest.mark.parametrize(
    "spec", ["{action: AUDIT, rules: 7}", "{action: DENNY, targetRefs: [{kind: Gateway, name: x}]}"]
)
def test_what_guards_nothing_closes_nothing(read, spec):
    world, problems = read(POLICY.format(spec=spec))
    assert not world.closures and not world.authorization_policies
    assert "GRD-001" not in [one.code for one in problems]


def test_tokens_that_are_not_understood_refuse_everything_and_peers_need_certificates(read):
    text = POLICY.replace("AuthorizationPolicy", "RequestAuthentication").format(
        spec="{jwtRules: [{issuer: ''}]}"
    )
    text += "---\n" + POLICY.replace("AuthorizationPolicy", "PeerAuthentication").format(
        spec="{mtls: {mode: X}}"
    )
    world, _ = read(text)
    [closure], [peers] = world.closures, world.peer_authentications
    assert (closure.name, closure.namespace) == ("RequestAuthentication/it", "own")
    assert peers.spec.mtls.mode == "STRICT"


def test_a_good_object_of_the_name_goes_before(read):
    good, bad = POLICY.format(spec="{action: DENY, rules: [{}]}"), POLICY.format(spec="{action: DENNY}")
    for text in (f"{good}---\n{bad}", f"{bad}---\n{good}"):
        world, problems = read(text)
        assert only(world).spec.action == "DENY"
        assert "GRD-001" not in [one.code for one in problems]


def test_a_kind_of_somebody_else_closes_nothing(read):
    world, _ = read(POLICY.replace("security.istio.io/v1", "policy.linkerd.io/v1").format(spec="{action: X}"))
    assert not world.closures


def test_an_unknown_version_closes(read):
    world, _ = read(POLICY.replace("/v1\n", "/v9\n").format(spec="{action: DENY, rules: [{}]}"))
    assert world.closures


@pytest.mark.parametrize("group", ["security.isto.io", "networking.istio.io", "apps", "Security.istio.io"])
def test_a_guard_whose_group_is_misspelt_closes(read, group):
    world, problems = read(refused().replace("security.istio.io", group))
    assert [one.spec.action for one in world.closures] == ["DENY"]
    assert [one.code for one in problems] == ["KIND-003", "GRD-001"]


@pytest.mark.parametrize("tail", ["", "spec: {}\n", "spec: ]\n"])
def test_a_policy_of_another_group_closes_nothing(read, tail):
    world, problems = read(refused().replace("security.istio.io", "policies.example.com") + f"\n{tail}")
    assert not (world.closures or world.unread or world.authorization_policies)
    assert "GRD-001" not in {one.code for one in problems}
