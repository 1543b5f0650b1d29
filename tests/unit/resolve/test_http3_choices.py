"""What is chosen of a server and of its hosts, and by whom."""

import itertools

import pytest

from mizzen.resolve.http3_choices import Choice, choice_of_server, choices

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: shop ANNOTATION}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [HOSTS], tls: {mode: SIMPLE, credentialName: c}}
"""
TO = "targetRefs: [{name: web}]"


def policy(name, spec, namespace="shop"):
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{{spec}}}
"""


@pytest.fixture
def chosen(gateway):
    """Policies -> what is chosen of the server."""

    def make(*policies, annotation="", hosts="a.test, '*.b.test'", mesh="true", of=choices):
        said = f', annotations: {{mizzen.dev/http3: "{annotation}"}}' if annotation else ""
        text = GATEWAY.replace(" ANNOTATION", said).replace("HOSTS", hosts) + "".join(policies)
        ctx = gateway(text, environment={"PILOT_ENABLE_QUIC_LISTENERS": mesh}).ctx
        [web] = ctx.world.gateways
        return of(ctx, web, web.spec.servers[0])

    return make


@pytest.mark.parametrize(("mesh", "mode"), [("true", "on"), ("false", "off")])
def test_without_a_choice_it_is_as_in_the_mesh(chosen, mesh, mode):
    assert chosen(mesh=mesh).server == Choice(mode=mode)


# From what counts least to what counts most.
LEVELS = (
    ("mesh", policy("a-mesh", 'mode: "MODE"', "istio-system")),
    (
        "selector",
        policy(
            "b-selector", 'mode: "MODE", selector: {matchLabels: {istio: ingressgateway}}', "istio-system"
        ),
    ),
    ("annotation", ""),
    ("gateway", policy("c-gateway", f'mode: "MODE", {TO}')),
    ("server", policy("d-server", 'mode: "MODE", targetRefs: [{name: web, sectionName: https}]')),
)


@pytest.mark.parametrize("levels", [some for n in (1, 2, 3) for some in itertools.combinations(LEVELS, n)])
def test_the_most_specific_counts(chosen, levels):
    *others, (last, text) = levels
    policies = [text.replace("MODE", "off") for name, text in others] + [text.replace("MODE", "on")]
    said = "on" if last == "annotation" else "off" if any(name == "annotation" for name, _ in others) else ""

    found = chosen(*reversed(policies), annotation=said, mesh="false", of=choice_of_server)

    assert found.mode == "on"
    assert (last if last == "annotation" else f"-{last}") in found.by


def test_an_annotation_that_says_something_else_counts_as_if_it_were_not_there(chosen):
    assert chosen(annotation="yes").server == Choice(mode="on")
    assert chosen(annotation="only").server.mode == "only"


def test_single_hosts_are_off_as_the_server_names_them_or_below_its_wildcards(chosen):
    off = policy("some", f'mode: "off", hosts: [A.test, x.b.test, else.test, "*.c.b.test"], {TO}')
    found = chosen(off)

    assert found.server == Choice(mode="on")
    assert found.off == (("a.test", "HTTP3Policy/shop/some"), ("x.b.test", "HTTP3Policy/shop/some"))


def test_a_wildcard_of_the_server_that_is_off_leaves_a_host_below_it_that_is_on(chosen):
    found = chosen(
        policy("wide", f'mode: "off", hosts: ["*.b.test"], {TO}'),
        policy("one", f'mode: "on", hosts: [x.b.test], {TO}'),
    )
    assert found.hosts_off == ("*.b.test",)


def test_a_server_whose_hosts_are_all_off_is_off(chosen):
    found = chosen(policy("all", f'mode: "off", hosts: [a.test, "*.b.test"], {TO}'))
    assert (found.server, found.off) == (Choice(mode="off", by="HTTP3Policy/shop/all"), ())


def test_a_server_that_is_off_has_a_mirror_for_the_host_that_is_on(chosen):
    found = chosen(policy("one", f'mode: "on", hosts: [a.test], {TO}'), annotation="off")
    assert found.server == Choice(mode="on", by="HTTP3Policy/shop/one")
    assert found.hosts_off == ("*.b.test",)
