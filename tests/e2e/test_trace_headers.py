"""Without a collector B3 headers are made and passed on, and nobody makes spans of them."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority

pytestmark = pytest.mark.e2e

PROTOCOLS = ("h1", "h2", "h3")
THEIRS = {
    "X-B3-Traceid": "463ac35c9f6413ad48485a3953bb6124",
    "X-B3-Spanid": "a2fb4a1d1a96d312",
    "X-B3-Parentspanid": "0020000000000001",
    "X-B3-Sampled": "1",
}


@pytest.fixture(name="site")
def running(folder: Path, authority: Authority, httpbin: int) -> Iterator[gateway.Up]:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "backend.yaml").write_text(gateway.backend(httpbin))
    (folder / "route.yaml").write_text(gateway.route(port=httpbin))
    with gateway.up(folder) as up:
        yield up


def seen(authority: Authority, protocol: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers that the backend gets."""
    answer = curl(protocol, f"https://{HOST}:8443/headers", ca_pem=authority.pem, headers=dict(headers or {}))
    found: dict[str, str] = json.loads(answer.text)["headers"]
    return found


@pytest.mark.usefixtures("site")
def test_each_request_gets_a_trace_of_its_own(authority: Authority) -> None:
    received = [seen(authority, protocol) for protocol in PROTOCOLS for _ in range(20)]
    for headers in received:
        assert re.fullmatch("[0-9a-f]{32}", headers["X-B3-Traceid"])
        assert headers["X-B3-Spanid"] == headers["X-B3-Traceid"][16:]
        assert headers["X-B3-Sampled"] == "0"
        assert "X-B3-Parentspanid" not in headers
        assert headers["X-Envoy-Decorator-Operation"] == "backend.test:80/*"
    assert len({headers["X-B3-Traceid"] for headers in received}) == len(received)


@pytest.mark.usefixtures("site")
def test_the_traces_of_clients_pass_as_they_are(authority: Authority) -> None:
    for protocol in PROTOCOLS:
        headers = seen(authority, protocol, THEIRS | {"X-Envoy-Decorator-Operation": "theirs"})
        assert {name: headers.get(name) for name in THEIRS} == THEIRS
        assert headers["X-Envoy-Decorator-Operation"] == "backend.test:80/*"


def test_no_spans_are_made(site: gateway.Up) -> None:
    configuration = site.mizzen("proxy-config", "all", "-o", "json")
    assert configuration.returncode == 0, configuration.stderr
    assert "tracing" not in configuration.stdout
    assert "zipkin" not in configuration.stdout
