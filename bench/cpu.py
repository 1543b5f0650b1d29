"""CPU per proxied request of the gateway, next to a bare Envoy with the smallest configuration."""

import argparse
import contextlib
import os
import statistics
import tempfile
from pathlib import Path

from bench import bare_envoy
from bench.measure import cpu_seconds
from bench.running import processes
from mizzen.probe.load import Load
from tests.harness import gateway
from tests.harness.clients import asked
from tests.harness.gateway import HOST, Authority

UPSTREAM, BARE = 18080, 18443
REQUESTS = 5_000
ROUNDS = 3


def cost(pid: int, protocol: str, port: int, authority: Authority) -> float:
    """Microseconds of the process per request."""
    request = asked(protocol, f"https://{HOST}:{port}/", ca_pem=authority.pem, timeout=30)
    load = Load(request, in_flight=20)
    load.run(count=300)  # connections are there, caches warm
    before = cpu_seconds(pid)
    tally = load.run(count=REQUESTS)
    if tally.failed:
        raise SystemExit(f"bench: {tally}")
    return (cpu_seconds(pid) - before) / REQUESTS * 1e6


def main(arguments: list[str]) -> None:
    argparse.ArgumentParser(prog="bench cpu", description=__doc__).parse_args(arguments)
    authority = Authority()
    pair = authority.server()
    bare = bare_envoy.proxy(BARE, UPSTREAM, pair.certificate.decode(), pair.key.decode())
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "secret.yaml").write_text(gateway.secret("shop-tls", pair))
        (folder / "gateway.yaml").write_text(gateway.gateway())
        (folder / "backend.yaml").write_text(gateway.backend(UPSTREAM))
        (folder / "route.yaml").write_text(gateway.route(port=UPSTREAM))
        stack.enter_context(bare_envoy.envoy(bare_envoy.backend(UPSTREAM)))
        bare_pid = stack.enter_context(bare_envoy.envoy(bare, concurrency=os.cpu_count() or 1))
        up = stack.enter_context(gateway.up(folder))
        pid = processes(up).envoy
        print(
            f"CPU per request in us ({REQUESTS} requests, 20 in flight, median of {ROUNDS} rounds, HTTP/1.1 upstream)"
        )
        print(f"{'':10}{'mizzen':>10}{'bare':>10}{'ratio':>8}")
        for protocol in ("h1", "h2", "h3"):
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(cost(pid, protocol, 8443, authority))
                theirs.append(cost(bare_pid, protocol, BARE, authority))
            a, b = statistics.median(ours), statistics.median(theirs)
            print(f"{protocol:10}{a:10.0f}{b:10.0f}{a / b:8.2f}", flush=True)
