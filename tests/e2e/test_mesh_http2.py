"""HTTP/2 towards sidecars: by itself where all endpoints have one, and unseen by clients and applications."""

import asyncio
import contextlib
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from mizzen.node.instance import get
from mizzen.probe.load import Load
from tests.e2e.test_mesh import policy, write
from tests.harness import bare_application, gateway
from tests.harness.bare_application import ODD, Application
from tests.harness.clients import asked, curl
from tests.harness.gateway import HOST, Authority, Up, eventually, replace_file
from tests.harness.mesh import service, workload
from tests.harness.small_websocket import echoed

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443"
PROTOCOLS = ("h1", "h2", "h3")
GATEWAY = "istio-ingressgateway.istio-system"
BACKEND = "backend.shop.svc.cluster.local"

# No second try hides that a request was lost.
ROUTE = f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop, namespace: istio-system}}
spec:
  hosts: [{HOST}]
  gateways: [shop]
  http:
  - match: [{{headers: {{x-way: {{exact: one}}}}}}]
    route: [{{destination: {{host: single.shop.svc.cluster.local}}}}]
    retries: {{attempts: 0}}
  - route: [{{destination: {{host: {BACKEND}}}}}]
    retries: {{attempts: 0}}
"""
# The same workload under another name, to which HTTP/1.1 is spoken.
SINGLE = f"""
---{service("single")}
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: single, namespace: shop}}
spec: {{host: single, trafficPolicy: {{connectionPool: {{http: {{h2UpgradePolicy: DO_NOT_UPGRADE}}}}}}}}
"""


def rule(spec: str) -> str:
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: backend, namespace: shop}}\nspec: {{host: backend, trafficPolicy: {spec}}}\n"
    )


def without_sidecar(port: int) -> str:
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: bare, namespace: shop}\n"
        f"spec: {{address: 127.0.0.2, labels: {{app: backend}}, ports: {{http: {port}}}}}\n"
    )


def connections(up: Up, service: str = BACKEND) -> dict[str, int]:
    """How many connections the gateway has opened to a service so far, by protocol."""
    _, text = get(up.instance.admin_socket(GATEWAY), f"/stats?filter={service}.*upstream_cx_http._total")
    rows = re.findall(r"upstream_cx_(http\d)_total: (\d+)", text.decode())
    return {protocol: int(number) for protocol, number in rows}


def ended(up: Up) -> int:
    """How many connections to the backend have ended so far. How many there are depends on the workers of the gateway's
    Envoy: each has its own."""
    _, text = get(up.instance.admin_socket(GATEWAY), f"/stats?filter={BACKEND}.*upstream_cx_destroy$")
    [row] = text.decode().splitlines()
    return int(row.rpartition(": ")[2])


class Site:
    """A gateway, a sidecar with an application, and what of the YAML changes."""

    def __init__(self, folder: Path, up: Up, port: int, application: Application) -> None:
        self.folder, self.up, self.port, self.application = folder, up, port, application

    def change(self, more: str) -> None:
        replace_file(
            self.folder / "workload.yaml", workload(self.port, self.application.port, f"{SINGLE}{more}")
        )


@pytest.fixture
def application() -> Iterator[Application]:
    with bare_application.running() as found:
        yield found


@pytest.fixture
def site(folder: Path, authority: Authority, application: Application) -> Iterator[Site]:
    port = gateway.free_port()
    write(folder, authority, port, application.port, SINGLE)
    (folder / "route.yaml").write_text(ROUTE)
    with gateway.up(folder, "--sidecar", "shop/vm") as up:
        yield Site(folder, up, port, application)


@contextlib.contextmanager
def load(authority: Authority) -> Iterator[Callable[[], None]]:
    """Requests over all three protocols while the block runs; none may fail. Gives what waits for some more answers."""
    loads = [
        Load(asked(protocol, f"{URL}/a", ca_pem=authority.pem), in_flight=4, rate=60.0)
        for protocol in PROTOCOLS
    ]

    def more() -> None:
        for one in loads:
            one.wait_for_more(20)

    with contextlib.ExitStack() as running:
        for one in loads:
            running.enter_context(one)
        more()
        yield more
        more()
    for one in loads:
        assert one.tally.failed == 0, str(one.tally)


def test_no_request_is_lost_while_backends_become_http2_and_cease_to_be(
    site: Site, authority: Authority
) -> None:
    up, seen = site.up, site.application
    with bare_application.running("127.0.0.2") as bare, load(authority) as more:
        assert connections(up)["http2"] > 0
        assert connections(up)["http1"] == 0
        for _ in range(4):
            before = len(bare.requests)
            site.change(without_sidecar(bare.port))
            eventually(lambda n=before: len(bare.requests) > n + 20)
            more()
            before = connections(up)["http2"]
            site.change("")
            eventually(lambda n=before: connections(up)["http2"] > n)
            more()
        for text in (
            rule("{connectionPool: {http: {h2UpgradePolicy: DO_NOT_UPGRADE}}}"),
            rule("{tls: {mode: DISABLE}}"),
            rule("{connectionPool: {http: {http1MaxPendingRequests: 1000}}}"),
        ):
            before = connections(up)["http1"]
            site.change(text)
            eventually(lambda n=before: connections(up)["http1"] > n)
            more()
            before = connections(up)["http2"]
            site.change(rule("{tls: {mode: ISTIO_MUTUAL}}"))
            eventually(lambda n=before: connections(up)["http2"] > n)
            more()
    assert (seen.prefaces, bare.prefaces) == (0, 0)


@pytest.mark.parametrize("mode", ["STRICT", "DISABLE"])
def test_what_a_workload_demands_of_its_clients_decides_on_http2(
    site: Site, authority: Authority, mode: str
) -> None:
    expected = {"STRICT": "http2", "DISABLE": "http1"}[mode]
    before = connections(site.up)
    site.change(policy("PeerAuthentication", f"{{mtls: {{mode: {mode}}}}}"))

    def is_so() -> bool:
        assert curl("h2", f"{URL}/a", ca_pem=authority.pem).status in (200, 503)
        return connections(site.up)[expected] > before[expected]

    eventually(is_so)
    with load(authority):
        assert connections(site.up)["http1"] == 0 or mode == "DISABLE"
    assert site.application.prefaces == 0


# --- nobody notices ---------------------------------------------------------------------------------


def sent(line: bytes, *headers: bytes, body: bytes = b"", host: bytes = HOST.encode()) -> bytes:
    return b"\r\n".join([line, b"host: " + host, b"x-way: WAY", *headers, b"", b""]) + body


REQUESTS = {
    "GET": sent(b"GET /a?b=c HTTP/1.1"),
    "HEAD": sent(b"HEAD /a HTTP/1.1"),
    "204": sent(b"GET /none HTTP/1.1"),
    "304": sent(b"GET /same HTTP/1.1"),
    "an answer without a length": sent(b"GET /until-the-end HTTP/1.1"),
    "headers of one connection in an answer": sent(b"GET /hops HTTP/1.1"),
    "trailers of an answer": sent(b"GET /trailers HTTP/1.1", b"te: trailers"),
    "early hints": sent(b"GET /early HTTP/1.1"),
    "a body": sent(b"POST /a HTTP/1.1", b"content-length: 3", body=b"abc"),
    "an empty body": sent(b"POST /a HTTP/1.1", b"content-length: 0"),
    "no body": sent(b"PUT /a HTTP/1.1"),
    "a body of a GET": sent(b"GET /a HTTP/1.1", b"content-length: 3", body=b"abc"),
    "chunks and trailers": sent(
        b"POST /a HTTP/1.1", b"transfer-encoding: chunked", body=b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"
    ),
    "100-continue": sent(b"POST /a HTTP/1.1", b"content-length: 3", b"expect: 100-continue", body=b"abc"),
    "HTTP/1.0": sent(b"GET /a HTTP/1.0"),
    "an absolute target": sent(b"GET http://shop.test/a HTTP/1.1"),
    "OPTIONS *": sent(b"OPTIONS * HTTP/1.1"),
    "CONNECT": sent(b"CONNECT shop.test:443 HTTP/1.1"),
    "TRACE": sent(b"TRACE /a HTTP/1.1"),
    "PROPFIND": sent(b"PROPFIND /a HTTP/1.1"),
    "headers of one connection": sent(
        b"GET /a HTTP/1.1", b"connection: keep-alive, x-hop", b"keep-alive: timeout=5", b"x-hop: 1"
    ),
    "te": sent(b"GET /a HTTP/1.1", b"te: gzip, trailers"),
    "an upgrade that is none": sent(b"GET /a HTTP/1.1", b"connection: upgrade", b"upgrade: h2c"),
    "bytes above 127": sent(b"GET /a HTTP/1.1", b"x-o: \xe4\xff"),
    "an empty value": sent(b"GET /a HTTP/1.1", b"x-e:"),
    "a header twice": sent(b"GET /a HTTP/1.1", b"x-e: 1", b"x-e: 2"),
    "cookies": sent(b"GET /a HTTP/1.1", b"cookie: a=1", b"cookie: b=2; c=3"),
    "odd names": sent(b"GET /a HTTP/1.1", b"x_a: 1", b"!#$%&'*+-.^`|~: 1", b"X-CaSe: 1"),
    "large headers": sent(b"GET /a HTTP/1.1", b"x-b: " + b"a" * 55_000),
    "many headers": sent(b"GET /a HTTP/1.1", *(b"x-%d: 1" % number for number in range(80))),
    "a port": sent(b"GET /a HTTP/1.1", host=b"shop.test:8443"),
    "a dot and capitals": sent(b"GET /a HTTP/1.1", host=b"SHOP.test."),
    "an odd path": sent(b'GET /"<b>|^`{}[]\\;b=c\'%zz?q="<>\\^`{} HTTP/1.1'),
    "a path of bytes": sent(b"GET /\xc3\xa9/%c3%a9 HTTP/1.1"),
    "a long path": sent(b"GET /" + b"p" * 8000 + b" HTTP/1.1"),
    "a WebSocket": sent(
        b"GET /socket HTTP/1.1",
        b"connection: Upgrade",
        b"upgrade: websocket",
        b"sec-websocket-version: 13",
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
}
_VARYING = re.compile(
    rb"(?i)^(x-request-id|x-b3-\w+|date|x-envoy-upstream-service-time|x-way|content-length): .*?\r?$",
    re.MULTILINE,
)


@contextlib.contextmanager
def dialled(authority: Authority) -> Iterator[ssl.SSLSocket]:
    """A connection to the gateway, for HTTP/1.1."""
    context = ssl.create_default_context(cadata=authority.pem)
    with (
        socket.create_connection(("127.0.0.1", 8443), 5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as stream,
    ):
        yield stream


def exchanged(authority: Authority, request: bytes) -> tuple[bytes, ...]:
    """The lines that are answered, the application's echo among them. In the order of the alphabet: header fields of
    different names have none (RFC 9110, section 5.3), and Envoy's differs by protocol."""
    answer = b""
    with dialled(authority) as stream:
        stream.sendall(request)
        with contextlib.suppress(TimeoutError):
            while data := stream.recv(65536):
                answer += data
                stream.settimeout(0.2)
    answer = _VARYING.sub(rb"\1", answer).replace(b"single.shop", b"backend.shop")
    # Two lines of cookies become one (RFC 9113, section 8.2.3), as those of HTTP/2 and 3 do anyway.
    answer = answer.replace(b"cookie: a=1\r\ncookie: b=2; c=3", b"cookie: a=1; b=2; c=3")
    return tuple(sorted(answer.splitlines()))


def test_clients_and_applications_see_what_they_see_with_http1(site: Site, authority: Authority) -> None:
    differing = {}
    for name, request in REQUESTS.items():
        one, other = (exchanged(authority, request.replace(b"WAY", way)) for way in (b"one", b"two"))
        assert one, name
        if one != other:
            differing[name] = (one, other)
    assert differing == {}
    assert connections(site.up)["http1"] == 0
    assert connections(site.up, "single.shop")["http2"] == 0
    assert site.application.prefaces == 0


def test_odd_answers_are_what_they_are_over_http1_and_cost_no_other_request(
    site: Site, authority: Authority
) -> None:
    with contextlib.ExitStack() as held:
        sockets = opened(held, authority)
        for name in ODD:
            request = sent(b"GET /odd/" + name + b" HTTP/1.1")
            one, other = (exchanged(authority, request.replace(b"WAY", way)) for way in (b"one", b"two"))
            assert one == other, name
        assert_alive(sockets)
        assert ended(site.up) == 0
        assert connections(site.up)["http1"] == 0


def test_websockets_go_through_and_reach_the_application_as_http1(site: Site, authority: Authority) -> None:
    over_http3 = asyncio.run(echoed(HOST, 8443, "/socket", b"hello", ca_pem=authority.pem))
    assert over_http3 == bytes(4) + b"hello"  # the frame as the client made it, with its mask
    [asked_for] = [head.lower() for head in site.application.requests]
    assert asked_for.startswith(b"get /socket http/1.1\r\n")
    assert b"\r\nupgrade: websocket\r\n" in asked_for
    assert b"\r\nsec-websocket-key: " in asked_for
    with dialled(authority) as stream:
        stream.sendall(REQUESTS["a WebSocket"].replace(b"WAY", b"two"))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += stream.recv(65536)
        assert answer.startswith(b"HTTP/1.1 101 ")
        for text in (b"one", b"two" * 30_000):
            stream.sendall(text)
            back = b""
            while len(back) < len(text):
                back += stream.recv(65536)
            assert back == text
    assert connections(site.up)["http1"] == 0


def test_an_upgrade_that_an_application_refuses_opens_no_way_round_the_proxies(
    site: Site, authority: Authority
) -> None:
    """Not even when it answers 200, which is how HTTP/2 says that a WebSocket is open (RFC 8441, section 5)."""
    for path in (b"/a", b"/none", b"/trailers"):
        with dialled(authority) as stream:
            stream.sendall(REQUESTS["a WebSocket"].replace(b"WAY", b"two").replace(b"/socket", path))
            assert stream.recv(65536)
            with contextlib.suppress(OSError):
                stream.sendall(sent(b"GET /smuggled HTTP/1.1"))
                while stream.recv(65536):
                    pass
    assert curl("h2", f"{URL}/last", ca_pem=authority.pem).status == 200
    heads = [head.split(b" ")[1] for head in site.application.requests]
    assert heads == [b"/a", b"/none", b"/trailers", b"/last"]


# --- many clients on a connection -------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["down", "up"])
def test_clients_that_do_not_move_stop_nobody_else(site: Site, authority: Authority, direction: str) -> None:
    """What is under way to or from them fills the windows of their streams, and not that of the connection."""
    with contextlib.ExitStack() as held:
        for _ in range(20):
            stream = held.enter_context(dialled(authority))
            if direction == "down":
                stream.sendall(sent(b"GET /endless HTTP/1.1"))
            else:
                stream.sendall(sent(b"POST /deaf HTTP/1.1", b"content-length: 1000000000"))
                stream.settimeout(0.2)
                with contextlib.suppress(OSError):
                    for _ in range(300):
                        stream.sendall(bytes(65536))
        eventually(lambda: len(site.application.requests) >= 20)
        time.sleep(1)  # until everything is full
        for protocol in PROTOCOLS:
            answer = curl(protocol, f"{URL}/a", ca_pem=authority.pem, timeout=3)
            assert "body of 0 bytes" in answer.text
        posted = curl("h2", f"{URL}/a", ca_pem=authority.pem, timeout=3, method="POST", body=bytes(100_000))
        assert "body of 100000 bytes" in posted.text
    assert connections(site.up)["http1"] == 0


def opened(held: contextlib.ExitStack, authority: Authority) -> list[ssl.SSLSocket]:
    """WebSockets by every thread of the gateway, so that every connection to the sidecar carries some."""
    sockets = [held.enter_context(dialled(authority)) for _ in range(8)]
    for stream in sockets:
        stream.sendall(REQUESTS["a WebSocket"].replace(b"WAY", b"two"))
        assert stream.recv(65536).startswith(b"HTTP/1.1 101 ")
    return sockets


def assert_alive(sockets: list[ssl.SSLSocket]) -> None:
    for stream in sockets:
        stream.sendall(b"hello")
        assert stream.recv(65536) == b"hello"


def call_off(authority: Authority, requests: int) -> None:
    """Over HTTP/2, on a connection of its own: ask, and go away before there is an answer."""
    context = ssl.create_default_context(cadata=authority.pem)
    context.set_alpn_protocols(["h2"])
    asking = H2Connection(H2Configuration(header_encoding=None))
    with (
        socket.create_connection(("127.0.0.1", 8443), 5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as stream,
    ):
        asking.initiate_connection()
        for _ in range(requests):
            number = asking.get_next_available_stream_id()
            head = {":method": "GET", ":scheme": "https", ":authority": HOST, ":path": "/deaf"}
            asking.send_headers(number, list(head.items()), end_stream=True)
            stream.sendall(asking.data_to_send())
            time.sleep(0.002)  # until it has gone on to the sidecar
            asking.reset_stream(number)
            stream.sendall(asking.data_to_send())


def test_clients_that_call_off_their_requests_end_nobody_elses(site: Site, authority: Authority) -> None:
    """Fewer on each connection than the gateway itself would end it for (250)."""
    with contextlib.ExitStack() as held:
        sockets = opened(held, authority)
        before = connections(site.up)["http2"]
        for _ in range(5):
            call_off(authority, 200)
        assert len([head for head in site.application.requests if head.startswith(b"GET /deaf ")]) > 500
        assert_alive(sockets)
        # More than 100 may be under way at once, which needs another connection; none is ended for it.
        assert connections(site.up)["http2"] <= before + 2 * (os.cpu_count() or 1)
    assert connections(site.up)["http1"] == 0


# --- who says what a port carries -------------------------------------------------------------------


@pytest.mark.parametrize("carries", ["TCP", ""])
def test_a_port_that_a_sidecar_does_not_know_as_http_is_spoken_to_in_http1(
    folder: Path, authority: Authority, application: Application, carries: str
) -> None:
    port = gateway.free_port()
    write(folder, authority, port, application.port)
    text = (folder / "workload.yaml").read_text()
    assert "protocol: HTTP," in text
    (folder / "workload.yaml").write_text(text.replace("protocol: HTTP,", f"protocol: '{carries}',"))
    with gateway.up(folder, "--sidecar", "shop/vm") as up:
        for protocol in PROTOCOLS:
            assert curl(protocol, f"{URL}/a", ca_pem=authority.pem).status == 200
        assert connections(up)["http2"] == 0
        assert application.prefaces == 0
