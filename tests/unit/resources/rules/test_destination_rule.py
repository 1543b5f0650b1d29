from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
AT = "spec.trafficPolicy"


def policy(text: str) -> str:
    return f"{{host: a, trafficPolicy: {{{text}}}}}"


@pytest.mark.parametrize(
    "spec",
    [
        "{host: a}",
        "{host: '*.example.com', subsets: [{name: v1, labels: {version: v1}}, {name: v2}], exportTo: ['.', ns1]}",
        policy("tls: {mode: SIMPLE}"),
        policy("tls: {mode: MUTUAL, credentialName: c}"),
        policy("tls: {mode: SIMPLE, insecureSkipVerify: true}"),
        policy(
            "connectionPool: {tcp: {idleTimeout: 0s, maxConnections: 1}, http: {http2KeepAlive: {interval: 1s, timeout: 1s}}}"
        ),
        policy(
            "outlierDetection: {consecutive5xxErrors: 3, interval: 1s, outlierDetectionHttpErrorCodes: [429]}"
        ),
        policy("portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]"),
        policy("tunnel: {protocol: CONNECT, targetHost: a.b, targetPort: 443}"),
        policy("proxyProtocol: {version: V2}"),
        policy("retryBudget: {}"),
    ],
)
def test_a_good_rule_is_taken(judge: Judge, spec: str) -> None:
    assert judge("DestinationRule", spec) == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("{}", "error FLD-003 spec.host"),
        ("{host: a_b}", "error VAL-004 spec.host"),
        ("{host: a, subsets: [{labels: {a: b}}]}", "error FLD-003 spec.subsets[0].name"),
        ("{host: a, subsets: [{name: v.1}]}", "error VAL-007 spec.subsets[0].name"),
        ("{host: a, subsets: [{name: v}, {name: v}]}", "error VAL-008 spec.subsets[1].name"),
        ("{host: a, subsets: [{name: v, labels: {a: 'b c'}}]}", "error VAL-007 spec.subsets[0].labels.a"),
        ("{host: a, subsets: [{name: v, trafficPolicy: {}}]}", "error VAL-001 spec.subsets[0].trafficPolicy"),
        ("{host: a, workloadSelector: {matchLabels: {}}}", "warning VAL-104 spec.workloadSelector"),
        (
            "{host: a, workloadSelector: {matchLabels: {a: '*'}}}",
            "error VAL-007 spec.workloadSelector.matchLabels.a",
        ),
        (
            "{host: a, workloadSelector: {matchLabels: {a: b}}, exportTo: [ns1]}",
            "error VAL-010 spec.exportTo[0]",
        ),
        (policy(""), f"error VAL-001 {AT}"),
        (
            policy("tunnel: {targetHost: a.b, targetPort: 1}, proxyProtocol: {}"),
            f"error VAL-002 {AT}.tunnel",
        ),
        (
            policy("tunnel: {protocol: GET, targetHost: a.b, targetPort: 1}"),
            f"error VAL-012 {AT}.tunnel.protocol",
        ),
        (policy("tunnel: {targetHost: '*.b', targetPort: 1}"), f"error VAL-004 {AT}.tunnel.targetHost"),
        (policy("tunnel: {targetHost: a.b}"), f"error VAL-003 {AT}.tunnel.targetPort"),
        (policy("proxyProtocol: {version: V3}"), f"error FLD-002 {AT}.proxyProtocol.version"),
        (policy("outlierDetection: {interval: 0s}"), f"error VAL-009 {AT}.outlierDetection.interval"),
        (
            policy("outlierDetection: {maxEjectionPercent: 101}"),
            f"error FLD-004 {AT}.outlierDetection.maxEjectionPercent",
        ),
        (
            policy("outlierDetection: {consecutiveLocalOriginFailures: 1}"),
            f"error VAL-002 {AT}.outlierDetection.consecutiveLocalOriginFailures",
        ),
        (
            policy("outlierDetection: {consecutiveErrors: 1}"),
            f"warning VAL-102 {AT}.outlierDetection.consecutiveErrors",
        ),
        (policy("connectionPool: {}"), f"error VAL-001 {AT}.connectionPool"),
        (
            policy("connectionPool: {http: {maxRetries: -1}}"),
            f"error VAL-003 {AT}.connectionPool.http.maxRetries",
        ),
        (
            policy("connectionPool: {http: {http2KeepAlive: {interval: 1s}}}"),
            f"error VAL-001 {AT}.connectionPool.http.http2KeepAlive.timeout",
        ),
        (
            policy("connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}"),
            f"error VAL-002 {AT}.connectionPool.http.useClientProtocol",
        ),
        (
            policy("connectionPool: {tcp: {tcpKeepalive: {time: 1us}}}"),
            f"error VAL-009 {AT}.connectionPool.tcp.tcpKeepalive.time",
        ),
        (
            policy("portLevelSettings: [{tls: {mode: SIMPLE}}]"),
            f"error VAL-001 {AT}.portLevelSettings[0].port",
        ),
        (policy("portLevelSettings: [{port: {number: 80}}]"), f"error VAL-001 {AT}.portLevelSettings[0]"),
        (
            policy("tls: {mode: SIMPLE, insecureSkipVerify: true, caCertificates: /a}"),
            f"error VAL-002 {AT}.tls.caCertificates",
        ),
        (
            policy("tls: {mode: SIMPLE, credentialName: c, caCertificates: /a}"),
            f"error VAL-002 {AT}.tls.caCertificates",
        ),
        (policy("tls: {mode: MUTUAL, clientCertificate: /a}"), f"error VAL-001 {AT}.tls.privateKey"),
        (
            policy("tls: {mode: SIMPLE, credentialName: 'configmap://other/x'}"),
            f"error VAL-011 {AT}.tls.credentialName",
        ),
        (
            policy("tls: {mode: SIMPLE, credentialName: 'configmap:///x'}"),
            f"error VAL-011 {AT}.tls.credentialName",
        ),
    ],
)
def test_a_mistake_in_a_rule_is_told_at_its_field(judge: Judge, spec: str, problem: str) -> None:
    found = [one for one in judge("DestinationRule", spec) if "GRD-002" not in one]  # what follows from it
    assert found == [problem]
