"""The command that opens the demo in a browser."""

import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from mizzen.demo import certificates
from mizzen.demo.browsers import chromium_command, key_hash

HOST = "shop.test"


def leaf() -> str:
    now = datetime.now(UTC)
    return certificates.server(HOST, certificates.authority("Test", now), now).certificate.decode()


def test_the_hash_of_a_key_is_that_of_openssl(tmp_path: Path) -> None:
    pem = leaf()
    (tmp_path / "leaf.pem").write_text(pem)
    steps = (
        f"openssl x509 -in {tmp_path}/leaf.pem -pubkey -noout | openssl pkey -pubin -outform der"
        " | openssl dgst -sha256 -binary | openssl base64"
    )
    done = subprocess.run(["sh", "-c", steps], capture_output=True, text=True, check=True)
    assert key_hash(pem) == done.stdout.strip()


def test_the_command_can_be_pasted_into_a_shell() -> None:
    pem = leaf()
    words = shlex.split(chromium_command(HOST, 8443, "/headers", pem, Path("a folder/profile")))
    assert words == [
        "chromium",
        "--user-data-dir=a folder/profile",
        "--host-resolver-rules=MAP shop.test 127.0.0.1",
        f"--ignore-certificate-errors-spki-list={key_hash(pem)}",
        "--origin-to-force-quic-on=shop.test:8443",
        "https://shop.test:8443/headers",
    ]
