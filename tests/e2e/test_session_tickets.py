"""Session tickets over QUIC: good at every worker, for the Envoy that comes after, and after the keys were rotated; good for
nobody but whom they were given to."""

import base64
import contextlib
import json
import os
import secrets
import signal
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aioquic.tls import SessionTicket

from mizzen.demo import certificates
from mizzen.http3.session_tickets import SEED_BYTES, Seed, Seeds, from_json, ticket_key, to_json
from tests.e2e.test_under_load import envoy_pid
from tests.harness import gateway
from tests.harness.clients import visit
from tests.harness.gateway import HOST, Authority, Up, eventually

pytestmark = pytest.mark.e2e

OTHER, DEMANDING = "other.test", "demanding.test"
VISITS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    """Three servers on one port: each has a certificate of its own, one demands certificates of clients."""
    path = tmp_path_factory.mktemp("yaml")
    for host, mode in ((HOST, "SIMPLE"), (OTHER, "SIMPLE"), (DEMANDING, "MUTUAL")):
        name = host.partition(".")[0]
        ca = authority.pem if mode == "MUTUAL" else ""
        parts = (
            gateway.secret(f"{name}-tls", authority.server(host), ca=ca),
            gateway.gateway(host, name=name, credential=f"{name}-tls", mode=mode),
            gateway.route(host, name=name, gateway_name=name),
        )
        (path / f"{name}.yaml").write_text("---\n".join(parts))
    return path


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[Up]:
    """A gateway with a worker for each CPU."""
    with gateway.up(folder) as up:
        yield up


def url(host: str = HOST) -> str:
    return f"https://{host}:8443/"


def given(authority: Authority, host: str = HOST) -> SessionTicket:
    first = visit(url(host), ca_pem=authority.pem)
    assert (first.status, first.resumed) == (200, False)
    assert first.ticket is not None
    return first.ticket


def resumed(authority: Authority, ticket: SessionTicket) -> int:
    """How many of so many visits resume."""
    seen = [visit(url(), ca_pem=authority.pem, ticket=ticket) for _ in range(VISITS)]
    assert {one.status for one in seen} == {200}
    assert not any(one.early for one in seen)
    return sum(one.resumed for one in seen)


def test_a_ticket_is_good_at_every_worker(one: Up, authority: Authority) -> None:
    assert resumed(authority, given(authority)) == VISITS


def test_a_ticket_of_one_server_is_no_good_at_another_though_the_keys_are_the_same(
    one: Up, authority: Authority
) -> None:
    ticket = given(authority)
    elsewhere = visit(url(OTHER), ca_pem=authority.pem, ticket=ticket)
    assert (elsewhere.status, elsewhere.resumed) == (200, False)
    assert elsewhere.ticket is not None
    demanding = visit(url(DEMANDING), ca_pem=authority.pem, ticket=ticket)
    assert (demanding.status, demanding.resumed) == (0, False)
    pair = certificates.client("client.test", authority.pair, gateway.now())
    welcome = visit(
        url(DEMANDING), ca_pem=authority.pem, cert_pem=pair.certificate.decode(), key_pem=pair.key.decode()
    )
    assert (welcome.status, welcome.ticket) == (200, None)


def test_a_ticket_is_good_at_the_envoy_that_comes_after(one: Up, authority: Authority) -> None:
    ticket = given(authority)
    envoy = envoy_pid(one)
    os.kill(envoy, signal.SIGKILL)
    eventually(lambda: _serves(authority), 20)
    assert envoy_pid(one) != envoy
    assert resumed(authority, ticket) == VISITS


def test_rotated_keys_read_what_was_made_with_those_before_for_the_life_of_a_ticket(
    one: Up, authority: Authority
) -> None:
    ticket = given(authority)
    _begin_anew(one, timedelta(hours=30), timedelta(hours=1))
    assert resumed(authority, ticket) == VISITS
    fresh = given(authority)
    _begin_anew(one, timedelta(hours=80), timedelta(hours=49), timedelta(hours=1))  # the first is over
    assert not visit(url(), ca_pem=authority.pem, ticket=ticket).resumed
    assert resumed(authority, fresh) == VISITS


def _begin_anew(one: Up, *ages: timedelta) -> None:
    """Another control plane, by whose clock the keys that there are, and new ones behind them, are so old."""
    file = one.instance.session_tickets
    seeds = from_json(json.loads(file.read_text())).seeds
    contents = [seed.content for seed in seeds][: len(ages) - 1]
    contents += [secrets.token_bytes(SEED_BYTES) for _ in range(len(ages) - len(contents))]
    now = datetime.now(UTC)
    made = [Seed(since=now - age, content=content) for age, content in zip(ages, contents, strict=True)]
    file.write_text(json.dumps(to_json(Seeds(seeds=tuple(made)))))
    before = one.status()["pid"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: _is_told_by_another(one, before), 20)


def _is_told_by_another(one: Up, before: int) -> bool:
    """Does another control plane serve, and has Envoy confirmed what it says?"""
    with contextlib.suppress(OSError, ValueError):
        said = one.status()
        gateways = said["gateways"].values()
        return said["pid"] != before and bool(gateways) and all(each["synced"] for each in gateways)
    return False


def _serves(authority: Authority) -> bool:
    return visit(url(), ca_pem=authority.pem, timeout=0.5).status == 200


def test_no_command_shows_a_key(one: Up, authority: Authority) -> None:
    given(authority)
    file = one.instance.session_tickets
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keys = [
        ticket_key(seed.content, "istio-ingressgateway.istio-system")
        for seed in from_json(json.loads(file.read_text())).seeds
    ]
    shown = one.mizzen("proxy-config", "all", "istio-ingressgateway.istio-system", "-o", "json").stdout
    shown += one.mizzen("proxy-config", "secret", "istio-ingressgateway.istio-system", "-o", "json").stdout
    assert "session-tickets" in shown
    for key in keys:
        for form in (base64.b64encode(key).decode(), base64.b64encode(key)[:20].decode(), key.hex()):
            assert form not in shown
