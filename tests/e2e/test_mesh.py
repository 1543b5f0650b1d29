"""The gateway and a sidecar know each other: mutual TLS, who asked, who may, and certificates that change."""

import base64
import contextlib
import json
import socket
import ssl
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.authority.identity import Identity
from mizzen.authority.issue import issue
from mizzen.authority.root import certificates_pem, key_pem, key_usage
from mizzen.authority.store import RootStore
from mizzen.probe.load import Load
from tests.harness import gateway
from tests.harness.clients import asked, curl
from tests.harness.gateway import HOST, Authority, Up, eventually, replace_file
from tests.harness.mesh import workload

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/headers"
MESH = "spiffe://cluster.local/ns"
GATEWAY = f"{MESH}/istio-system/sa/istio-ingressgateway-service-account"


def policy(kind: str, spec: str) -> str:
    return (
        f"---\napiVersion: security.istio.io/v1\nkind: {kind}\n"
        f"metadata: {{name: p, namespace: shop}}\nspec: {spec}\n"
    )


def write(folder: Path, authority: Authority, sidecar: int, application: int, more: str = "") -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "workload.yaml").write_text(workload(sidecar, application, more))
    route = gateway.route(port=1).replace("backend.test", "backend.shop.svc.cluster.local")
    (folder / "route.yaml").write_text(route)


@pytest.fixture
def port() -> int:
    return gateway.free_port()


def seen(authority: Authority, protocol: str = "h2", **headers: str) -> dict[str, str]:
    """The headers that reach the application."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = curl(protocol, URL, ca_pem=authority.pem, headers=given)
    assert answer.status == 200, str(answer)
    found: dict[str, str] = json.loads(answer.text)["headers"]
    return found


def leaf(up: Up, proxy: str) -> str:
    """The serial number of a proxy's own certificate, as its Envoy has it."""
    rows = up.mizzen("proxy-config", "secret", proxy).stdout.splitlines()
    return next(row.split()[5] for row in rows if row.startswith("default "))


def digest(up: Up, proxy: str) -> str:
    """SHA-256 of a proxy's own certificate (DER)."""
    [own] = [
        one
        for one in json.loads(up.mizzen("proxy-config", "secret", proxy, "-o", "json").stdout)
        if one["name"] == "default"
    ]
    chain = base64.b64decode(own["tlsCertificate"]["certificateChain"]["inlineBytes"])
    return x509.load_pem_x509_certificate(chain).fingerprint(hashes.SHA256()).hex()


def test_the_application_is_told_who_asked_and_nobody_can_pretend(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    write(folder, authority, port, httpbin)
    with gateway.up(folder, "--sidecar", "shop/vm") as up:
        for protocol in ("h1", "h2", "h3"):
            headers = seen(
                authority, protocol, x_forwarded_client_cert="By=me;URI=spiffe://cluster.local/forged"
            )
            told = headers["X-Forwarded-Client-Cert"]
            assert told.startswith(f"By={MESH}/shop/sa/backend;Hash=")
            assert told.endswith(f';Subject="";URI={GATEWAY}')
            assert "forged" not in told
            assert f"Hash={digest(up, 'istio-ingressgateway.istio-system')};" in told


def test_strict_refuses_plain_connections_and_permissive_takes_them(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    write(folder, authority, port, httpbin)
    plain = f"http://localhost:{port}/get"
    with gateway.up(folder, "--sidecar", "shop/vm"):
        assert curl("h1", plain).status == 200
        replace_file(
            folder / "workload.yaml",
            workload(port, httpbin, policy("PeerAuthentication", "{mtls: {mode: STRICT}}")),
        )
        eventually(lambda: curl("h1", plain).status == 0)
        assert seen(authority)["X-Forwarded-Client-Cert"]
        # Somebody with a certificate of another authority is no workload of the mesh.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        assert not answered(context, port)


def answered(context: ssl.SSLContext, port: int) -> bytes:
    """The first byte of an answer over TLS; none when the handshake or the request is refused."""
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5)) as stream:
            stream.sendall(b"GET /get HTTP/1.1\r\nHost: a\r\n\r\n")
            return stream.recv(1)
    except OSError:
        return b""


def test_a_workload_lets_in_whom_its_policy_names(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    allow = "{rules: [{from: [{source: {principals: [PRINCIPAL]}}]}]}"
    own = allow.replace("PRINCIPAL", "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account")
    write(folder, authority, port, httpbin, policy("AuthorizationPolicy", own))
    with gateway.up(folder, "--sidecar", "shop/vm"):
        assert curl("h2", URL, ca_pem=authority.pem).status == 200
        assert (
            curl("h1", f"http://localhost:{port}/get").status == 403
        )  # nobody's certificate is nobody's name
        other = policy("AuthorizationPolicy", allow.replace("PRINCIPAL", "cluster.local/ns/other/sa/other"))
        replace_file(folder / "workload.yaml", workload(port, httpbin, other))
        eventually(lambda: curl("h2", URL, ca_pem=authority.pem).status == 403)
        namespaces = policy(
            "AuthorizationPolicy", "{rules: [{from: [{source: {namespaces: [istio-system]}}]}]}"
        )
        replace_file(folder / "workload.yaml", workload(port, httpbin, namespaces))
        eventually(lambda: curl("h2", URL, ca_pem=authority.pem).status == 200)


def test_certificates_that_live_for_seconds_are_renewed_under_load_without_a_failure(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    write(folder, authority, port, httpbin)
    brief = {"DEFAULT_WORKLOAD_CERT_TTL": "4s"}
    with gateway.up(folder, "--sidecar", "shop/vm", environment=brief) as up:
        before = {leaf(up, proxy) for proxy in ("vm.shop", "istio-ingressgateway.istio-system")}
        loads = [
            Load(asked(protocol, URL, ca_pem=authority.pem), in_flight=4, rate=50.0)
            for protocol in ("h1", "h2", "h3")
        ]
        with contextlib.ExitStack() as running:
            for one in loads:
                running.enter_context(one)
            time.sleep(9)  # more than two lives: every certificate in use has been replaced
        for one in loads:
            assert one.tally.failed == 0, str(one.tally)
            assert one.tally.ok > 100
        after = {leaf(up, proxy) for proxy in ("vm.shop", "istio-ingressgateway.istio-system")}
        assert not before & after


def test_the_root_outlives_a_restart_and_its_key_is_for_its_owner_alone(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    write(folder, authority, port, httpbin)
    roots = []
    with tempfile.TemporaryDirectory(prefix="mz-") as run_dir:
        for _ in range(2):
            up = Up(folder, Path(run_dir), "--sidecar", "shop/vm")
            try:
                up.wait_ready()
                assert seen(authority)["X-Forwarded-Client-Cert"]
            finally:
                up.stop()
            kept = Path(run_dir) / "authority"
            roots.append((kept / "root-cert.pem").read_bytes())
            assert (kept / "authority.json").stat().st_mode & 0o077 == 0
            logs = b"".join(path.read_bytes() for path in (Path(run_dir) / "logs").iterdir())
            assert b"PRIVATE KEY" not in logs
    assert roots[0] == roots[1]


def test_who_connects_in_plaintext_cannot_say_who_asked(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    write(folder, authority, port, httpbin)
    with gateway.up(folder, "--sidecar", "shop/vm"):
        forged = {"x-forwarded-client-cert": f"By=me;URI={GATEWAY}"}
        answer = curl("h1", f"http://localhost:{port}/headers", headers=forged)
        assert answer.status == 200
        assert "Forwarded-Client-Cert" not in answer.text


def test_a_plugged_in_authority_signs_and_its_chain_reaches_the_peers(
    folder: Path, authority: Authority, httpbin: int, port: int, tmp_path: Path
) -> None:
    above, below = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = ca_certificate("root", above, "root", above)
    signed = ca_certificate("below", below, "root", above)
    files = {
        "root-cert.pem": certificates_pem((root,)),
        "ca-cert.pem": certificates_pem((signed,)),
        "ca-key.pem": key_pem(below),
        "cert-chain.pem": certificates_pem((signed, root)),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    write(folder, authority, port, httpbin)
    with gateway.up(folder, "--sidecar", "shop/vm", "--ca-dir", str(tmp_path)) as up:
        assert seen(authority)["X-Forwarded-Client-Cert"].endswith(GATEWAY)
        held = up.mizzen("proxy-config", "secret", "vm.shop", "-o", "json").stdout
        [own] = [one for one in json.loads(held) if one["name"] == "default"]
        chain = base64.b64decode(own["tlsCertificate"]["certificateChain"]["inlineBytes"])
        assert len(x509.load_pem_x509_certificates(chain)) == 2


def ca_certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """Of an authority, signed by another (or by itself)."""
    now = datetime.now(UTC)
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (issuer, name)]
    return (
        x509.CertificateBuilder(issuer_name=names[0], subject_name=names[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(key_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )


def test_an_application_reaches_others_through_its_sidecar(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    out = gateway.free_port()
    more = f"""
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: far, namespace: shop}}
spec:
  hosts: [far.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: {out}, name: http, protocol: HTTP}}]
  endpoints: [{{address: 127.0.0.1, ports: {{http: {httpbin}}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: far, namespace: shop}}
spec:
  hosts: [far.test]
  http:
  - match: [{{uri: {{prefix: /gone}}}}]
    directResponse: {{status: 410}}
  - route: [{{destination: {{host: far.test}}}}]
"""
    write(folder, authority, port, httpbin)
    text = (
        workload(port, httpbin).rstrip()
        + f"\n  egress: [{{port: {{number: {out}, protocol: HTTP, name: out}}, hosts: ['./far.test']}}]\n"
    )
    (folder / "workload.yaml").write_text(text + more)
    with gateway.up(folder, "--sidecar", "shop/vm"):
        asked = {"Host": "far.test"}
        assert curl("h1", f"http://localhost:{out}/get", headers=asked).status == 200
        assert curl("h1", f"http://localhost:{out}/gone", headers=asked).status == 410
        assert curl("h1", f"http://localhost:{out}/get", headers={"Host": "other.test"}).status == 404


def chunked(stream: BinaryIO) -> bytes:
    """A body in chunks (RFC 9112, section 7.1)."""
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def test_spans_go_to_the_collector_that_is_named(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    spans: list[dict[str, Any]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            spans.extend(json.loads(chunked(self.rfile)))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"127.0.0.1:{server.server_port}"
        write(folder, authority, port, httpbin)
        (folder / "mesh.yaml").write_text(
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: mesh}\n"
            f"spec: {{meshConfig: {{defaultConfig: {{tracing: {{sampling: 100, zipkin: {{address: '{where}'}}}}}}}}}}\n"
        )
        with gateway.up(folder, "--sidecar", "shop/vm"):
            headers = eventually(lambda: seen(authority, "h2"))
            assert headers["X-B3-Sampled"] == "1"
            eventually(lambda: [one for one in spans if one["traceId"] == headers["X-B3-Traceid"]], 15.0)
        server.shutdown()
    kinds = {one["kind"] for one in spans if one["traceId"] == headers["X-B3-Traceid"]}
    assert {"SERVER", "CLIENT"} & kinds


def test_a_server_of_the_mesh_takes_its_workloads_alone_over_tcp_and_quic(
    folder: Path, authority: Authority, httpbin: int, port: int
) -> None:
    write(folder, authority, port, httpbin)
    mutual = gateway.gateway(mode="ISTIO_MUTUAL").replace("      credentialName: shop-tls\n", "")
    (folder / "gateway.yaml").write_text(mutual)
    with gateway.up(folder, "--sidecar", "shop/vm") as up:
        key = ec.generate_private_key(ec.SECP256R1())
        roots = RootStore(up.instance.authority, trust_domain="cluster.local").open(datetime.now(UTC))
        issued = issue(
            roots.active,
            key.public_key(),
            identity=Identity(namespace="other", service_account="caller"),
            now=datetime.now(UTC),
            lifetime=timedelta(hours=1),
            serial=x509.random_serial_number(),
        )
        shown = {"client_cert_pem": issued.pem, "client_key_pem": key_pem(key)}
        for protocol in ("h1", "h2", "h3"):
            # A workload's certificate names no host: its SPIFFE name is what proxies judge.
            taken = eventually(lambda p=protocol: _taken(p, shown))
            assert "URI=spiffe://cluster.local/ns/other/sa/caller" in taken
            assert curl(protocol, URL, verify=False, timeout=2).status == 0


def _taken(protocol: str, shown: dict[str, str]) -> str:
    answer = curl(protocol, URL, verify=False, **shown)
    return answer.text if answer.status == 200 else ""
