"""From a change of a file to its being served, with 1, 100 and 1,000 VirtualServices."""

import statistics
import tempfile
import time
from pathlib import Path

import gateway
from clients import asked
from gateway import Authority, replace_file

from mizzen.probe.client import Session

CHANGES = 15


def host(number: int) -> str:
    return f"host-{number}.shop.test"


def main() -> None:
    authority = Authority()
    print(f"\nFrom a file change to its being served, in ms ({CHANGES} changes, one file per VirtualService)")
    print(f"{'hosts':>8}{'min':>8}{'median':>8}{'max':>8}")
    for count in (1, 100, 1_000):
        measured = sorted(measure(authority, count))
        middle = statistics.median(measured)
        print(f"{count:8}{measured[0]:8.0f}{middle:8.0f}{measured[-1]:8.0f}", flush=True)


def measure(authority: Authority, count: int) -> list[float]:
    found = []
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        pair = authority.server("*.shop.test")
        (folder / "secret.yaml").write_text(gateway.secret("shop-tls", pair))
        (folder / "gateway.yaml").write_text(gateway.gateway("*.shop.test"))
        for number in range(count):
            (folder / f"route-{number}.yaml").write_text(
                gateway.route(host(number), name=f"route-{number}", header="0")
            )
        changed = count // 2
        request = asked("h2", f"https://{host(changed)}:8443/", ca_pem=authority.pem)
        with gateway.up(folder), Session() as session:
            for version in range(1, CHANGES + 1):
                text = gateway.route(host(changed), name=f"route-{changed}", header=str(version))
                time.sleep(0.2)  # each change by itself
                begin = time.monotonic()
                replace_file(folder / f"route-{changed}.yaml", text)
                while session.fetch(request).header("x-version") != str(version):
                    if time.monotonic() - begin > 10:
                        raise SystemExit("bench: the change is not served")
                found.append((time.monotonic() - begin) * 1e3)
    return found
