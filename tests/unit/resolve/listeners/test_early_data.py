"""Where early data is taken, and what is told where it is chosen and cannot be."""

import pytest

from mizzen.errors import Severity
from mizzen.model.tls import ClientAuth, ServerTls, TlsPolicy
from mizzen.resolve.gateways.servers import merged_servers
from mizzen.resolve.listeners.early_data import takes_early_data

GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test], tls: {mode: SIMPLE, credentialName: c}}
"""
TO_GATEWAY = "targetRefs: [{name: web}]"


def tls(auth=ClientAuth.NONE):
    return ServerTls(certificates=("c",), client_auth=auth, verification=None, alpn=(), policy=TlsPolicy())


def policy(name, spec, namespace="istio-system"):
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{{spec}}}
"""


def authorization(spec, namespace="istio-system"):
    return f"""
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: judge, namespace: {namespace}}}
spec: {spec}
"""


@pytest.fixture
def judged(gateway):
    """Objects -> whether early data is taken, and what is told of it."""

    def make(*texts, ends=None):
        found = gateway(GATEWAY + "".join(texts))
        [server] = merged_servers(found.ctx)
        taken = takes_early_data(found.ctx, server, ends or tls())
        return taken, [one for one in found.problems if one.code == "H3-011"]

    return make


@pytest.mark.parametrize(
    ("texts", "taken"),
    [
        ([], False),
        ([policy("mesh", "earlyData: true")], True),
        ([policy("one", f"earlyData: true, {TO_GATEWAY}")], True),
        ([policy("mesh", "earlyData: true"), policy("one", f"earlyData: false, {TO_GATEWAY}")], False),
        ([policy("mesh", 'mode: "on"')], False),
    ],
)
def test_it_is_off_unless_it_is_chosen(judged, texts, taken):
    assert judged(*texts) == (taken, [])


ON = policy("early", f"earlyData: true, {TO_GATEWAY}")


@pytest.mark.parametrize(
    "spec",
    [
        "{rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}",
        "{rules: [{from: [{source: {notIpBlocks: [10.0.0.0/8]}}]}]}",
        "{action: DENY, rules: [{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}]}",
        "{rules: [{from: [{source: {notRemoteIpBlocks: [10.0.0.0/8]}}]}]}",
        "{rules: [{to: [{operation: {paths: [/x]}}], when: [{key: source.ip, values: [10.0.0.1]}]}]}",
        "{rules: [{when: [{key: remote.ip, notValues: [10.0.0.1]}]}]}",
        "{action: CUSTOM, provider: {name: x}, rules: [{}]}",
    ],
)
def test_where_an_address_may_be_judged_it_stays_off_and_that_is_told(judged, spec):
    taken, [problem] = judged(ON, authorization(spec))

    assert not taken
    assert (problem.resource.name, problem.field, problem.severity) == (
        "early",
        "spec.earlyData",
        Severity.WARNING,
    )
    assert "AuthorizationPolicy/istio-system/judge" in problem.message


@pytest.mark.parametrize(
    ("spec", "namespace"),
    [
        ("{rules: [{to: [{operation: {paths: [/x]}}]}]}", "istio-system"),
        ("{rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}", "elsewhere"),
        (
            "{selector: {matchLabels: {app: other}}, rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}",
            "istio-system",
        ),
    ],
)
def test_policies_of_others_and_of_other_things_are_no_obstacle(judged, spec, namespace):
    assert judged(ON, authorization(spec, namespace)) == (True, [])


@pytest.mark.parametrize("auth", [ClientAuth.OPTIONAL, ClientAuth.REQUIRED])
@pytest.mark.parametrize(
    ("text", "severity"), [(ON, Severity.WARNING), (policy("mesh", "earlyData: true"), Severity.INFO)]
)
def test_where_clients_show_certificates_it_stays_off(judged, auth, text, severity):
    taken, [problem] = judged(text, ends=tls(auth))

    assert not taken
    assert "Gateway/istio-system/web (spec.servers[0])" in problem.message
    assert problem.severity is severity
