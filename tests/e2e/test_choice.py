"""HTTP/3 is switched on, off and to itself alone while traffic flows, for a Gateway, a server and a host."""

from collections.abc import Iterator
from pathlib import Path

import pycurl
import pytest

from mizzen.probe.load import Load
from tests.e2e.test_under_load import assert_nothing_failed, load
from tests.harness import gateway
from tests.harness.clients import asked, curl
from tests.harness.gateway import Authority, Up, eventually, replace_file

pytestmark = pytest.mark.e2e

WWW, OLD, APP = (f"https://{name}.shop.test:8443/get" for name in ("www", "old", "app"))
PROMISE = 'h3=":8443"; ma=86400'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, authority: Authority, httpbin: int) -> Path:
    """A wildcard, and a server of its own for one host below it."""
    path = tmp_path_factory.mktemp("yaml")
    parts = [gateway.backend(httpbin)]
    for host, name in (("*.shop.test", "shop"), ("app.shop.test", "app")):
        parts += [
            gateway.secret(f"{name}-tls", authority.server(host)),
            gateway.gateway(host, name=name, credential=f"{name}-tls"),
            gateway.route(host, name=name, gateway_name=name, port=httpbin),
        ]
    (path / "site.yaml").write_text("---\n".join(parts))
    return path


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[Up]:
    with gateway.up(folder) as up:
        yield up


def choose(folder: Path, mode: str, name: str = "shop", hosts: str = "") -> None:
    of_hosts = f", hosts: [{hosts}]" if hosts else ""
    replace_file(
        folder / "choice.yaml",
        "apiVersion: mizzen.dev/v1alpha1\nkind: HTTP3Policy\nmetadata: {name: choice, namespace: istio-system}\n"
        f'spec: {{mode: "{mode}", targetRefs: [{{name: {name}}}]{of_hosts}}}\n',
    )


def said(one: Up, name: str) -> tuple[str, str]:
    """Why a server is not announced, and what was chosen of it."""
    [found] = [
        mirror
        for each in one.status()["gateways"].values()
        for mirror in each["mirrors"]
        if f".{name}." in mirror["server"]
    ]
    return found["reason"], found["choice"]


def test_hosts_go_and_come_back_and_others_notice_nothing(
    one: Up, folder: Path, authority: Authority
) -> None:
    def status(protocol: str, host: str = "old.shop.test") -> int:
        return curl(protocol, WWW, ca_pem=authority.pem, headers={"Host": host}).status

    with load(authority, WWW) as loads:
        assert status("h3") == 200
        choose(folder, "off", hosts="old.shop.test")
        eventually(lambda: status("h3") == 421)
        assert status("h2") == 200
        assert curl("h2", OLD, ca_pem=authority.pem).header("alt-svc") == "clear"
        eventually(lambda: curl("h3", OLD, ca_pem=authority.pem, timeout=1).error)
        choose(folder, "off", hosts="old.shop.test, new.shop.test")
        eventually(lambda: status("h3", "new.shop.test") == 421)
        assert said(one, "shop")[1] == (
            "new.shop.test, old.shop.test switched off by HTTP3Policy/istio-system/choice"
        )
        (folder / "choice.yaml").unlink()
        eventually(lambda: status("h3") == 200 and curl("h3", OLD, ca_pem=authority.pem).status == 200)
        eventually(lambda: curl("h2", OLD, ca_pem=authority.pem).header("alt-svc") == PROMISE)
    assert_nothing_failed(loads)


def test_a_server_is_had_without_tcp_and_with_it_again(one: Up, folder: Path, authority: Authority) -> None:
    over_tcp = [
        Load(asked(protocol, WWW, ca_pem=authority.pem), in_flight=2, rate=50) for protocol in ("h1", "h2")
    ]
    over_quic = [Load(asked("h3", url, ca_pem=authority.pem), in_flight=2, rate=50) for url in (APP, WWW)]
    with over_tcp[0], over_tcp[1], over_quic[0], over_quic[1]:
        for each in (*over_tcp, *over_quic):
            each.wait_for_more(5)
        choose(folder, "only", "app")
        eventually(lambda: curl("h2", APP, ca_pem=authority.pem).error)
        assert curl("h1", WWW, ca_pem=authority.pem, headers={"Host": "app.shop.test"}).status == 421
        eventually(lambda: said(one, "app") == ("", "without TCP by HTTP3Policy/istio-system/choice"))
        assert curl("h3", APP, ca_pem=authority.pem).header("alt-svc") == PROMISE
        (folder / "choice.yaml").unlink()
        eventually(lambda: curl("h2", APP, ca_pem=authority.pem).header("alt-svc") == PROMISE)
        for each in (*over_tcp, *over_quic):
            each.wait_for_more(5)
    for each in (*over_tcp, *over_quic):
        assert (each.tally.failed, each.tally.ok > 10) == (0, True), str(each.tally)


def test_a_port_without_tcp_is_not_open_for_it(one: Up, folder: Path, authority: Authority) -> None:
    """All servers of the port."""
    for name in ("shop", "app"):
        choose(folder, "only", name)
        (folder / "choice.yaml").rename(folder / f"choice-{name}.yaml")
        text = (folder / f"choice-{name}.yaml").read_text().replace("name: choice,", f"name: choice-{name},")
        (folder / f"choice-{name}.yaml").write_text(text)
    with Load(asked("h3", WWW, ca_pem=authority.pem), in_flight=2, rate=50) as over_quic:
        over_quic.wait_for_more(5)
        eventually(lambda: _is_refused(authority))
        assert curl("h3", APP, ca_pem=authority.pem).status == 200
        for name in ("shop", "app"):
            (folder / f"choice-{name}.yaml").unlink()
        eventually(lambda: curl("h2", WWW, ca_pem=authority.pem).status == 200)
        over_quic.wait_for_more(5)
    assert over_quic.tally.failed == 0, str(over_quic.tally)


def _is_refused(authority: Authority) -> bool:
    """Does nobody listen over TCP?"""
    error = curl("h2", WWW, ca_pem=authority.pem).error
    return error is not None and error.code == pycurl.E_COULDNT_CONNECT


def test_a_gateway_that_is_switched_off_is_had_until_nobody_remembers_it(
    one: Up, folder: Path, authority: Authority
) -> None:
    assert curl("h2", APP, ca_pem=authority.pem).header("alt-svc") == PROMISE
    choose(folder, "off", "app")
    eventually(lambda: curl("h2", APP, ca_pem=authority.pem).header("alt-svc") == "clear")
    assert said(one, "app")[0] == "HTTP/3 is switched off by HTTP3Policy/istio-system/choice"
    still = curl("h3", APP, ca_pem=authority.pem)
    assert (still.status, still.header("alt-svc")) == (200, "clear")
    assert curl("h2", WWW, ca_pem=authority.pem).header("alt-svc") == PROMISE
    (folder / "choice.yaml").unlink()
    eventually(lambda: curl("h2", APP, ca_pem=authority.pem).header("alt-svc") == PROMISE)
