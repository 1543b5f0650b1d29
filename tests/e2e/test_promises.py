"""The life of a promise of HTTP/3 at a real Envoy, with ages of seconds: it grows, goes back, and is withdrawn without harm."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pycurl
import pytest

from mizzen.node.ports import try_bind
from mizzen.plane.counting import Counting
from mizzen.plane.statistics import Meters
from mizzen.probe.load import Load
from tests.harness import gateway
from tests.harness.clients import asked, curl
from tests.harness.gateway import HOST, Authority, Up, eventually, replace_file

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443"
SERVER = "https.443.https-shop.shop.istio-system"
DRAIN_SECONDS = 1
ALTSVC_CTRL, H1_H2_H3 = 286, 0x38  # which pycurl does not name
AT_ONCE_SECONDS = 0.25  # a client that is refused so soon falls back unnoticed; a silent port takes 3 s

METERS = Meters(
    listener="udp_0.0.0.0_8443",
    prefix="outbound_udp_0.0.0.0_8443;",
    tcp_listener="0.0.0.0_8443",
    tcp_prefix="outbound_0.0.0.0_8443;",
)

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {{name: install, namespace: istio-system}}
spec:
  meshConfig: {{defaultConfig: {{drainDuration: {drain}s}}}}
  components:
    ingressGateways:
    - name: istio-ingressgateway
      k8s: {{service: {{ports: [{{name: https, port: 443, targetPort: 8443}}{udp}]}}}}
  values: {{pilot: {{env: {{PILOT_ENABLE_QUIC_LISTENERS: "{switch}"}}}}}}
"""
UDP = ", {name: http3, port: 443, targetPort: 8443, protocol: UDP}"
POLICY = """
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: mesh, namespace: istio-system}
spec:
  announcement:
    rollout: Gradual
    stages: [{maxAge: 2s, duration: 2s}, {maxAge: 4s}]
    stepBack: {interval: 1s, badIntervals: 1, goodIntervals: 2, minRequests: 5, pause: 2s}
"""
ROUTE = f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop, namespace: istio-system}}
spec:
  hosts: ["{HOST}"]
  gateways: [shop]
  http:
  - match: [{{uri: {{prefix: /bad}}}}]
    directResponse: {{status: 503}}
  - directResponse: {{status: 200}}
"""


class Shop:
    """One gateway, its files, and what clients see."""

    def __init__(self, folder: Path, authority: Authority, up: Up) -> None:
        self.folder, self.ca_pem, self.up = folder, authority.pem, up

    def write(self, *, switch: str = "true", udp: str = UDP) -> None:
        replace_file(self.folder / "operator.yaml", operator(switch=switch, udp=udp))

    def says(self, protocol: str = "h2") -> str:
        answer = curl(protocol, URL, ca_pem=self.ca_pem)
        assert answer.status == 200, answer.error
        return (*answer.all("alt-svc"), "")[0]

    def until_says(self, value: str, seconds: float = 10.0, protocol: str = "h2") -> None:
        eventually(lambda: self.says(protocol) == value, seconds)

    def load(self, protocol: str, path: str = "/", **rest: Any) -> Load:
        return Load(asked(protocol, f"{URL}{path}", ca_pem=self.ca_pem), in_flight=2, rate=40, **rest)

    def mirror(self) -> dict[str, Any]:
        mirrors = self.up.status()["gateways"]["istio-ingressgateway.istio-system"]["mirrors"]
        (found,) = (one for one in mirrors if one["server"] == SERVER)
        return dict(found)

    def seconds_until_refused(self) -> float:
        """How long a client over HTTP/3 waits for nothing; a day where it is served."""
        began = time.monotonic()
        answer = curl("h3", URL, ca_pem=self.ca_pem, timeout=3)
        return time.monotonic() - began if answer.error else 86400.0

    def is_refused_at_once(self) -> bool:
        return self.seconds_until_refused() < AT_ONCE_SECONDS


class Remembering:
    """A client that remembers alt-svc, and begins each request with a connection of its own."""

    def __init__(self, ca_pem: str, ca_file: Path) -> None:
        ca_file.write_text(ca_pem)
        self._curl = pycurl.Curl()
        self._curl.setopt(pycurl.URL, URL)
        self._curl.setopt(pycurl.CAINFO, str(ca_file))
        self._curl.setopt(pycurl.RESOLVE, [f"{HOST}:8443:127.0.0.1"])
        self._curl.setopt(pycurl.FRESH_CONNECT, 1)
        self._curl.setopt(pycurl.TIMEOUT, 5)
        self._curl.setopt(pycurl.WRITEFUNCTION, lambda body: None)
        self._curl.setopt(ALTSVC_CTRL, H1_H2_H3)

    def ask(self) -> tuple[int, float]:
        """By which version it was answered, and after how long."""
        began = time.monotonic()
        self._curl.perform()
        assert self._curl.getinfo(pycurl.RESPONSE_CODE) == 200
        return self._curl.getinfo(pycurl.INFO_HTTP_VERSION), time.monotonic() - began

    def __enter__(self) -> "Remembering":
        return self

    def __exit__(self, *_: object) -> None:
        self._curl.close()


def operator(*, switch: str = "true", udp: str = UDP) -> str:
    return OPERATOR.format(drain=DRAIN_SECONDS, udp=udp, switch=switch)


def is_udp_closed() -> bool:
    return try_bind("0.0.0.0", 8443, udp=True) is None


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("yaml")
    (folder / "operator.yaml").write_text(operator())
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "route.yaml").write_text(ROUTE)
    with gateway.up(folder) as up:
        yield Shop(folder, authority, up)


def test_it_grows_stage_by_stage(shop: Shop) -> None:
    shop.until_says('h3=":8443"; ma=2')
    assert (shop.mirror()["stage"], shop.mirror()["stages"]) == (1, 2)
    shop.until_says('h3=":8443"; ma=4')
    turns = shop.mirror()["history"]
    assert [turn["stage"] for turn in turns[-2:]] == [1, 2]
    printed = shop.up.mizzen("http3", "status").stdout
    assert "2/2" in printed
    assert f" {shop.mirror()['since']} " in printed


def test_who_remembers_a_mirror_that_must_not_be_served_any_more_falls_back_unnoticed(
    shop: Shop, tmp_path: Path
) -> None:
    shop.until_says('h3=":8443"; ma=4')
    with Remembering(shop.ca_pem, tmp_path / "ca.pem") as client:
        assert [client.ask()[0] for _ in range(2)] == [
            pycurl.CURL_HTTP_VERSION_2_0,
            pycurl.CURL_HTTP_VERSION_3,
        ]
        text = (shop.folder / "gateway.yaml").read_text()
        weaker = text.replace("mode: SIMPLE", "mode: SIMPLE\n      maxProtocolVersion: TLSV1_2")
        replace_file(shop.folder / "gateway.yaml", weaker)
        eventually(shop.is_refused_at_once, 3)
        version, seconds = client.ask()  # it still remembers
    assert version == pycurl.CURL_HTTP_VERSION_2_0
    assert seconds < AT_ONCE_SECONDS
    assert min(shop.seconds_until_refused() for _ in range(5)) < 0.02  # 1 ms, where nothing else runs
    assert (
        shop.mirror()["history"][-1]["reason"] == "QUIC speaks TLS 1.3 only, and maxProtocolVersion is lower"
    )
    replace_file(shop.folder / "gateway.yaml", text)
    shop.until_says('h3=":8443"; ma=4')


def test_where_requests_over_http3_fail_and_those_over_tcp_do_not_it_goes_back(shop: Shop) -> None:
    shop.until_says('h3=":8443"; ma=4')
    with shop.load("h2"), shop.load("h3", "/bad", statuses=frozenset({503})):
        shop.until_says('h3=":8443"; ma=2', 6)
        assert "over HTTP/3 failed with 5xx, 0% over TCP" in shop.mirror()["history"][-1]["reason"]
        shop.until_says("clear", 6)
    assert "it is tried again at" in shop.mirror()["reason"]
    # What a control plane elsewhere reads, at the port for metrics.
    counted = asyncio.run(Counting(instance=None).read({"pod": ("127.0.0.1", frozenset({METERS}))}))
    assert counted["pod"][METERS].errors >= 5
    assert counted["pod"][METERS].tcp_requests > counted["pod"][METERS].tcp_errors == 0
    shop.until_says('h3=":8443"; ma=2', 6)


def test_switched_off_nobody_notices_and_the_port_closes_when_all_have_forgotten_it(shop: Shop) -> None:
    shop.until_says('h3=":8443"; ma=2', 6)
    with ExitStack() as stack:
        loads = [stack.enter_context(shop.load(protocol)) for protocol in ("h1", "h2", "h3")]
        shop.write(switch="false")
        shop.until_says("clear", 3)
        shop.until_says("clear", 3, "h3")  # on a connection of its own: it is still served
        assert shop.mirror()["reason"] == "HTTP/3 is switched off (PILOT_ENABLE_QUIC_LISTENERS)"
        os.kill(shop.up.status()["pid"], signal.SIGKILL)  # what it knew is written down
        shop.until_says("clear", 3, "h3")
        loads[-1].stop()  # from now on it would be refused
        eventually(shop.is_refused_at_once, 8)
        assert not is_udp_closed()  # somebody refuses; that nobody listens is told on this machine alone
        shop.until_says("", 3)
        for _ in range(5):
            assert shop.is_refused_at_once()
        eventually(is_udp_closed, DRAIN_SECONDS * 3 + 4)
    assert [(one.tally.failed, one.tally.reasons) for one in loads] == [(0, {})] * 3
    assert loads[-1].tally.connections == 1  # whoever was there stayed


def test_a_gateway_that_is_deleted_refuses_at_once_until_all_have_forgotten_it(shop: Shop) -> None:
    shop.write()
    shop.until_says('h3=":8443"; ma=2', 10)
    (shop.folder / "gateway.yaml").unlink()
    eventually(lambda: curl("h2", URL, ca_pem=shop.ca_pem).error, 3)
    assert shop.is_refused_at_once()
    assert shop.mirror()["state"] == "withdrawn"
    eventually(is_udp_closed, 12)
