"""Whatever spelling of a host, a path or a header value reaches a route reaches its rules too, over every protocol.

Each route answers with its own name. A gateway without rules tells which route a request reaches; then one with the rules
of POLICIES is asked the same.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.gateway import HOST, Authority
from tests.harness.raw_clients import Got, Raw, ask

pytestmark = pytest.mark.e2e

PORTS = {"plain": 8080, "h1": 8443, "h2": 8443, "h3": 8443}
PROTOCOLS = list(PORTS)

SERVED = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: shop-tls}}
"""
ROUTE = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: istio-system}}
spec:
  hosts: ["{host}"]
  gateways: [shop]
  http:
  - match: [{{uri: {{exact: /Secret}}, ignoreUriCase: true}}]
    directResponse: {{status: 200, body: {{string: {name}-secret}}}}
  - directResponse: {{status: 200, body: {{string: {name}}}}}
"""
POLICIES = """\
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: refused, namespace: istio-system}
spec:
  action: DENY
  rules:
  - to: [{operation: {hosts: [refused.test, "*.wild.test", first*, "[::1]", no.wide.test]}}]
  - to: [{operation: {hosts: [open.test], paths: [/secret, "/secret/*", "/tenants/{*}/orders", "/files/{**}"]}}]
  - when: [{key: "request.headers[x-role]", values: [evil, "bad-*", "*-bad"]}]
  - when: [{key: "request.headers[x-key]", values: ["*"], notValues: [good]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allowed, namespace: istio-system}
spec:
  rules:
  - to: [{operation: {hosts: [open.test, refused*, a.*, first*, "[::1]*", "*.friend.test", "*.wide.test", "*.wide.test.", "*]"]}}]  # what refuses has to do it itself
  - to: [{operation: {hosts: [other.test]}}]
    when: [{key: "request.headers[x-role]", values: [friend]}]
"""
ROUTES = {
    "refused": "refused.test",
    "wild": "*.wild.test",
    "wide": "*.wide.test",
    "first": "first.test",
    "open": "open.test",
    "other": "other.test",
}

# After the name of a host. Routes leave out whatever follows the last colon.
ENDS = (b"", b":", b":443", b":8443", b":0443", b":99999999999", b":abc", b".", b".:", b".:443", b":[")
HOSTS = [
    name + end
    for name in (b"refused.test", b"REFUSED.Test", b"a.wild.test", b"A.b.WILD.test")
    for end in ENDS
]
NOT_HOSTS = [
    b"xopen.test",
    b"open.testx",
    b"open.test..",
    b"open.test:1:2",
    b"other.test:.friend.test",
    b"other.test:a.friend.test",
]

# No hosts, that a backend may take for the host that they hold; "*" has a route for them.
MALFORMED = [
    b"no.wide.test,no.wide.test",
    b"x,no.wide.test",
    b"no.wide.test..",
    b"no.wide.test..:443",
    b"no.wide.test:443:443",
    b"[no.wide.test]",
    b"no.wide.test:]",
    b"%6e%6f.wide.test",
]

PATHS = (
    b"/secret",
    b"/SECRET",
    b"/Secret?a=b",
    b"/secret#a",
    b"/secret/x",
    b"/sEcReT/x?y",
    b"/x/../secret",
    b"/./secret",
    b"/%2e/secret",
    b"/tenants/a/orders",
    b"/tenants/a=b/orders",
    b"/tenants/*/orders",
    b"/tenants/%2F/orders?x",
    b"/tenants/a|b/orders",
    b"/files/",
    b"/files/a/b=c/*",
)
# Bytes that are no UTF-8 pass over HTTP/2 alone.
RAW_PATHS = (b"/tenants/\xff/orders", b"/files/\xff/a", b"/tenants/\xc3\xa9/orders")

ROLES = (
    (b"evil",),
    (b"evil ",),
    (b" evil",),
    (b"\tevil \t",),
    (b"evil,",),
    (b"good, evil",),
    (b"good", b"evil"),
    (b"evil", b"good"),
    (b"good", b" evil "),
    (b" bad-one",),
    (b"good", b"bad-one"),
    (b"one-bad ",),
    (b"one-bad", b"good"),
    (b"bad-\xff",),
    (b"\xff", b"evil"),
)


def serve(folder: Path, authority: Authority, text: str) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    routes = "".join(ROUTE.format(name=name, host=host) for name, host in ROUTES.items())
    (folder / "rest.yaml").write_text(SERVED + routes + text)


def random_requests(number: int) -> list[Raw]:
    """Hosts and paths of the routes as one could write them, and some beside them."""
    chance = random.Random(7)

    def any_case(text: bytes) -> bytes:
        return bytes(ord(chance.choice((chr(one).lower(), chr(one).upper()))) for one in text)

    names = (b"refused.test", b"open.test", b"a.wild.test", b"first.test", b"other.test")
    ends = (*ENDS, b"", b"", b"..", b":1:2", b".:.", b":]")
    before = (b"", b"", b"/.", b"/x/..", b"/%2e", b"/%2E%2e", b"/", b"/x/%2e%2e", b"/..")
    after = (b"", b"", b"?a", b"#a", b"?", b"#", b";a", b"/", b"/.", b"%00", b"%20", b"?a#b", b"/..", b"\\")
    words = (b"/secret", b"/secret", b"/%73ecret", b"/tenants/a/orders", b"/")
    return [
        Raw(
            host=any_case(chance.choice(names)) + chance.choice(ends),
            path=chance.choice(before) + any_case(chance.choice(words)) + chance.choice(after),
        )
        for _ in range(number)
    ]


REQUESTS = random_requests(200)


@pytest.fixture(scope="module")
def reached(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> dict[str, list[tuple[Raw, Got]]]:
    """What a gateway without rules answers, by protocol."""
    folder = tmp_path_factory.mktemp("open")
    serve(folder, authority, "")
    with gateway.up(folder):
        requests = [*(Raw(host=host) for host in HOSTS), *REQUESTS]
        return {protocol: answers(protocol, requests) for protocol in PROTOCOLS}


@pytest.fixture(scope="module")
def guarded(
    reached: object, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[gateway.Up]:
    folder = tmp_path_factory.mktemp("guarded")
    serve(folder, authority, POLICIES + ROUTE.format(name="all", host="*"))
    with gateway.up(folder) as up:
        yield up


def answers(protocol: str, requests: list[Raw]) -> list[tuple[Raw, Got]]:
    return list(zip(requests, ask(protocol, PORTS[protocol], HOST, requests), strict=True))


Reached = dict[str, list[tuple[Raw, Got]]]

# What the rules make of who reaches a route: None lets it through, or not, by its path.
VERDICTS = {
    b"refused": 403,
    b"refused-secret": 403,
    b"wild": 403,
    b"wild-secret": 403,
    b"first": 403,
    b"first-secret": 403,
    b"other": 403,
    b"other-secret": 403,
    b"open-secret": 403,
    b"open": None,
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whatever_reaches_a_route_reaches_its_rules(
    reached: Reached, guarded: gateway.Up, protocol: str
) -> None:
    before = [(one, got) for one, got in reached[protocol] if got.status == 200]
    after = answers(protocol, [one for one, _ in before])
    wrong = [
        (one, route.body, got.status)
        for (one, route), (_, got) in zip(before, after, strict=True)
        if got.status != VERDICTS[route.body]
        and not (VERDICTS[route.body] is None and got.status in (200, 403))
    ]
    assert wrong == []
    routes = {route.body for _, route in before}
    assert routes == VERDICTS.keys()  # the requests are worth asking


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.usefixtures("guarded")
class TestSpellings:
    def test_of_a_refused_host_are_refused(self, protocol: str) -> None:
        hosts = [*HOSTS, b"first.test", b"FIRST.test:443", b"first.test.", b"[::1]", b"[::1]:443", b"[::1]:"]
        assert [
            (one.host, got)
            for one, got in answers(protocol, [Raw(host=h) for h in hosts])
            if got.status != 403
        ] == []

    def test_of_an_allowed_host_are_allowed(self, protocol: str) -> None:
        hosts = [name + end for name in (b"open.test", b"OPEN.test") for end in ENDS]
        found = answers(protocol, [Raw(host=host) for host in hosts])
        assert [(one.host, got) for one, got in found if got.body != b"open"] == []

    def test_that_reach_no_route_are_not_allowed(self, protocol: str) -> None:
        found = answers(protocol, [Raw(host=host) for host in NOT_HOSTS])
        assert [(one.host, got) for one, got in found if got.status not in (400, 403)] == []

    def test_that_are_no_host_are_refused(self, protocol: str) -> None:
        found = answers(protocol, [Raw(host=host) for host in MALFORMED])
        assert [(one.host, got) for one, got in found if got.status not in (0, 400)] == []
        twice = [Raw(host=host, headers=((b"host", host),)) for host in (b"no.wide.test", b"yes.wide.test")]
        # HTTP/2 drops the field beside the authority; from the others Envoy makes "x,x".
        refused, taken = (403, 200) if protocol == "h2" else (400, 400)
        assert [got.status for _, got in answers(protocol, twice)] == [refused, taken]

    def test_of_a_refused_path_are_refused(self, protocol: str) -> None:
        paths = [*PATHS, *(RAW_PATHS if protocol == "h2" else ())]
        found = answers(protocol, [Raw(host=b"open.test", path=path) for path in paths])
        assert [(one.path, got) for one, got in found if got.status != 403] == []
        near = [b"/secretx", b"/tenants/a/b/orders", b"/tenants//orders", b"/files", b"/other"]
        found = answers(protocol, [Raw(host=b"open.test", path=path) for path in near])
        assert [(one.path, got) for one, got in found if got.status != 200] == []

    def test_of_a_refused_header_value_are_refused(self, protocol: str) -> None:
        requests = [
            Raw(host=b"open.test", headers=tuple((b"x-role", value) for value in values)) for values in ROLES
        ]
        # A stream that is reset for its bytes is refused too.
        assert [
            (one, got) for one, got in answers(protocol, requests) if got.status not in (403, 0, 400)
        ] == []
        plain = [one for one in requests if all(value.isascii() for _, value in one.headers)]
        assert [(one, got) for one, got in answers(protocol, plain) if got.status != 403] == []

    def test_of_a_header_value_that_is_not_refused_pass(self, protocol: str) -> None:
        values = [b"good", b"evilx", b"xevil", b"e vil", b"good,better", b"bad", b""]
        requests = [Raw(host=b"open.test", headers=((b"x-role", value),)) for value in values]
        assert [(one, got) for one, got in answers(protocol, requests) if got.status != 200] == []

    def test_of_a_needed_header_value_are_allowed_and_others_are_not(self, protocol: str) -> None:
        needed = [((b"x-role", value),) for value in (b"friend", b" friend", b"friend\t", b"  friend  ")]
        requests = [Raw(host=b"other.test", headers=headers) for headers in needed]
        assert [(one, got) for one, got in answers(protocol, requests) if got.status != 200] == []
        lacking = [((b"x-role", b"friend"), (b"x-role", b"foe")), ((b"x-role", b"friend,foe"),), ()]
        requests = [Raw(host=b"other.test", headers=headers) for headers in lacking]
        assert [(one, got) for one, got in answers(protocol, requests) if got.status != 403] == []

    def test_of_a_value_that_alone_is_not_refused(self, protocol: str) -> None:
        good = [((b"x-key", value),) for value in (b"good", b"good ", b" good")]
        requests = [Raw(host=b"open.test", headers=headers) for headers in good]
        assert [(one, got) for one, got in answers(protocol, requests) if got.status != 200] == []
        bad = [((b"x-key", b"bad"),), ((b"x-key", b"good"), (b"x-key", b"bad")), ((b"x-key", b""),)]
        requests = [Raw(host=b"open.test", headers=headers) for headers in bad]
        assert [(one, got) for one, got in answers(protocol, requests) if got.status != 403] == []
