"""Certificates in files: on one machine and beside a proxy of another, rotated as people and Kubernetes do it."""

import hashlib
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from mizzen.demo import certificates
from mizzen.demo.certificates import KeyPair
from tests.e2e.test_comeback import alt_svc
from tests.e2e.test_network import EDGE, Site
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, eventually, route

pytestmark = pytest.mark.e2e

OTHER = "other.test"


def site(folder: Path) -> str:
    """A server whose certificate lies where `folder` is mounted, and a neighbour whose files are never there."""
    return f"""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: shop, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - port: {{number: 443, name: https, protocol: HTTPS}}
    hosts: [{HOST}]
    tls: {{mode: SIMPLE, serverCertificate: {folder}/tls.crt, privateKey: {folder}/tls.key}}
  - port: {{number: 443, name: https-clients, protocol: HTTPS}}
    hosts: [{OTHER}]
    tls: {{mode: MUTUAL, serverCertificate: {folder}/tls.crt, privateKey: {folder}/tls.key, caCertificates: {folder}/ca.pem,
      caCrl: {folder}/crl.pem}}
  - port: {{number: 443, name: https-gone, protocol: HTTPS}}
    hosts: [gone.test]
    tls: {{mode: SIMPLE, serverCertificate: {folder}/gone.crt, privateKey: /etc/ssl/gone.key}}
---
{route("*")}"""


def revocations(authority: Authority, revoked: KeyPair | None) -> bytes:
    """What an authority has revoked: one certificate, or none."""
    issuer = x509.load_pem_x509_certificate(authority.pair.certificate)
    key = load_pem_private_key(authority.pair.key, None)
    now = datetime.now(UTC)
    made = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    made = made.last_update(now - timedelta(hours=1)).next_update(now + timedelta(days=1))
    if revoked is not None:
        serial = x509.load_pem_x509_certificate(revoked.certificate).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        made = made.add_revoked_certificate(entry.build())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


class Mount:
    """A Secret as the kubelet mounts it: links into a folder, whose name is a link that is swapped."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder, self.authority, self.count = folder, authority, 0
        for name in ("tls.crt", "tls.key", "ca.pem", "crl.pem"):
            (folder / name).symlink_to(f"..data/{name}")

    def write(self, pair: KeyPair, key: bytes | None = None, revoked: KeyPair | None = None) -> None:
        self.count += 1
        versioned = self.folder / f"..v{self.count}"
        versioned.mkdir()
        (versioned / "tls.crt").write_bytes(pair.certificate)
        (versioned / "tls.key").write_bytes(key if key is not None else pair.key)
        (versioned / "ca.pem").write_text(self.authority.pem)
        (versioned / "crl.pem").write_bytes(revocations(self.authority, revoked))
        (self.folder / "..data_tmp").symlink_to(versioned.name)
        (self.folder / "..data_tmp").replace(self.folder / "..data")


def connected() -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", 8443), 5), server_hostname=HOST)


def asked(connection: ssl.SSLSocket) -> bytes:
    connection.sendall(f"GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode())
    return connection.recv(65536)


def shown() -> str:
    """The certificate that is shown now, or why none is."""
    try:
        with connected() as connection:
            return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()
    except OSError as error:
        return str(error)


def known(protocol: str, authority: Authority, client: KeyPair) -> int:
    """The status for who shows that certificate where clients must show one; 0: no answer."""
    shown = {"client_cert_pem": client.certificate.decode(), "client_key_pem": client.key.decode()}
    return curl(protocol, f"https://{OTHER}:8443/", ca_pem=authority.pem, verify=False, **shown).status


def digest(pair: KeyPair) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.certificate.decode())).hexdigest()


@pytest.fixture
def certs() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mz-certs-") as folder:
        yield Path(folder)


def test_files_are_followed_and_no_connection_is_closed(certs: Path, tmp_path: Path) -> None:
    authority = Authority()
    first, second, third = (authority.server(HOST) for _ in range(3))
    mount = Mount(certs, authority)
    mount.write(first)
    (tmp_path / "site.yaml").write_text(site(certs))
    with gateway.up(tmp_path, "--certificates-in", str(certs)) as up:
        assert shown() == digest(first)
        said = up.read()
        assert "gone.crt cannot be used: no such file" in said
        with connected() as kept:
            assert b"200" in asked(kept)
            mount.write(second)  # as Kubernetes does it
            eventually(lambda: shown() == digest(second))
            # A key of another certificate: told, and what was good stays.
            mount.write(third, key=first.key)
            eventually(lambda: "does not belong to the certificate" in up.read(0.1))
            assert shown() == digest(second)
            mount.write(third)
            eventually(lambda: shown() == digest(third))
            # In place, with a moment in which half of it is written.
            real = Path(os.path.realpath(certs / "tls.key"))
            real.write_bytes(second.key[:60])
            Path(os.path.realpath(certs / "tls.crt")).write_bytes(second.certificate)
            real.write_bytes(second.key)
            eventually(lambda: shown() == digest(second))
            (certs / "tls.key").unlink()
            eventually(lambda: "tls.key cannot be used: no such file" in up.read(0.1))
            assert shown() == digest(second)
            assert b"200" in asked(kept)
        client, revoked = (
            certificates.client("client.test", authority.pair, gateway.now()) for _ in range(2)
        )
        for protocol in ("h1", "h2", "h3"):
            assert curl(protocol, f"https://{HOST}:8443/", ca_pem=authority.pem).status == 200
            refused = curl(protocol, f"https://{OTHER}:8443/", ca_pem=authority.pem)
            assert refused.status == 0
            for one in (client, revoked):
                assert known(protocol, authority, one) == 200
        (certs / "tls.key").symlink_to("..data/tls.key")
        mount.write(third, revoked=revoked)
        eventually(lambda: known("h2", authority, revoked) == 0)
        for protocol in ("h1", "h2", "h3"):
            assert (known(protocol, authority, revoked), known(protocol, authority, client)) == (0, 200)


def test_files_beside_a_proxy_of_another_machine(
    certs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    first, second = authority.server(HOST), authority.server(HOST)
    mount = Mount(certs, authority)
    (tmp_path / "site.yaml").write_text(site(certs))
    monkeypatch.setenv("MIZZEN_CERTIFICATES_IN", str(certs))
    with tempfile.TemporaryDirectory(prefix="mz-") as root:
        network = Site(folder=tmp_path, root=Path(root))
        try:
            network.pilot()
            network.proxy("router", EDGE, network.token(EDGE[1], EDGE[2]))
            network.wait_ready(EDGE[0])
            mount.write(first)  # it comes later than the gateway
            eventually(lambda: shown() == digest(first), 20.0)
            with connected() as kept:
                mount.write(second)
                eventually(lambda: shown() == digest(second))
                assert b"200" in asked(kept)
            eventually(lambda: "h3=" in alt_svc(authority), 20.0)
            assert curl("h3", f"https://{HOST}:8443/", ca_pem=authority.pem).status == 200
            assert "gone.crt cannot be used" in network.log(EDGE[0])
        finally:
            network.stop()
