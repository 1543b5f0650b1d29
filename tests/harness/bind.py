"""A real name server: BIND (Debian's bind9), with one zone that a key may update."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mizzen.model.dns import TsigKey

KEY = TsigKey(
    name="update-key", algorithm="hmac-sha256", secret="c2VjcmV0IG9mIDMyIGJ5dGVzIGluIGFsbCwgaSB0aGluaw=="
)
NEEDED = ("named", "named-checkzone", "nsupdate")
_SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"

HEADER = """$TTL 60
@ IN SOA ns.example.com. admin.example.com. 1 60 60 600 1
@ IN NS ns.example.com.
ns IN A 127.0.0.1
"""


def path_of(program: str) -> str | None:
    return shutil.which(program, path=_SBIN)


NSUPDATE = path_of("nsupdate") or "nsupdate"
needs_bind = pytest.mark.skipif(
    not all(map(path_of, NEEDED)), reason="BIND is not installed (Debian packages bind9, bind9-dnsutils)"
)


@dataclass(slots=True)
class Bind:
    """One that runs, at 127.0.0.1."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self) -> None:
        named = path_of("named")
        assert named is not None
        before = len(self.log)
        with (self.folder / "log").open("ab") as log:
            command = [named, "-g", "-n", "1", "-c", str(self.folder / "named.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 20
        while not re.search(r" running$", self.log[before:], re.MULTILINE):
            assert self.process.poll() is None and time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()  # its journal is written with each update
            self.process.wait(20)
            self.process = None


@contextmanager
def bind(folder: Path, records: str, zone: str = "example.com") -> Iterator[Bind]:
    """BIND with these records in a zone, which KEY may update. More of a second key: it may update nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "zone").write_text(HEADER + records)
    (folder / "named.conf").write_text(
        f"""
        key "{KEY.name}" {{ algorithm {KEY.algorithm}; secret "{KEY.secret}"; }};
        key "powerless" {{ algorithm {KEY.algorithm}; secret "{KEY.secret}"; }};
        options {{
          directory "{folder}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
          recursion no; dnssec-validation no; session-keyfile none; notify no; empty-zones-enable no;
        }};
        controls {{ }};
        zone "{zone}" {{ type primary; file "zone"; allow-update {{ key "{KEY.name}"; }}; }};
        """
    )
    server = Bind(folder=folder, port=port)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def load_fault(folder: Path, zone: str, text: str) -> str:
    """What BIND has against a zone file that includes `text`; "" when it loads it."""
    checker = path_of("named-checkzone")
    assert checker is not None
    (folder / "included").write_text(text)
    (folder / "whole").write_text(f"{HEADER}$INCLUDE {folder / 'included'}\n")
    done = subprocess.run(
        [checker, "-i", "local", zone, str(folder / "whole")], capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
