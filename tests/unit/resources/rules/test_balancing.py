from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
AT = "spec.trafficPolicy.loadBalancer"


def told(judge: Judge, settings: str) -> list[str]:
    watched = "outlierDetection: {interval: 1s}"
    return judge(
        "DestinationRule", f"{{host: a, trafficPolicy: {{{watched}, loadBalancer: {{{settings}}}}}}}"
    )


@pytest.mark.parametrize(
    "settings",
    [
        "simple: LEAST_REQUEST, warmup: {duration: 60s, minimumPercent: 2, aggression: 5.5}",
        "consistentHash: {httpCookie: {name: c, ttl: 0s, attributes: [{name: SameSite, value: Lax}]}}",
        "consistentHash: {useSourceIp: true, maglev: {tableSize: 65537}}",
        "localityLbSetting: {distribute: [{from: 'r/z/*', to: {'r/z/*': 80, 'r/y/*': 20}}]}",
        "localityLbSetting: {failover: [{from: a, to: b}], failoverPriority: [topology.istio.io/network]}",
        "zoneAwareLbSetting: {minClusterSize: 3}",
    ],
)
def test_good_balancing_is_taken(judge: Judge, settings: str) -> None:
    assert told(judge, settings) == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("simple: RANDOM, consistentHash: {useSourceIp: true}", f"error VAL-002 {AT}.consistentHash"),
        (
            "consistentHash: {useSourceIp: true, httpHeaderName: x}",
            f"error VAL-002 {AT}.consistentHash.useSourceIp",
        ),
        ("consistentHash: {httpHeaderName: ''}", f"error VAL-006 {AT}.consistentHash.httpHeaderName"),
        ("consistentHash: {httpHeaderName: a b}", f"error VAL-006 {AT}.consistentHash.httpHeaderName"),
        (
            "consistentHash: {httpQueryParameterName: ''}",
            f"error VAL-001 {AT}.consistentHash.httpQueryParameterName",
        ),
        ("consistentHash: {httpCookie: {name: a b}}", f"error VAL-006 {AT}.consistentHash.httpCookie.name"),
        (
            "consistentHash: {httpCookie: {name: c, ttl: -1s}}",
            f"error FLD-004 {AT}.consistentHash.httpCookie.ttl",
        ),
        (
            'consistentHash: {httpCookie: {name: c, path: "/\\n"}}',
            f"error VAL-013 {AT}.consistentHash.httpCookie.path",
        ),
        (
            'consistentHash: {httpCookie: {name: c, attributes: [{name: a, value: "\\n"}]}}',
            f"error VAL-006 {AT}.consistentHash.httpCookie.attributes[0].value",
        ),
        (
            "consistentHash: {useSourceIp: true, ringHash: {minimumRingSize: 8388609}}",
            f"error FLD-004 {AT}.consistentHash.ringHash.minimumRingSize",
        ),
        ("consistentHash: {httpCookie: {ttl: 1s}}", f"error VAL-001 {AT}.consistentHash.httpCookie.name"),
        (
            "consistentHash: {httpCookie: {name: c, attributes: [{name: A}, {name: A}]}}",
            f"error VAL-008 {AT}.consistentHash.httpCookie.attributes[1].name",
        ),
        (
            "consistentHash: {useSourceIp: true, maglev: {tableSize: 10}}",
            f"error VAL-003 {AT}.consistentHash.maglev.tableSize",
        ),
        (
            "consistentHash: {useSourceIp: true, minimumRingSize: 10}",
            f"warning VAL-102 {AT}.consistentHash.minimumRingSize",
        ),
        ("warmup: {}", f"error VAL-001 {AT}.warmup.duration"),
        ("warmup: {duration: 1s, minimumPercent: 101}", f"error VAL-003 {AT}.warmup.minimumPercent"),
        ("warmup: {duration: 1s, aggression: 0}", f"error VAL-003 {AT}.warmup.aggression"),
        ("localityLbSetting: {}, zoneAwareLbSetting: {}", f"error VAL-002 {AT}.zoneAwareLbSetting"),
        (
            "localityLbSetting: {distribute: [{from: a, to: {a: 100}}], failover: [{from: a, to: b}]}",
            f"error VAL-002 {AT}.localityLbSetting.failover",
        ),
        (
            "localityLbSetting: {distribute: [{from: a, to: {a: 90, b: 9}}]}",
            f"error VAL-003 {AT}.localityLbSetting.distribute[0].to",
        ),
        (
            "localityLbSetting: {distribute: [{from: 'a/*', to: {a: 100}}, {from: a/b, to: {a: 100}}]}",
            f"error VAL-008 {AT}.localityLbSetting.distribute[1].from",
        ),
        (
            "localityLbSetting: {distribute: [{from: '*/a', to: {a: 100}}]}",
            f"error VAL-007 {AT}.localityLbSetting.distribute[0].from",
        ),
        (
            "localityLbSetting: {failover: [{from: a, to: a}]}",
            f"error VAL-002 {AT}.localityLbSetting.failover[0].to",
        ),
        (
            "localityLbSetting: {failover: [{from: a/b, to: c}]}",
            f"error VAL-007 {AT}.localityLbSetting.failover[0].from",
        ),
        (
            "zoneAwareLbSetting: {failoverPriority: [topology.kubernetes.io/zone]}",
            f"error VAL-002 {AT}.zoneAwareLbSetting.failoverPriority",
        ),
    ],
)
def test_a_mistake_in_balancing_is_told_at_its_field(judge: Judge, settings: str, problem: str) -> None:
    assert told(judge, settings) == [problem]


def test_failover_without_watching_is_warned_of(judge: Judge) -> None:
    spec = "{host: a, trafficPolicy: {loadBalancer: {localityLbSetting: {failoverPriority: [x]}}}}"

    assert judge("DestinationRule", spec) == [f"warning VAL-103 {AT}.localityLbSetting"]
