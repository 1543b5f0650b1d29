"""Many HTTPS servers, each of a Gateway of its own, with their HTTP/3 mirrors: start, one change, and rest."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure import cpu_seconds
from bench.running import processes
from mizzen.node import instance as running
from mizzen.probe.client import Session
from tests.harness import gateway
from tests.harness.clients import asked
from tests.harness.gateway import Authority, replace_file

CHANGES, POLLS, REST_SECONDS = 10, 20, 30.0
START_SECONDS = 120.0  # that a thousand may take


def host(number: int) -> str:
    return f"host-{number}.shop.test"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench servers", description=__doc__)
    parser.add_argument("--servers", type=int, nargs="+", default=[250, 500, 1_000])
    chosen = parser.parse_args(arguments)
    authority = Authority()
    print("\nN Gateways with one HTTPS server each, all with a mirror (CPU of the control plane, in ms)")
    heads = ("N", "ready s", "announced s", "CPU to there", "change ms", "CPU of it", "brief", "status")
    print("".join(f"{head:>14}" for head in (*heads, "rest, plane %", "supervisor %", "Envoy %")))
    for count in chosen.servers:
        print("".join(f"{value:14.1f}" for value in measure(authority, count)), flush=True)


def measure(authority: Authority, count: int) -> tuple[float, ...]:
    """One row of the table."""
    gateway.START_SECONDS = START_SECONDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, authority, count)
        began = time.monotonic()
        with gateway.up(folder) as up, Session() as session:
            ready = time.monotonic() - began
            whole = announced(up, count) - began
            plane, supervisor, envoy = up.status()["pid"], up.process.pid, processes(up).envoy
            to_there = cpu_seconds(plane) * 1e3
            before = cpu_seconds(plane)
            changes = [change(folder, authority, session, count // 2, one) for one in range(1, CHANGES + 1)]
            cost = (cpu_seconds(plane) - before) / CHANGES * 1e3
            brief, status = (polled(up, page) for page in ("/brief", "/status"))
            time.sleep(5.0)
            pids = (plane, supervisor, envoy)
            at = [cpu_seconds(pid) for pid in pids]
            time.sleep(REST_SECONDS)
            rest = [(cpu_seconds(pid) - old) / REST_SECONDS * 100 for pid, old in zip(pids, at, strict=True)]
    middle = statistics.median(changes)
    return (count, ready, whole, to_there, middle, cost, brief, status, *rest)


def write(folder: Path, authority: Authority, count: int) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server("*.shop.test")))
    for number in range(count):
        name = f"shop-{number}"
        (folder / f"gateway-{number}.yaml").write_text(gateway.gateway(host(number), name=name))
        (folder / f"route-{number}.yaml").write_text(route(number, 0))


def route(number: int, version: int) -> str:
    return gateway.route(
        host(number), name=f"route-{number}", header=str(version), gateway_name=f"shop-{number}"
    )


def announced(up: gateway.Up, count: int) -> float:
    """When every mirror was."""
    for _ in range(600):
        (envoy,) = up.status()["gateways"].values()
        if sum(one["announced"].startswith("h3") for one in envoy["mirrors"]) == count:
            return time.monotonic()
        time.sleep(0.5)
    raise SystemExit("bench: mirrors are not announced")


def change(folder: Path, authority: Authority, session: Session, number: int, version: int) -> float:
    """Milliseconds from a changed file to its being served."""
    time.sleep(0.5)
    request = asked("h2", f"https://{host(number)}:8443/", ca_pem=authority.pem)
    begin = time.monotonic()
    replace_file(folder / f"route-{number}.yaml", route(number, version))
    while session.fetch(request).header("x-version") != str(version):
        if time.monotonic() - begin > 20:
            raise SystemExit("bench: the change is not served")
    return (time.monotonic() - begin) * 1e3


def polled(up: gateway.Up, page: str) -> float:
    """Milliseconds of the control plane's CPU for one question."""
    ask: Callable[[], object] = (
        (lambda: running.brief(up.instance)) if page == "/brief" else (lambda: running.status(up.instance))
    )
    pid = up.status()["pid"]
    before = cpu_seconds(pid)
    for _ in range(POLLS):
        ask()
    return (cpu_seconds(pid) - before) / POLLS * 1e3
