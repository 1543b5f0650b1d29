from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
AT = "spec.http[0]"
TO = "route: [{destination: {host: a}}]"


def told(judge: Judge, rule: str, gateways: str = "[gw]") -> list[str]:
    return judge("VirtualService", f"{{hosts: [a.b], gateways: {gateways}, http: [{{{rule}}}]}}")


@pytest.mark.parametrize(
    "rule",
    [
        TO,
        "route: [{destination: {host: a}, weight: 30}, {destination: {host: b, subset: v1, port: {number: 80}}, weight: 5}]",
        f"match: [{{uri: {{regex: '/a.*'}}, method: {{exact: GET}}}}, {{uri: {{prefix: ''}}}}, {{}}], {TO}",
        f"match: [{{headers: {{x-a: {{}}, ':authority': {{prefix: a}}}}, withoutHeaders: {{x-b: {{regex: '*'}}, x-c: null}}}}], {TO}",
        f"match: [{{headers: {{'@request.auth.claims.sub': {{exact: me}}}}}}], {TO}",
        f"match: [{{queryParams: {{q: null, r: {{exact: ''}}}}}}], {TO}",
        f"headers: {{request: {{set: {{host: x.y, x-a: '%HOSTNAME%'}}, remove: [x-b]}}, response: {{add: {{x-c: '100%%'}}}}}}, {TO}",
        f"timeout: 5s, {TO}",
    ],
)
def test_a_good_rule_is_taken(judge: Judge, rule: str) -> None:
    assert told(judge, rule) == []


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("name: x", f"error VAL-001 {AT}"),
        (f"redirect: {{uri: /x}}, {TO}", f"error VAL-002 {AT}.route"),
        ("redirect: {uri: /x}, directResponse: {status: 200}", f"error VAL-002 {AT}.directResponse"),
        ("redirect: {uri: /x}, rewrite: {uri: /y}", f"error VAL-002 {AT}.rewrite"),
        ("directResponse: {status: 200}, fault: {delay: {fixedDelay: 1s}}", f"error VAL-002 {AT}.fault"),
        (f"delegate: {{name: d}}, {TO}", f"error VAL-002 {AT}.route"),
        ("delegate: {name: d}, redirect: {uri: /x}", f"error VAL-002 {AT}.redirect"),
        ("route: [{destination: {host: a}, weight: -1}]", f"error VAL-003 {AT}.route[0].weight"),
        (
            "route: [{destination: {host: a}, weight: 0}, {destination: {host: b}, weight: 0}]",
            f"error VAL-003 {AT}.route",
        ),
        ("route: [{destination: {host: '*'}}]", f"error VAL-004 {AT}.route[0].destination.host"),
        ("route: [{destination: {host: a_b}}]", f"error VAL-004 {AT}.route[0].destination.host"),
        ("route: [{weight: 1}]", f"error FLD-003 {AT}.route[0].destination"),
        ("route: [{destination: {host: a, subset: v.1}}]", f"error VAL-007 {AT}.route[0].destination.subset"),
        (
            "route: [{destination: {host: a, port: {number: 0}}}]",
            f"error VAL-003 {AT}.route[0].destination.port.number",
        ),
        (f"timeout: 0s, {TO}", f"error VAL-009 {AT}.timeout"),
        (f"timeout: 10, {TO}", f"error FLD-002 {AT}.timeout"),
        (f"match: [{{uri: {{regex: '['}}}}], {TO}", f"error VAL-005 {AT}.match[0].uri.regex"),
        (f"match: [{{uri: {{exact: a, prefix: b}}}}], {TO}", f"error VAL-002 {AT}.match[0].uri.prefix"),
        (f"match: [{{method: {{prefix: ''}}}}], {TO}", f"error VAL-001 {AT}.match[0].method.prefix"),
        (f"match: [{{scheme: {{regex: ''}}}}], {TO}", f"error VAL-005 {AT}.match[0].scheme.regex"),
        (f"match: [{{headers: {{x-a: null}}}}], {TO}", f"error VAL-001 {AT}.match[0].headers.x-a"),
        (
            f"match: [{{headers: {{x-a: {{regex: '*'}}}}}}], {TO}",
            f"error VAL-005 {AT}.match[0].headers.x-a.regex",
        ),
        (
            f"match: [{{withoutHeaders: {{x-a: {{regex: '?'}}}}}}], {TO}",
            f"error VAL-005 {AT}.match[0].withoutHeaders.x-a.regex",
        ),
        (f"match: [{{headers: {{'a b': {{}}}}}}], {TO}", f"error VAL-006 {AT}.match[0].headers[a b]"),
        (f"match: [{{headers: {{'': {{}}}}}}], {TO}", f"error VAL-006 {AT}.match[0].headers[]"),
        (
            f"match: [{{queryParams: {{a: {{prefix: ''}}}}}}], {TO}",
            f"error VAL-001 {AT}.match[0].queryParams.a.prefix",
        ),
        (f"match: [{{port: 70000}}], {TO}", f"error VAL-003 {AT}.match[0].port"),
        (f"match: [{{sourceLabels: {{a: 'b c'}}}}], {TO}", f"error VAL-007 {AT}.match[0].sourceLabels.a"),
        (f"match: [{{sourceNamespace: a.b}}], {TO}", f"error VAL-007 {AT}.match[0].sourceNamespace"),
        (f"match: [{{gateways: [a/]}}], {TO}", f"error VAL-011 {AT}.match[0].gateways[0]"),
        (f"match: [null], {TO}", f"error FLD-002 {AT}.match[0]"),
        (
            f"headers: {{request: {{set: {{':path': x}}}}}}, {TO}",
            f"error VAL-006 {AT}.headers.request.set[:path]",
        ),
        (
            f"headers: {{response: {{add: {{host: x}}}}}}, {TO}",
            f"error VAL-006 {AT}.headers.response.add.host",
        ),
        (f"headers: {{request: {{remove: [host]}}}}, {TO}", f"error VAL-006 {AT}.headers.request.remove[0]"),
        (f"headers: {{request: {{add: {{'': x}}}}}}, {TO}", f"error VAL-006 {AT}.headers.request.add[]"),
        (f"headers: {{request: {{add: {{a: '%b'}}}}}}, {TO}", f"error VAL-006 {AT}.headers.request.add.a"),
        (
            f"rewrite: {{authority: x}}, headers: {{request: {{set: {{host: y}}}}}}, {TO}",
            f"error VAL-002 {AT}.headers.request.set.host",
        ),
        (
            "route: [{destination: {host: a}, headers: {response: {set: {'a b': c}}}}]",
            f"error VAL-006 {AT}.route[0].headers.response.set[a b]",
        ),
        (f"mirror: {{host: '*'}}, {TO}", f"error VAL-004 {AT}.mirror.host"),
    ],
)
def test_a_mistake_in_a_rule_is_told_at_its_field(judge: Judge, rule: str, problem: str) -> None:
    assert told(judge, rule) == [problem]


@pytest.mark.parametrize("gateways", ["[]", "[mesh]", "[mesh, gw]"])
def test_claims_are_for_gateways_only(judge: Judge, gateways: str) -> None:
    rule = f"match: [{{headers: {{'@request.auth.claims.sub': {{exact: me}}}}}}], {TO}"

    assert told(judge, rule, gateways) == [f"error VAL-002 {AT}.match[0].headers[@request.auth.claims.sub]"]


def test_a_delegate_cannot_delegate(judge: Judge) -> None:
    found = judge("VirtualService", "{http: [{delegate: {name: x}}]}")

    assert found == [f"error VAL-002 {AT}.delegate"]
