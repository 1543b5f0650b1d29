"""What stands for DestinationRules and Gateways that have an error."""

import pytest

from mizzen.resources.intake import decode_all
from mizzen.resources.istio.destination_rule import DestinationRule
from mizzen.resources.raw_objects import parse_documents
from mizzen.resources.withheld import ClosedRule

RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: it, namespace: own}}
spec: {spec}
"""
GATEWAY = RULE.replace("DestinationRule", "Gateway")
TLS = "trafficPolicy: {tls: {mode: SIMPLE}}"


@pytest.fixture
def read():
    """Text -> the world it makes, and all problems; also of documents that are no YAML."""

    def reading(text: str):
        raws, broken = parse_documents(text, "in.yaml")
        world, problems = decode_all(raws, broken=broken)
        return world, broken + problems

    return reading


@pytest.mark.parametrize(
    ("spec", "hosts"),
    [
        ("{host: a.b, trafficPolicy: {tls: {mode: SIMPL}}}", ("a.b",)),
        ("{host: a.b, trafficPolicy: {tsl: {mode: SIMPLE}}}", ("a.b",)),
        ("{host: a.b, trafficPolicy: {tls: SIMPLE}}", ("a.b",)),
        ("{host: a.b, trafficPolicy: {portLevelSettings: [{port: x, tls: {mode: SIMPLE}}]}}", ("a.b",)),
        ("{host: a.b, subsets: [{nam: v1, trafficPolicy: {tls: {mode: MUTUAL}}}]}", ("a.b",)),
        (f"{{hots: a.b, {TLS}}}", ("a.b",)),
        (f"{{host: [a.b], {TLS}}}", ()),
        (f"{{host: [7], {TLS}}}", ()),
        (f"{{host: 'a b', {TLS}}}", ()),
        (f"{{host: a.b, host: c.d, {TLS}}}", ("a.b", "c.d")),
        (f"{{host: a.b, {TLS}", ("a.b",)),
        (f"{{host: *it, {TLS}}}", ()),
    ],
)
def test_a_rule_that_may_ask_for_tls_closes_its_hosts(read, spec, hosts):
    world, problems = read(RULE.format(spec=spec))
    [closed] = world.every(ClosedRule)
    assert closed.hosts == hosts
    assert not world.every(DestinationRule)
    assert "GRD-002" in [one.code for one in problems]


@pytest.mark.parametrize(
    "spec",
    [
        "{host: a.b, trafficPolicy: {connectionPool: {tcp: {maxConnections: many}}}}",
        "{host: a.b, trafficPolicy: {tls: {mode: DISABLE}, connectionPool: 7}}",
        "{host: a.b, trafficPolicy: {loadBalancer: {simple: NONE}}}",
        "{host: a.b, host: c.d}",
        "{host: a.b, subsets: [",
    ],
)
def test_a_rule_without_a_word_of_tls_loses_its_effect(read, spec):
    world, problems = read(RULE.format(spec=spec))
    assert not world.every(ClosedRule)
    assert "GRD-002" not in [one.code for one in problems]


def test_a_good_rule_of_the_name_holds_whatever_the_order(read):
    good, bad = RULE.format(spec="{host: a.b}"), RULE.format(spec=f"{{host: a.b, nothing: 7, {TLS}}}")
    for text in (f"{good}---\n{bad}", f"{bad}---\n{good}"):
        world, _ = read(text)
        assert (len(world.every(DestinationRule)), world.every(ClosedRule)) == (1, ())


@pytest.mark.parametrize(
    ("more", "export_to", "selector"),
    [
        ("", (), None),
        ("exportTo: ['.']", (".",), None),
        ("exportTo: 7", None, None),
        ("exportTo: ['a b']", None, None),
        ("workloadSelector: {matchLabels: {app: x}}", (), {"app": "x"}),
        ("workloadSelector: 7", (), {}),
    ],
)
def test_who_may_see_a_rule_is_who_may_see_what_stands_for_it(read, more, export_to, selector):
    [closed] = read(RULE.format(spec=f"{{host: a.b, nothing: 7, {TLS}, {more}}}"))[0].every(ClosedRule)
    assert (closed.export_to, closed.selector) == (export_to, selector)


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("{port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.b], tls: {mode: X}}", [(443, ("a.b",))]),
        ("{port: {number: x, name: a, protocol: HTTPS}, hosts: [a.b, 7]}", [(0, ("a.b",))]),
        ("{port: 443, hosts: a.b}", [(0, ("a.b",))]),
        ("{port: {number: 80, name: a, protocol: HTTP}, hosts: [a.b], tls: 7}", []),
        ("{port: {number: 443, name: a, protocol: HTTPS}, hosts: 7}", []),
        ("{port: {number: 443}, hosts: [a.b]", [(0, ("a.b",))]),
    ],
)
def test_a_gateway_keeps_the_hosts_of_its_tls_servers(read, server, found):
    world, _ = read(GATEWAY.format(spec=f"{{selector: {{a: b}}, servers: [{server}]}}"))
    servers = [one for closed in world.closed_gateways for one in closed.spec.servers]
    assert [(one.port.number, tuple(h for h in one.hosts if "istio" not in h)) for one in servers] == found
