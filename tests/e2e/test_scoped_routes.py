"""Changes to routes, hosts and certificates close no connection, whether a table goes whole or host by host."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mizzen.node.instance import get
from mizzen.probe.client import Answer, Session
from tests.e2e.test_under_load import PASSED_THROUGH, answering_pid, assert_nothing_failed, load
from tests.harness import gateway
from tests.harness.clients import asked, curl
from tests.harness.gateway import HOST, Authority, eventually
from tests.harness.issuer import ISSUER, Issuer

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/"
PROTOCOLS = ("h1", "h2", "h3")
GATEWAY = "istio-ingressgateway.istio-system"
TABLE = "https.443.https-shop.shop.istio-system"
ALWAYS = {"MIZZEN_SCOPED_ROUTES": "always"}
CORS = """
    corsPolicy:
      allowOrigins:
      - exact: https://page.test
      exposeHeaders: [x-shown]
"""


class Clients:
    """A client of each protocol, with a connection of its own that stays open."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.sessions = {protocol: Session() for protocol in PROTOCOLS}

    def ask(self, host: str = HOST, **headers: str) -> dict[str, Answer]:
        return {
            protocol: session.fetch(
                asked(protocol, URL, ca_pem=self.authority.pem, headers={"Host": host, **headers})
            )
            for protocol, session in self.sessions.items()
        }


@contextlib.contextmanager
def clients(authority: Authority) -> Iterator[Clients]:
    one = Clients(authority)
    with contextlib.ExitStack() as stack:
        for session in one.sessions.values():
            stack.enter_context(session)
        yield one


def stats(up: gateway.Up, pattern: str) -> dict[str, int]:
    """Counters and gauges of Envoy's, the last part of their names alone; those of one name are added up."""
    _, text = get(up.instance.admin_socket(GATEWAY), f"/stats?filter={pattern}")
    found: dict[str, int] = {}
    for line in text.decode().splitlines():
        name, _, value = line.rpartition(": ")
        if value.isdigit():
            found[name.rpartition(".")[2]] = found.get(name.rpartition(".")[2], 0) + int(value)
    return found


def drained(up: gateway.Up) -> dict[str, int]:
    """All by which a listener or a chain lets go of its connections."""
    return stats(
        up,
        "^(listener_manager.(listener_(modified|removed|in_place_updated)|total_.*draining)|listener.*_8443.*cx_destroy)",
    )


def names(up: gateway.Up, section: str) -> list[str]:
    done = up.mizzen("proxy-config", section, GATEWAY, "-o", "json")
    assert done.returncode == 0, done.stderr
    return [one.get("name", "") for one in json.loads(done.stdout)]


def write(folder: Path, authority: Authority) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway("*"))
    (folder / "route.yaml").write_text(gateway.route())
    (folder / "other.yaml").write_text(gateway.route("other.test", name="other"))


def version_is(of: Clients, version: str, host: str = HOST) -> Any:
    return lambda: {one.header("x-version") for one in of.ask(host).values()} == {version}


def status_is(of: Clients, status: int, host: str) -> Any:
    return lambda: {one.status for one in of.ask(host).values()} == {status}


@pytest.mark.parametrize("scoped", ["always", "never"])
def test_no_change_of_routes_or_certificates_closes_a_connection(
    folder: Path, authority: Authority, httpbin: int, scoped: str
) -> None:
    write(folder, authority)
    (folder / "backend.yaml").write_text(gateway.backend(httpbin))
    with gateway.up(folder, environment={"MIZZEN_SCOPED_ROUTES": scoped}) as up, clients(authority) as of:
        first = of.ask()
        assert [(one.status, one.reused) for one in first.values()] == [(200, False)] * 3
        before = drained(up)
        assert before

        gateway.replace_file(folder / "route.yaml", gateway.route(header="2"))  # one change of a route
        eventually(version_is(of, "2"))
        (folder / "new.yaml").write_text(gateway.route("new.test", name="new"))  # an added host
        eventually(status_is(of, 200, "new.test"))
        (folder / "other.yaml").unlink()  # a removed host
        eventually(status_is(of, 404, "other.test"))
        gateway.replace_file(
            folder / "route.yaml", gateway.route(header="3", port=httpbin).rstrip() + CORS
        )  # a first use of CORS
        eventually(version_is(of, "3"))
        allowed = of.ask(origin="https://page.test")
        assert {one.header("access-control-expose-headers") for one in allowed.values()} == {"x-shown"}
        pair = authority.server()
        gateway.replace_file(
            folder / "secret.yaml", gateway.secret("shop-tls", pair)
        )  # a rotated certificate
        eventually(lambda: curl("h2", URL, ca_pem=authority.pem).chain == (pair.certificate.decode(),))

        assert [(one.status, one.reused) for one in of.ask().values()] == [(200, True)] * 3
        after = drained(up)
        # The clients with which the certificate was looked at came and left.
        assert {**after, "downstream_cx_destroy": 0} == {**before, "downstream_cx_destroy": 0}


def test_one_changed_host_is_sent_alone(folder: Path, authority: Authority) -> None:
    write(folder, authority)
    for index in range(150):
        (folder / f"host{index}.yaml").write_text(gateway.route(f"h{index}.test", name=f"h{index}"))
    with gateway.up(folder) as up, clients(authority) as of:
        eventually(status_is(of, 200, "h149.test"))
        before = stats(up, "^cluster.xds-grpc.*upstream_cx_rx_bytes_total")

        gateway.replace_file(folder / "host7.yaml", gateway.route("h7.test", name="h7", header="2"))
        eventually(version_is(of, "2", "h7.test"))

        after = stats(up, "^cluster.xds-grpc.*upstream_cx_rx_bytes_total")
        bytes_sent = after["upstream_cx_rx_bytes_total"] - before["upstream_cx_rx_bytes_total"]
        assert 0 < bytes_sent < 2000
        assert TABLE in names(up, "routes")


def test_hosts_are_found_however_they_are_written(folder: Path, authority: Authority, httpbin: int) -> None:
    write(folder, authority)
    (folder / "backend.yaml").write_text(gateway.backend(httpbin))
    (folder / "route.yaml").write_text(gateway.route(port=httpbin))
    with gateway.up(folder, environment=ALWAYS) as up:
        for protocol in PROTOCOLS:
            for host in (HOST, "SHOP.test", "Shop.Test:8443", "shop.test:99", "SHOP.test."):
                answer = curl(protocol, f"{URL}get", ca_pem=authority.pem, headers={"Host": host})
                assert answer.status == 200, (protocol, host)
                assert f'"Host": "{host.removesuffix(".")}"' in answer.text, (protocol, host)
            for host in ("nobody.test", "NOBODY.test", "sub.shop.test"):
                answer = curl(protocol, f"{URL}get", ca_pem=authority.pem, headers={"Host": host})
                assert (answer.status, answer.header("alt-svc")) == (404, 'h3=":8443"; ma=86400'), (
                    protocol,
                    host,
                )
        rows = up.mizzen("proxy-config", "routes", GATEWAY).stdout
        listeners = up.mizzen("proxy-config", "listeners", GATEWAY).stdout
    assert [line.split() for line in rows.splitlines() if line.startswith(TABLE)] == [
        [TABLE, "other.test:443", "other.test", "/*", "other.istio-system"],
        [TABLE, "shop.test:443", "shop.test", "/*", "shop.istio-system"],
    ]
    assert listeners.count(f"Route: {TABLE}") == 2


def test_hosts_of_other_servers_are_refused_however_they_are_written(
    folder: Path, authority: Authority
) -> None:
    """421, and no word about HTTP/3, which the other server may not have."""
    write(folder, authority)
    (folder / "mq.yaml").write_text(PASSED_THROUGH)
    (folder / "gateway.yaml").write_text(gateway.gateway("*.test"))
    with gateway.up(folder, environment=ALWAYS) as up:
        assert "421" in up.mizzen("proxy-config", "routes", GATEWAY).stdout
        for protocol in PROTOCOLS:
            for host in ("mq.shop.test", "MQ.shop.test:8443"):
                answer = curl(protocol, URL, ca_pem=authority.pem, headers={"Host": host})
                assert (answer.status, answer.header("alt-svc")) == (421, ""), (protocol, host)


def test_what_was_decided_outlives_the_control_plane(folder: Path, authority: Authority) -> None:
    """A table that has shrunk stays as it is, and so do its connections; nothing is sent again."""
    write(folder, authority)
    for index in range(110):
        (folder / f"host{index}.yaml").write_text(gateway.route(f"h{index}.test", name=f"h{index}"))
    with gateway.up(folder) as up, clients(authority) as of:
        of.ask()
        for index in range(1, 110):
            (folder / f"host{index}.yaml").unlink()
        eventually(status_is(of, 404, "h109.test"))
        before = drained(up)
        pid = up.status()["pid"]

        os.kill(pid, signal.SIGKILL)
        eventually(lambda: answering_pid(up) not in (None, pid))
        gateway.replace_file(folder / "route.yaml", gateway.route(header="2"))
        eventually(version_is(of, "2"))

        assert {one.reused for one in of.ask().values()} == {True}
        assert drained(up) == before
        eventually(lambda: up.status()["gateways"][GATEWAY]["synced"])


def test_a_wildcard_that_comes_is_told_and_drops_nothing(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority)
    (folder / "backend.yaml").write_text(gateway.backend(httpbin))
    (folder / "route.yaml").write_text(gateway.route(port=httpbin))
    with gateway.up(folder, environment=ALWAYS) as up:
        with load(authority, f"{URL}get") as loads:
            (folder / "wild.yaml").write_text(gateway.route("*.wild.test", name="wild"))
            for protocol in PROTOCOLS:
                eventually(
                    lambda p=protocol: (
                        curl(p, URL, ca_pem=authority.pem, headers={"Host": "a.wild.test"}).status == 200
                    )
                )
        assert_nothing_failed(loads)
        assert "RT-006" in str(up.status()["problems"])
        assert "*.wild.test" in up.mizzen("proxy-config", "routes", GATEWAY).stdout


@pytest.mark.parametrize("scoped", ["always", "never"])
def test_a_server_that_goes_serves_the_connections_that_it_has(
    folder: Path, authority: Authority, scoped: str
) -> None:
    write(folder, authority)
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "gone.yaml").write_text(
        gateway.secret("gone-tls", authority.server("gone.test"))
        + "---\n"
        + gateway.gateway("gone.test", name="gone", credential="gone-tls")
        + "---\n"
        + gateway.route("gone.test", name="gone", gateway_name="gone")
    )
    with gateway.up(folder, environment={"MIZZEN_SCOPED_ROUTES": scoped}), clients(authority) as of:

        def asks() -> dict[str, Answer]:
            url = "https://gone.test:8443/"
            return {
                protocol: session.fetch(asked(protocol, url, ca_pem=authority.pem))
                for protocol, session in of.sessions.items()
            }

        assert {one.status for one in asks().values()} == {200}
        (folder / "gone.yaml").unlink()
        eventually(lambda: curl("h2", "https://gone.test:8443/", ca_pem=authority.pem).error)
        time.sleep(0.5)  # what is taken away last has been told by then
        last = asks()
        assert [(one.status, one.reused) for one in last.values()] == [(200, True)] * 3


BY_CLAIM = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: istio-system}
spec:
  hosts: [shop.test]
  gateways: [shop]
  http:
  - match: [{headers: {"@request.auth.claims.group": {exact: staff}}}]
    directResponse: {status: 200, body: {string: staff}}
  - directResponse: {status: 200, body: {string: everybody}}
"""


def test_a_token_chooses_the_route_however_the_host_is_written(folder: Path, authority: Authority) -> None:
    """Envoy lets go of the route when it has read the token."""
    issuer = Issuer()
    write(folder, authority)
    (folder / "route.yaml").write_text(BY_CLAIM)
    (folder / "tokens.yaml").write_text(
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\n"
        "metadata: {name: token, namespace: istio-system}\n"
        f"spec:\n  jwtRules:\n  - issuer: {ISSUER}\n    jwks: '{issuer.jwks}'\n"
    )
    with gateway.up(folder, environment=ALWAYS):
        for protocol in PROTOCOLS:
            for host in (HOST, "SHOP.test"):
                for group in ("staff", "guests"):
                    token = {"Authorization": f"Bearer {issuer.token(group=group)}", "Host": host}
                    answer = curl(protocol, URL, ca_pem=authority.pem, headers=token)
                    expected = "staff" if group == "staff" else "everybody"
                    assert (answer.status, answer.text) == (200, expected), (protocol, host)
