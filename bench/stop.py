"""From SIGTERM to the end of `mizzen up`, while no client has a connection open."""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

from bench import measure, shop
from bench.running import running
from tests.harness.clients import curl

RUNS = 5


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench stop", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[10, 10_000])
    parser.add_argument("--runs", type=int, default=RUNS)
    chosen = parser.parse_args(arguments)
    measure.headline(f"SIGTERM -> ended, no connection open (medians of {chosen.runs}, in s)")
    measure.row("hosts", "asked nothing", "after h2", "after h3", widths=(10, 14))
    for count in chosen.hosts:
        found = [
            measure.median(_stopped(count, protocol) for _ in range(chosen.runs))
            for protocol in ("", "h2", "h3")
        ]
        measure.row(f"{count:,}", *(f"{one:.2f}" for one in found), widths=(10, 14))


def _stopped(count: int, protocol: str) -> float:
    """`protocol`: of a client that was there and has left; "" for none."""
    with contextlib.ExitStack() as stack:
        place = shop.Shop(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))))
        place.open()
        place.write_routes(count)
        up = stack.enter_context(running(place.folder))
        time.sleep(1)
        if protocol:
            answer = curl(protocol, f"https://{shop.host(0)}:8443/", ca_pem=place.authority.pem)
            if answer.status != 200:
                raise SystemExit(f"bench: {answer}")
        begin = time.monotonic()
        up.up.process.terminate()
        up.up.process.wait(30)
        return time.monotonic() - begin
