"""Which HTTP3Policies are for what, and which of them counts."""

import itertools

import pytest

from mizzen.resolve.context import observed
from mizzen.resolve.http3_policies import Rank, check_policies, chosen, of_hosts, of_server, of_workload

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {name: main, port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.example.com, "*.example.org"],
     tls: {mode: SIMPLE, credentialName: c}}
  - {port: {number: 8443, name: https-more, protocol: HTTPS}, hosts: ["./b.example.com"],
     tls: {mode: SIMPLE, credentialName: c}}
"""


def policy(name, spec, namespace="shop"):
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""


def to(section="", hosts=(), mode="on"):
    ref = "{name: web" + (f", sectionName: {section}" if section else "") + "}"
    return f'{{targetRefs: [{ref}], hosts: [{", ".join(hosts)}], mode: "{mode}"}}'


def selecting(mode, labels="{istio: ingressgateway}"):
    return f'{{selector: {{matchLabels: {labels}}}, mode: "{mode}"}}'


def told(ctx, code):
    """What checking policies finds of this code."""
    ctx = observed(ctx)
    ctx.steps.root(check_policies, ctx)
    return [one for one in ctx.steps.problems() if one.code == code]


RANKS = [
    (Rank.MESH, policy("mesh", '{mode: "off"}', "istio-system")),
    (Rank.SELECTOR, policy("some", selecting("on"), "istio-system")),
    (Rank.GATEWAY, policy("gateway", to())),
    (Rank.SERVER, policy("server", to("main", mode="off"))),
    (Rank.HOST, policy("host", to(hosts=["a.example.com"]))),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(RANKS))))[::17])
def test_the_most_specific_comes_first(gateway, order):
    text = GATEWAY + "".join(RANKS[one][1] for one in order)
    ctx = gateway(text).ctx
    [web] = ctx.world.gateways

    server = web.spec.servers[0]
    found = (*of_hosts(ctx, web, server)["a.example.com"], *of_server(ctx, web, server))

    assert [one.rank for one in found] == [Rank.HOST, Rank.SERVER, Rank.GATEWAY, Rank.SELECTOR, Rank.MESH]
    assert chosen(found, lambda spec: spec.mode).policy.name == "host"
    others = of_server(ctx, web, web.spec.servers[1])
    assert [one.policy.name for one in others] == ["gateway", "some", "mesh"]
    assert chosen(others, lambda spec: spec.mode).value == "on"
    assert chosen((), lambda spec: spec.mode) is None


def test_a_namespace_has_policies_of_its_own_and_labels_must_fit(gateway):
    text = (
        GATEWAY
        + policy("else", '{mode: "on"}', "shop")
        + policy("labels", selecting("on", "{istio: other}"), "istio-system")
    )

    assert of_workload(gateway(text).ctx) == ()  # the gateway's Pods are in istio-system


def test_servers_are_named_by_their_names_and_by_their_ports(gateway):
    ctx = gateway(GATEWAY + policy("a", to("https-more")) + policy("b", to("https"))).ctx
    [web] = ctx.world.gateways

    assert [one.policy.name for one in of_server(ctx, web, web.spec.servers[1])] == ["a"]
    assert [one.policy.name for one in of_server(ctx, web, web.spec.servers[0])] == ["b"]


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (policy("one", '{targetRefs: [{name: other}], mode: "on"}'), "spec.targetRefs[0].name", "no Gateway"),
        (policy("one", to("other")), "spec.targetRefs[0].sectionName", "no server other"),
        (policy("one", to(hosts=["c.example.com"])), "spec.hosts[0]", "has the host"),
        (policy("one", to("main", hosts=["b.example.com"])), "spec.hosts[0]", "has the host"),
    ],
)
def test_what_leads_nowhere_is_told(gateway, text, field, message):
    problems = told(gateway(GATEWAY + text).ctx, "H3P-002")

    assert [one.field for one in problems] == [field]
    assert message in problems[0].message


def test_two_that_choose_the_same_are_told(gateway):
    same = GATEWAY + policy("a", to(mode="on")) + policy("b", to(mode="off"))

    assert [(one.resource.name, one.field) for one in told(gateway(same).ctx, "H3P-001")] == [
        ("b", "spec.mode")
    ]
    other = GATEWAY + policy("a", to()) + policy("b", to("main", mode="off"))
    assert not told(gateway(other).ctx, "H3P-001")
