"""What can be left out of an object to find the field that is wrong."""

from mizzen.blame.fields import finer, pruned
from mizzen.resources.raw_objects import RawObject, parse_documents

POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: guard, namespace: web}
spec:
  rules:
  - from: [{source: {ipBlocks: [10.0.0.1], notNamespaces: [a]}}]
    to: [{operation: {hosts: [a.test]}}, {operation: {paths: [/x], methods: [GET]}}]
    when: [{key: "request.headers[a]", values: [b]}]
  - {}
"""
ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: web}
spec:
  hosts: [shop.test]
  http: [{name: a}, {name: b}, {name: c}]
"""


def raw(text: str) -> RawObject:
    return parse_documents(text, "a.yaml")[0][0]


def test_the_conditions_of_a_policy_are_told_apart() -> None:
    assert finer(raw(POLICY), ("spec.rules[0]",)) == (
        "spec.rules[0].from[0].source.ipBlocks",
        "spec.rules[0].from[0].source.notNamespaces",
        "spec.rules[0].to[0].operation.hosts",
        "spec.rules[0].to[1].operation.paths",
        "spec.rules[0].to[1].operation.methods",
        "spec.rules[0].when[0]",
    )
    assert finer(raw(POLICY), ("spec.rules[1]",)) == ()
    assert finer(raw(POLICY), ("spec.rules[7]", "spec.selector", "")) == (
        "spec.rules[7]",
        "spec.selector",
        "",
    )


def test_of_other_objects_the_rules_are() -> None:
    assert finer(raw(ROUTE), ("spec.http[0]", "spec.http[2]")) == ("spec.http[0]", "spec.http[2]")
    assert finer(raw(ROUTE), ("spec.http[0]",)) == ()


def test_what_is_left_out_is_all_that_is_missing() -> None:
    left = pruned(raw(ROUTE), ("spec.http[0]", "spec.http[2]", "spec.nothing"))

    assert left.data["spec"] == {"hosts": ["shop.test"], "http": [{"name": "b"}]}
    assert left.data["metadata"] == {"name": "shop", "namespace": "web"}
    assert left.digest != raw(ROUTE).digest
    assert raw(ROUTE).data["spec"]["http"][0] == {"name": "a"}
