"""What a mirror demands, says and refuses: the same as its TCP twin."""

from pathlib import Path

import pytest

from mizzen.demo import certificates
from tests.harness import gateway
from tests.harness.clients import CERTIFICATE_REQUIRED, UNKNOWN_CA, curl, visit
from tests.harness.gateway import HOST, Authority

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/get"
ALT_SVC = 'h3=":8443"; ma=86400'


def write(folder: Path, authority: Authority, port: int, *, mode: str = "SIMPLE") -> None:
    (folder / "secret.yaml").write_text(
        gateway.secret("shop-tls", authority.server(), ca=authority.pem if mode != "SIMPLE" else "")
    )
    (folder / "gateway.yaml").write_text(gateway.gateway(mode=mode))
    (folder / "backend.yaml").write_text(gateway.backend(port))
    (folder / "route.yaml").write_text(gateway.route(port=port))


def test_every_answer_announces_the_mirror_also_the_404_of_an_unknown_host(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder):
        for protocol in ("h1", "h2", "h3"):
            answer = curl(protocol, URL, ca_pem=authority.pem)
            assert (answer.status, answer.all("alt-svc")) == (200, (ALT_SVC,))
            assert answer.header("server") == "istio-envoy"
            assert answer.header("x-envoy-upstream-service-time").isdigit()
            unknown = curl(protocol, URL, ca_pem=authority.pem, headers={"Host": "nobody.test"})
            assert (unknown.status, unknown.all("alt-svc")) == (404, (ALT_SVC,))


def test_an_upstreams_own_alt_svc_is_replaced(folder: Path, authority: Authority, httpbin: int) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder):
        url = f"https://{HOST}:8443/response-headers?alt-svc=clear"
        assert curl("h2", url, ca_pem=authority.pem).all("alt-svc") == (ALT_SVC,)


def test_the_announced_port_is_the_one_that_clients_dial(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder, "--external-port", "443:8443"):
        assert curl("h2", URL, ca_pem=authority.pem).header("alt-svc") == 'h3=":443"; ma=86400'


def test_what_the_backend_sees_is_what_istios_gateway_sends(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder):
        for protocol in ("h1", "h2", "h3"):
            forged = {"x-forwarded-client-cert": "By=spiffe://evil", "x-envoy-retry-on": "5xx"}
            seen = curl(protocol, URL, ca_pem=authority.pem, headers=forged).text
            assert "X-Forwarded-Client-Cert" not in seen
            assert '"X-Envoy-Attempt-Count": "1"' in seen
            assert '"X-Forwarded-For": "127.0.0.1"' in seen
            assert '"X-Forwarded-Proto": "https"' in seen
            assert '"X-Request-Id"' in seen


def test_a_mutual_server_demands_the_client_certificate_over_quic_too(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin, mode="MUTUAL")
    with gateway.up(folder):
        without = visit(URL, ca_pem=authority.pem)
        assert without.close_code == CERTIFICATE_REQUIRED
        stranger = certificates.client("client.test", Authority().pair, gateway.now())
        refused = visit(
            URL,
            ca_pem=authority.pem,
            cert_pem=stranger.certificate.decode(),
            key_pem=stranger.key.decode(),
        )
        assert refused.close_code == UNKNOWN_CA
        pair = certificates.client("client.test", authority.pair, gateway.now())
        welcome = visit(
            URL, ca_pem=authority.pem, cert_pem=pair.certificate.decode(), key_pem=pair.key.decode()
        )
        assert welcome.status == 200
        # A ticket of that visit must not stand in for the certificate.
        assert welcome.ticket is None
        for protocol in ("h1", "h2", "h3"):
            answer = curl(
                protocol,
                URL,
                ca_pem=authority.pem,
                client_cert_pem=pair.certificate.decode(),
                client_key_pem=pair.key.decode(),
            )
            assert (answer.status, answer.header("alt-svc")) == (200, ALT_SVC)
            assert "Subject=" in answer.text  # SANITIZE_SET: XFCC names this client


def test_without_the_switch_there_is_no_mirror_and_no_word_of_it(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder, environment={"PILOT_ENABLE_QUIC_LISTENERS": "false"}):
        assert curl("h2", URL, ca_pem=authority.pem).all("alt-svc") == ()
        assert curl("h3", URL, ca_pem=authority.pem, timeout=1).error


def test_0_rtt_is_off(folder: Path, authority: Authority, httpbin: int) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder):
        first = visit(URL, ca_pem=authority.pem)
        assert first.status == 200
        if first.ticket is not None:
            again = visit(URL, ca_pem=authority.pem, ticket=first.ticket)
            assert (again.status, again.early) == (200, False)
