"""The walk-through's own files, as `mizzen demo` writes them for the user."""

import base64
import os
from datetime import datetime
from importlib import resources
from pathlib import Path

from mizzen.demo import certificates

HOST = "httpbin.quic-corp.com"
MANIFESTS = ("istio.yaml", "httpbin.yaml", "gateway.yaml", "route.yaml")
CA = "quiccorp-ca.crt"

SECRET = """\
# The certificate that the gateway shows, as `kubectl create secret tls httpbin-cred` would make it.
apiVersion: v1
kind: Secret
metadata:
  name: httpbin-cred
  namespace: istio-system
type: kubernetes.io/tls
data:
  tls.crt: {certificate}
  tls.key: {key}
"""

WORKLOAD_FILE = "httpbin-workload.yaml"
SIDECAR = "httpbin/httpbin-demo"  # the WorkloadEntry that gets one

WORKLOAD = """\
# Where httpbin runs on this machine, and as whom. On Kubernetes a Pod says so. Written anew by each demo.
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: httpbin-demo
  namespace: httpbin
spec:
  address: 127.0.0.1
  labels: {{app: httpbin, version: v1}}
  serviceAccount: httpbin
  ports:
    http: {sidecar_port}
---
# Nobody redirects connections on a plain machine: the sidecar opens one port and leads to another.
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata:
  name: httpbin-demo
  namespace: httpbin
spec:
  workloadSelector:
    labels: {{app: httpbin}}
  ingress:
  - port: {{number: {sidecar_port}, protocol: HTTP, name: http}}
    defaultEndpoint: 127.0.0.1:{port}
"""


def write(folder: Path, httpbin_port: int, sidecar_port: int, now: datetime) -> list[str]:
    """Write what is missing into `folder`, and say which files were written. The user's edits stay.

    Where httpbin runs is always written anew: it names the ports of this time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in MANIFESTS:
        if not (folder / name).exists():
            (folder / name).write_text(resources.files(__name__).joinpath(name).read_text())
            written.append(name)
    if not (folder / "httpbin-cred.yaml").exists() or not (folder / CA).exists():
        authority = certificates.authority("QuicCorp", now)
        server = certificates.server(HOST, authority, now)
        (folder / CA).write_bytes(authority.certificate)
        _write_private(folder / "quiccorp-ca.key", authority.key)
        secret = SECRET.format(
            certificate=base64.b64encode(server.certificate).decode(),
            key=base64.b64encode(server.key).decode(),
        )
        _write_private(folder / "httpbin-cred.yaml", secret.encode())
        written += [CA, "quiccorp-ca.key", "httpbin-cred.yaml"]
    (folder / WORKLOAD_FILE).write_text(WORKLOAD.format(port=httpbin_port, sidecar_port=sidecar_port))
    written.append(WORKLOAD_FILE)
    return written


def _write_private(path: Path, content: bytes) -> None:
    """For the owner's eyes only, from the first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
