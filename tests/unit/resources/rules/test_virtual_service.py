from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
HTTP = "http: [{route: [{destination: {host: a}}]}]"
TO = "route: [{destination: {host: a}}]"


@pytest.mark.parametrize(
    "spec",
    [
        f"{{hosts: [a.b], {HTTP}}}",
        f"{{hosts: [a.b, '*.c.d', 1.2.3.4], gateways: [mesh, own/gw, gw], {HTTP}}}",
        f"{{hosts: ['*'], gateways: [gw], {HTTP}}}",
        f"{{{HTTP}}}",
        "{hosts: [a.b], http: [{delegate: {name: d, namespace: n}}]}",
        f"{{hosts: [a.b, 'outbound_.15010_._.istiod.istio-system.svc.cluster.local'], gateways: [gw], tls: "
        f"[{{match: [{{sniHosts: ['outbound_.15010_._.istiod.istio-system.svc.cluster.local']}}], {TO}}}]}}",
        f"{{hosts: ['*.b.c'], tls: [{{match: [{{sniHosts: [a.b.c, '*.b.c'], port: 443}}], {TO}}}]}}",
        f"{{hosts: [a.b], tcp: [{{{TO}}}]}}",
        f"{{hosts: [a.b], tcp: [{{match: [{{port: 9000, destinationSubnets: [10.0.0.0/8]}}], {TO}}}]}}",
    ],
)
def test_a_good_virtual_service_is_taken(judge: Judge, spec: str) -> None:
    assert judge("VirtualService", spec) == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("{hosts: [a.b]}", "error VAL-001 spec"),
        (f"{{gateways: [gw], {HTTP}}}", "error VAL-002 spec.gateways"),
        (f"{{hosts: [a.b], gateways: [ns/*], {HTTP}}}", "error VAL-011 spec.gateways[0]"),
        (f"{{hosts: [a.b], gateways: ['*/gw'], {HTTP}}}", "error VAL-011 spec.gateways[0]"),
        (f"{{hosts: [a.b], gateways: [./gw], {HTTP}}}", "error VAL-011 spec.gateways[0]"),
        (f"{{hosts: [a.b], gateways: [g_w], {HTTP}}}", "error VAL-011 spec.gateways[0]"),
        (f"{{hosts: [a.b], gateways: [gw.ns.svc], {HTTP}}}", "warning VAL-102 spec.gateways[0]"),
        (f"{{hosts: [a_b], {HTTP}}}", "error VAL-004 spec.hosts[0]"),
        (f"{{hosts: ['*'], {HTTP}}}", "error VAL-004 spec.hosts[0]"),
        (f"{{hosts: ['*'], gateways: [mesh, gw], {HTTP}}}", "error VAL-004 spec.hosts[0]"),
        (f"{{hosts: [a.com, a.com], {HTTP}}}", "error VAL-008 spec.hosts[1]"),
        (f"{{hosts: ['*.foo.com', x.foo.com], {HTTP}}}", "error VAL-008 spec.hosts[1]"),
        (f"{{hosts: [a.b], exportTo: ['.', '*'], {HTTP}}}", "error VAL-010 spec.exportTo"),
        (f"{{hosts: [a.b], exportTo: ['~'], {HTTP}}}", "error VAL-010 spec.exportTo[0]"),
        (f"{{hosts: [a.b], tls: [{{{TO}}}]}}", "error VAL-001 spec.tls[0].match"),
        (f"{{hosts: [a.b], tls: [{{match: [{{}}], {TO}}}]}}", "error VAL-001 spec.tls[0].match[0].sniHosts"),
        (
            f"{{hosts: [a.b], tls: [{{match: [{{sniHosts: [c.d]}}], {TO}}}]}}",
            "error VAL-004 spec.tls[0].match[0].sniHosts[0]",
        ),
        (
            f"{{hosts: ['*.b'], tls: [{{match: [{{sniHosts: [a_.b]}}], {TO}}}]}}",
            "error VAL-004 spec.tls[0].match[0].sniHosts[0]",
        ),
        (
            f"{{hosts: [1.2.3.4], tls: [{{match: [{{sniHosts: [1.2.3.4]}}], {TO}}}]}}",
            "warning VAL-104 spec.tls[0].match[0].sniHosts[0]",
        ),
        ("{hosts: [a.b], tls: [{match: [{sniHosts: [a.b]}]}]}", "error VAL-001 spec.tls[0].route"),
        ("{hosts: [a.b], tcp: [{}]}", "error VAL-001 spec.tcp[0].route"),
        (
            f"{{hosts: [a.b], tcp: [{{match: [{{destinationSubnets: [x]}}], {TO}}}]}}",
            "error VAL-013 spec.tcp[0].match[0].destinationSubnets[0]",
        ),
        (
            "{hosts: [a.b], tcp: [{route: [{destination: {host: a}, weight: -1}]}]}",
            "error VAL-003 spec.tcp[0].route[0].weight",
        ),
    ],
)
def test_a_mistake_in_a_virtual_service_is_told_at_its_field(judge: Judge, spec: str, problem: str) -> None:
    assert judge("VirtualService", spec) == [problem]
