from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
AT = "spec.meshConfig"


@pytest.mark.parametrize(
    ("mesh", "problem"),
    [
        ("connectTimeout: 0s", f"error VAL-009 {AT}.connectTimeout"),
        ("connectTimeout: -1s", f"error FLD-004 {AT}.connectTimeout"),
        ("dnsRefreshRate: 1ms", f"error VAL-009 {AT}.dnsRefreshRate"),
        ("tcpKeepalive: {interval: 40000s}", f"error VAL-009 {AT}.tcpKeepalive.interval"),
        (
            "defaultHttpRetryPolicy: {attempts: 1, retryOn: never}",
            f"error VAL-012 {AT}.defaultHttpRetryPolicy.retryOn",
        ),
        (
            "defaultTrafficPolicy: {outlierDetection: {interval: 0s}}",
            f"error VAL-009 {AT}.defaultTrafficPolicy.outlierDetection.interval",
        ),
        (
            "defaultTrafficPolicy: {connectionPool: {}}",
            f"error VAL-001 {AT}.defaultTrafficPolicy.connectionPool",
        ),
        (
            "localityLbSetting: {failover: [{from: a, to: a}]}",
            f"error VAL-002 {AT}.localityLbSetting.failover[0].to",
        ),
        (
            'defaultConfig: {proxyHeaders: {server: {value: "a\\nb"}}}',
            f"error VAL-006 {AT}.defaultConfig.proxyHeaders.server.value",
        ),
        (
            "defaultConfig: {connectionSettings: {http2InitialStreamWindowSize: 1}}",
            f"error FLD-004 {AT}.defaultConfig.connectionSettings.http2InitialStreamWindowSize",
        ),
    ],
)
def test_what_envoy_cannot_take_is_told(judge: Judge, mesh: str, problem: str) -> None:
    assert judge("IstioOperator", f"{{meshConfig: {{{mesh}}}}}") == [problem]


def test_a_good_mesh_is_taken(judge: Judge) -> None:
    assert (
        judge(
            "IstioOperator",
            "{meshConfig: {connectTimeout: 5s, dnsRefreshRate: 2ms, tcpKeepalive: {time: 2h}}}",
        )
        == []
    )
