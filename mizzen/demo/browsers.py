"""The command that opens the demo in a browser. docs/browsers.md tells what each browser needs, and why."""

import base64
import hashlib
import shlex
from pathlib import Path


def key_hash(certificate_pem: str) -> str:
    """SHA-256 of a certificate's public key in base64, as Chromium's `--ignore-certificate-errors-spki-list` takes it."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


def chromium_command(host: str, port: int, path: str, certificate_pem: str, profile: Path) -> str:
    """A line for the shell: a profile of its own that finds `host` here, trusts this certificate alone, and speaks QUIC to
    it (Chromium follows no alt-svc to the certificate of a private authority)."""
    words = [
        "chromium",
        f"--user-data-dir={profile}",
        f"--host-resolver-rules=MAP {host} 127.0.0.1",
        f"--ignore-certificate-errors-spki-list={key_hash(certificate_pem)}",
        f"--origin-to-force-quic-on={host}:{port}",
        f"https://{host}:{port}{path}",
    ]
    return shlex.join(words)
