"""TLS early data over QUIC (0-RTT), where it is chosen: for safe requests, marked for backends, and never where somebody looks at
addresses."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pycurl
import pytest
from aioquic.tls import SessionTicket

from tests.harness import gateway
from tests.harness.clients import Visit, curl, visit
from tests.harness.gateway import HOST, Authority, Up, eventually

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443"
DEMANDING = "demanding.test"
POLICY = """\
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: early, namespace: istio-system}
spec: {earlyData: true}
"""
ADDRESSES = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: addresses, namespace: istio-system}
spec: {action: DENY, rules: [{from: [{source: {ipBlocks: [192.0.2.0/24]}}]}]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, authority: Authority, httpbin: int) -> Path:
    path = tmp_path_factory.mktemp("yaml")
    parts = [gateway.backend(httpbin), POLICY]
    for host, name, mode in ((HOST, "shop", "SIMPLE"), (DEMANDING, "demanding", "MUTUAL")):
        ca = authority.pem if mode == "MUTUAL" else ""
        parts += [
            gateway.secret(f"{name}-tls", authority.server(host), ca=ca),
            gateway.gateway(host, name=name, credential=f"{name}-tls", mode=mode),
            gateway.route(host, name=name, gateway_name=name, port=httpbin),
        ]
    (path / "site.yaml").write_text("---\n".join(parts))
    return path


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[Up]:
    with gateway.up(folder) as up:
        yield up


@pytest.fixture
def ticket(one: Up, authority: Authority) -> SessionTicket:
    first = visit(f"{URL}/get", ca_pem=authority.pem)
    assert first.ticket is not None
    assert (first.status, first.ticket.max_early_data_size) == (200, 2**32 - 1)
    return first.ticket


def seen(body: bytes | str) -> str | None:
    """What a backend was told."""
    headers: Mapping[str, str] = {k.lower(): v for k, v in json.loads(body)["headers"].items()}
    assert "x-mizzen-early-data" not in headers
    return headers.get("early-data")


def early(
    authority: Authority, ticket: SessionTicket, path: str, method: str = "GET", **rest: object
) -> Visit:
    """A request that comes as early data, and is taken."""
    found = visit(f"{URL}{path}", ca_pem=authority.pem, ticket=ticket, method=method, **rest)  # type: ignore[arg-type]
    assert (found.resumed, found.early) == (True, True)
    return found


def test_a_safe_request_comes_early_and_its_backend_is_told(
    authority: Authority, ticket: SessionTicket
) -> None:
    answer = early(authority, ticket, "/anything")
    assert (answer.status, seen(answer.body)) == (200, "1")
    assert early(authority, ticket, "/anything", "OPTIONS").status == 200
    assert seen(visit(f"{URL}/anything", ca_pem=authority.pem).body) is None


def test_any_other_is_too_early_and_does_not_reach_its_backend(
    authority: Authority, ticket: SessionTicket
) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "get"):
        answer = early(authority, ticket, "/anything", method, body=b"x" if method[0] == "P" else b"")
        assert (answer.status, b"Too early" in answer.body) == (425, True), method
        assert dict(answer.headers)["alt-svc"].startswith("h3=")
    websocket = {"sec-websocket-version": "13"}
    answer = early(authority, ticket, "/get", "CONNECT", headers=websocket, protocol="websocket")
    assert answer.status == 425
    assert visit(f"{URL}/anything", ca_pem=authority.pem, method="POST", body=b"x").status == 200


def test_that_a_request_came_early_is_said_by_the_gateway_alone(
    authority: Authority, ticket: SessionTicket
) -> None:
    for said in ("0", "1", "2"):
        headers = {"early-data": said, "x-mizzen-early-data": said}
        assert seen(early(authority, ticket, "/anything", headers=headers).body) == "1"
        assert early(authority, ticket, "/anything", "POST", headers=headers).status == 425
        for protocol in ("h1", "h2", "h3"):
            answer = curl(protocol, f"{URL}/anything", ca_pem=authority.pem, headers=headers, method="POST")
            assert (answer.status, seen(answer.text)) == (200, None), protocol


def test_a_backend_may_say_that_it_is_too_early(authority: Authority, ticket: SessionTicket) -> None:
    assert early(authority, ticket, "/status/425").status == 425


def test_what_was_copied_is_no_early_data_a_while_later(authority: Authority, ticket: SessionTicket) -> None:
    """By the age that the client tells of its ticket: the same first packets, sent again two minutes later."""
    aged = replace(ticket, not_valid_before=ticket.not_valid_before - timedelta(minutes=2))
    answer = visit(f"{URL}/anything", ca_pem=authority.pem, ticket=aged)
    assert (answer.status, answer.resumed, answer.early, seen(answer.body)) == (200, True, False, None)


def test_curl_sends_early_data(one: Up, authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(authority.pem)
    share = pycurl.CurlShare()
    share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_SSL_SESSION)
    told = []
    for method in ("GET", "GET", "GET", "HEAD", "POST"):
        body: list[bytes] = []
        handle = pycurl.Curl()
        handle.setopt(pycurl.NOBODY, method == "HEAD")
        if method == "POST":
            handle.setopt(pycurl.POSTFIELDS, "x")
        handle.setopt(pycurl.SHARE, share)
        handle.setopt(pycurl.URL, f"{URL}/anything")
        handle.setopt(pycurl.RESOLVE, [f"{HOST}:8443:127.0.0.1"])
        handle.setopt(pycurl.CAINFO, str(tmp_path / "ca.pem"))
        handle.setopt(pycurl.HTTP_VERSION, 31)  # HTTP/3 alone
        handle.setopt(pycurl.SSL_OPTIONS, pycurl.SSLOPT_EARLYDATA)
        handle.setopt(pycurl.WRITEFUNCTION, body.append)
        handle.perform()
        sent, status = handle.getinfo(pycurl.EARLYDATA_SENT_T), handle.getinfo(pycurl.RESPONSE_CODE)
        told.append((sent > 0, status, seen(b"".join(body)) if method == "GET" else ""))
        handle.close()
    assert told[0] == (False, 200, None)
    assert told[2:] == [(True, 200, "1"), (True, 200, ""), (True, 425, "")]


def test_it_stays_off_where_somebody_looks_at_addresses_or_certificates(
    one: Up, folder: Path, authority: Authority, ticket: SessionTicket
) -> None:
    def problems() -> str:
        return " ".join(problem["message"] for problem in one.status()["problems"])

    assert "stays off at Gateway/istio-system/demanding" in problems()
    (folder / "addresses.yaml").write_text(ADDRESSES)
    eventually(lambda: "AuthorizationPolicy/istio-system/addresses judges the addresses" in problems())

    def is_early() -> bool:
        answer = visit(f"{URL}/anything", ca_pem=authority.pem, ticket=ticket)
        return answer.early

    eventually(lambda: not is_early())
    answer = visit(f"{URL}/anything", ca_pem=authority.pem, ticket=ticket)
    assert (answer.status, answer.resumed, answer.early) == (200, True, False)
    (folder / "addresses.yaml").unlink()
    eventually(is_early)
