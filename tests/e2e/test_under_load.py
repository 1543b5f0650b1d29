"""Changes while traffic flows: nothing is dropped over HTTP/1.1, HTTP/2 or HTTP/3."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mizzen.node import instance
from mizzen.probe.load import Load
from tests.harness import gateway
from tests.harness.clients import asked, curl, handshake
from tests.harness.gateway import HOST, Authority, Up, eventually, replace_file

pytestmark = pytest.mark.e2e

PROTOCOLS = ("h1", "h2", "h3")
URL = f"https://{HOST}:8443/get"
RATE = 100.0  # requests per second and protocol: enough to be in flight at every change, with two cores


@contextlib.contextmanager
def load(authority: Authority, url: str = URL) -> Iterator[list[Load]]:
    """Requests over all three protocols while the block runs."""
    with contextlib.ExitStack() as stack:
        loads = [
            stack.enter_context(Load(asked(protocol, url, ca_pem=authority.pem), in_flight=4, rate=RATE))
            for protocol in PROTOCOLS
        ]
        for one in loads:
            one.wait_for_more(20)
        yield loads
        for one in loads:
            one.wait_for_more(20)


def assert_nothing_failed(loads: list[Load]) -> None:
    for one in loads:
        assert one.tally.failed == 0, str(one.tally)
        assert one.tally.ok > 40


def write(folder: Path, authority: Authority, port: int) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "backend.yaml").write_text(gateway.backend(port))
    (folder / "route.yaml").write_text(gateway.route(header="0", port=port))


def version(authority: Authority, protocol: str = "h2") -> str:
    return curl(protocol, URL, ca_pem=authority.pem).header("x-version")


def test_50_route_changes_another_host_and_a_new_certificate_drop_nothing(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder):
        with load(authority) as loads:
            for number in range(1, 51):
                replace_file(folder / "route.yaml", gateway.route(header=str(number), port=httpbin))
                if number % 10 == 0:
                    eventually(lambda wanted=str(number): version(authority) == wanted)
                else:
                    time.sleep(0.02)  # changes come faster than they are applied, too
            other = authority.server("other.test")
            (folder / "other-secret.yaml").write_text(gateway.secret("other-tls", other))
            (folder / "other.yaml").write_text(
                gateway.gateway("other.test", name="other", credential="other-tls")
                + "---\n"
                + gateway.route("other.test", name="other", gateway_name="other")
            )
            eventually(lambda: curl("h3", "https://other.test:8443/", ca_pem=authority.pem).status == 200)
            (folder / "other.yaml").unlink()
            eventually(lambda: curl("h2", "https://other.test:8443/", ca_pem=authority.pem).error)
            renewed = authority.server()
            replace_file(folder / "secret.yaml", gateway.secret("shop-tls", renewed))
            eventually(
                lambda: (
                    handshake(HOST, 8443, ca_pem=authority.pem).leaf_pem.strip()
                    == renewed.certificate.decode().strip()
                )
            )
        assert_nothing_failed(loads)
        assert version(authority, "h3") == "50"


PASSED_THROUGH = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: mq, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: tls, protocol: TLS}, hosts: [mq.shop.test], tls: {mode: PASSTHROUGH}}
"""


def test_a_host_below_a_wildcard_is_passed_through_and_no_more_and_drops_nothing(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    """Connections of the wildcard stay, over QUIC too, where a chain that refuses the host comes and goes."""
    write(folder, authority, httpbin)
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server("*.shop.test")))
    (folder / "gateway.yaml").write_text(gateway.gateway("*.shop.test"))
    (folder / "route.yaml").write_text(gateway.route("www.shop.test", port=httpbin))
    www, mq = "https://www.shop.test:8443/get", "https://mq.shop.test:8443/"

    def others(protocol: str) -> int:
        return curl(protocol, www, ca_pem=authority.pem, headers={"Host": "mq.shop.test"}).status

    with gateway.up(folder):
        with load(authority, www) as loads:
            assert (others("h2"), others("h3"), curl("h3", mq, ca_pem=authority.pem).status) == (
                404,
                404,
                404,
            )
            (folder / "mq.yaml").write_text(PASSED_THROUGH)
            eventually(lambda: others("h2") == 421 and others("h3") == 421)
            eventually(lambda: curl("h3", mq, ca_pem=authority.pem).error)
            (folder / "mq.yaml").unlink()
            eventually(lambda: others("h2") == 404 and curl("h3", mq, ca_pem=authority.pem).status == 404)
        assert_nothing_failed(loads)


def test_a_new_certificate_is_shown_over_tcp_and_quic_and_a_broken_one_changes_nothing(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder) as up:
        renewed = authority.server()
        replace_file(folder / "secret.yaml", gateway.secret("shop-tls", renewed))
        wanted = renewed.certificate.decode().strip()
        for protocol in ("h2", "h3"):
            eventually(lambda p=protocol: shown(authority, p) == wanted)
        broken = gateway.secret("shop-tls", renewed).replace("tls.key", "no.key")
        replace_file(folder / "secret.yaml", broken)
        eventually(lambda: "SEC-" in str(up.status()["problems"]))
        assert [shown(authority, protocol) for protocol in ("h2", "h3")] == [wanted, wanted]
        (folder / "secret.yaml").unlink()
        eventually(lambda: "shop-tls" in str(up.status()["problems"]))
        assert [shown(authority, protocol) for protocol in ("h2", "h3")] == [wanted, wanted]


def shown(authority: Authority, protocol: str) -> str:
    """PEM of the leaf that a new connection meets."""
    answer = curl(protocol, URL, ca_pem=authority.pem)
    return answer.chain[0].strip() if answer.chain else ""


def test_a_killed_control_plane_is_replaced_without_a_dropped_request_or_a_touched_listener(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder) as up:
        before = changes(up)
        with load(authority) as loads:
            pid = up.status()["pid"]
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: answering_pid(up) not in (None, pid))
            replace_file(folder / "route.yaml", gateway.route(header="after", port=httpbin))
            eventually(lambda: version(authority) == "after")
        assert_nothing_failed(loads)
        assert changes(up) == before
        assert curl("h2", URL, ca_pem=authority.pem).header("alt-svc") == 'h3=":8443"; ma=86400'


def answering_pid(up: Up) -> int | None:
    try:
        return int(up.status()["pid"])
    except OSError:
        return None


def changes(up: Up) -> dict[str, int]:
    """How often Envoy added, modified or removed a listener."""
    (key,) = up.status()["gateways"]
    _, body = instance.get(
        up.instance.admin_socket(key),
        "/stats?filter=^listener_manager.listener_(added|modified|removed|in_place)",
    )
    return {name: int(value) for name, value in (line.split(": ") for line in body.decode().splitlines())}


def test_a_killed_envoy_serves_again(folder: Path, authority: Authority, httpbin: int) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder) as up:
        os.kill(envoy_pid(up), signal.SIGKILL)
        eventually(lambda: curl("h3", URL, ca_pem=authority.pem).status == 200, 5)
        eventually(lambda: curl("h2", URL, ca_pem=authority.pem).header("alt-svc").startswith("h3="), 5)


def envoy_pid(up: Up) -> int:
    (key,) = up.status()["gateways"]
    wanted = str(up.instance.gateway(key))
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode()
            if wanted in words and "envoy" in words.split("\0")[0]:
                return int(process.name)
    raise AssertionError("no Envoy of this instance runs")
