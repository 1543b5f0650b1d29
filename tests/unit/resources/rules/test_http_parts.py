from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
AT = "spec.http[0]"
TO = "route: [{destination: {host: a}}]"


def told(judge: Judge, rule: str) -> list[str]:
    return judge("VirtualService", f"{{hosts: [a.b], http: [{{{rule}}}]}}")


@pytest.mark.parametrize(
    "rule",
    [
        f"fault: {{delay: {{fixedDelay: 3s, percentage: {{value: 50}}}}, abort: {{httpStatus: 503}}}}, {TO}",
        f"fault: {{abort: {{grpcStatus: DEADLINE_EXCEEDED, percentage: {{value: 0}}}}}}, {TO}",
        f"mirror: {{host: b}}, mirrorPercentage: {{value: 100}}, {TO}",
        f"mirrors: [{{destination: {{host: b}}, percentage: {{value: 0.5}}}}], {TO}",
        "redirect: {authority: x.y, redirectCode: 308}",
        "redirect: {derivePort: FROM_REQUEST_PORT}",
        "match: [{uri: {prefix: /a}}], redirect: {prefixRewrite: /b}",
        "directResponse: {status: 503, body: {string: closed}}",
        "directResponse: {status: 200, body: {bytes: aGk=}}",
        f"retries: {{attempts: 3, perTryTimeout: 2s, retryOn: '5xx,503,reset'}}, {TO}",
        f"retries: {{attempts: 0}}, {TO}",
        f"rewrite: {{uriRegexRewrite: {{match: '^/a(.*)$', rewrite: '\\1'}}}}, {TO}",
        f"corsPolicy: {{allowOrigins: [{{exact: 'http://a'}}], allowMethods: [GET, '*'], maxAge: 24h}}, {TO}",
    ],
)
def test_a_good_part_is_taken(judge: Judge, rule: str) -> None:
    assert told(judge, rule) == []


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (f"fault: {{}}, {TO}", f"error VAL-001 {AT}.fault"),
        (f"fault: {{abort: {{}}}}, {TO}", f"warning VAL-103 {AT}.fault.abort"),
        (f"fault: {{abort: {{httpStatus: 99}}}}, {TO}", f"error VAL-003 {AT}.fault.abort.httpStatus"),
        (f"fault: {{abort: {{grpcStatus: NOPE}}}}, {TO}", f"error VAL-012 {AT}.fault.abort.grpcStatus"),
        (f"fault: {{abort: {{http2Error: X}}}}, {TO}", f"error VAL-002 {AT}.fault.abort.http2Error"),
        (
            f"fault: {{abort: {{httpStatus: 500, grpcStatus: OK}}}}, {TO}",
            f"error VAL-002 {AT}.fault.abort.grpcStatus",
        ),
        (
            f"fault: {{abort: {{httpStatus: 500, percentage: {{value: 0.00001}}}}}}, {TO}",
            f"error VAL-003 {AT}.fault.abort.percentage",
        ),
        (
            f"fault: {{delay: {{exponentialDelay: 1s}}}}, {TO}",
            f"error VAL-002 {AT}.fault.delay.exponentialDelay",
        ),
        (f"fault: {{delay: {{fixedDelay: 1us}}}}, {TO}", f"error VAL-009 {AT}.fault.delay.fixedDelay"),
        (
            f"fault: {{delay: {{fixedDelay: 1s, percent: 101}}}}, {TO}",
            f"error VAL-003 {AT}.fault.delay.percent",
        ),
        (
            f"mirror: {{host: b}}, mirrors: [{{destination: {{host: b}}}}], {TO}",
            f"error VAL-002 {AT}.mirrors",
        ),
        (f"mirror: {{host: b}}, mirrorPercent: 50, {TO}", f"warning VAL-102 {AT}.mirrorPercent"),
        (f"mirror: {{host: b}}, mirror_percent: 50, {TO}", f"warning VAL-102 {AT}.mirrorPercent"),
        (
            f"mirror: {{host: b}}, mirrorPercentage: {{value: 101}}, {TO}",
            f"error VAL-003 {AT}.mirrorPercentage",
        ),
        (
            f"mirrors: [{{destination: {{host: b}}, percentage: {{value: -1}}}}], {TO}",
            f"error VAL-003 {AT}.mirrors[0].percentage",
        ),
        ("redirect: {}", f"error VAL-001 {AT}.redirect"),
        ("redirect: {uri: /a, prefixRewrite: /b}", f"error VAL-002 {AT}.redirect.prefixRewrite"),
        (
            "match: [{uri: {exact: /a}}], redirect: {prefixRewrite: /b}",
            f"error VAL-002 {AT}.redirect.prefixRewrite",
        ),
        ("redirect: {uri: /a, redirectCode: 200}", f"error VAL-003 {AT}.redirect.redirectCode"),
        ("redirect: {scheme: ftp}", f"error VAL-012 {AT}.redirect.scheme"),
        ("redirect: {port: 70000}", f"error VAL-003 {AT}.redirect.port"),
        ("redirect: {port: 80, derivePort: FROM_REQUEST_PORT}", f"error VAL-002 {AT}.redirect.derivePort"),
        ('redirect: {uri: "/a\\nb"}', f"error VAL-013 {AT}.redirect.uri"),
        ("redirect: {authority: a b}", f"error VAL-004 {AT}.redirect.authority"),
        (
            'match: [{uri: {prefix: /}}], redirect: {prefixRewrite: "\\0"}',
            f"error VAL-013 {AT}.redirect.prefixRewrite",
        ),
        (f'rewrite: {{uri: "/a\\nb"}}, {TO}', f"error VAL-013 {AT}.rewrite.uri"),
        (f'rewrite: {{authority: "a\\tb"}}, {TO}', f"error VAL-004 {AT}.rewrite.authority"),
        (
            f'rewrite: {{uriRegexRewrite: {{match: a, rewrite: "\\r"}}}}, {TO}',
            f"error VAL-013 {AT}.rewrite.uriRegexRewrite.rewrite",
        ),
        ("directResponse: {status: 600}", f"error VAL-003 {AT}.directResponse.status"),
        (f"fault: {{abort: {{httpStatus: 600}}}}, {TO}", f"error VAL-003 {AT}.fault.abort.httpStatus"),
        (
            f"retries: {{attempts: 1, perTryTimeout: 2562047h47m16s}}, {TO}",
            f"error FLD-004 {AT}.retries.perTryTimeout",
        ),
        ("directResponse: {status: 99}", f"error VAL-003 {AT}.directResponse.status"),
        ("directResponse: {body: {string: x}}", f"error FLD-003 {AT}.directResponse.status"),
        (
            "directResponse: {status: 200, body: {string: a, bytes: aGk=}}",
            f"error VAL-002 {AT}.directResponse.body.bytes",
        ),
        (
            f"directResponse: {{status: 200, body: {{string: {'x' * 110_000}}}}}",
            f"warning VAL-104 {AT}.directResponse.body",
        ),
        (
            f"directResponse: {{status: 200, body: {{string: {'x' * 1_100_000}}}}}",
            f"error VAL-003 {AT}.directResponse.body",
        ),
        (f"retries: {{attempts: -1}}, {TO}", f"error VAL-003 {AT}.retries.attempts"),
        (f"retries: {{attempts: 0, retryOn: 5xx}}, {TO}", f"error VAL-002 {AT}.retries.retryOn"),
        (f"retries: {{attempts: 1, retryOn: '5xx, reset'}}, {TO}", f"error VAL-012 {AT}.retries.retryOn"),
        (f"retries: {{attempts: 1, retryOn: '1000'}}, {TO}", f"error VAL-012 {AT}.retries.retryOn"),
        (f"retries: {{attempts: 1, perTryTimeout: 0s}}, {TO}", f"error VAL-009 {AT}.retries.perTryTimeout"),
        (f"rewrite: {{}}, {TO}", f"error VAL-001 {AT}.rewrite"),
        (
            f"rewrite: {{uri: /a, uriRegexRewrite: {{match: a, rewrite: b}}}}, {TO}",
            f"error VAL-002 {AT}.rewrite.uriRegexRewrite",
        ),
        (f"rewrite: {{uriRegexRewrite: {{match: a}}}}, {TO}", f"error VAL-001 {AT}.rewrite.uriRegexRewrite"),
        (
            f"rewrite: {{uriRegexRewrite: {{match: '(', rewrite: b}}}}, {TO}",
            f"error VAL-005 {AT}.rewrite.uriRegexRewrite.match",
        ),
        (f"corsPolicy: {{allowOrigins: [{{}}]}}, {TO}", f"error VAL-001 {AT}.corsPolicy.allowOrigins[0]"),
        (
            f"corsPolicy: {{allowOrigins: [{{regex: '('}}]}}, {TO}",
            f"error VAL-005 {AT}.corsPolicy.allowOrigins[0].regex",
        ),
        (f"corsPolicy: {{allowMethods: [get]}}, {TO}", f"error VAL-012 {AT}.corsPolicy.allowMethods[0]"),
        (f"corsPolicy: {{exposeHeaders: ['a b']}}, {TO}", f"error VAL-006 {AT}.corsPolicy.exposeHeaders[0]"),
        (f"corsPolicy: {{maxAge: 1500ms}}, {TO}", f"error VAL-009 {AT}.corsPolicy.maxAge"),
    ],
)
def test_a_mistake_in_a_part_is_told_at_its_field(judge: Judge, rule: str, problem: str) -> None:
    assert told(judge, rule) == [problem]
