"""N Gateways with one HTTPS server each, on one port, with their mirrors: one change, and what rest costs."""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

from bench import measure, shop
from bench.change import CHANGES, Step, figures
from bench.running import Client, Processes, running
from tests.harness import gateway

_REST = 10.0  # seconds


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench gateways", description=__doc__)
    parser.add_argument("--gateways", type=int, nargs="+", default=[100, 1_000])
    parser.add_argument("--changes", type=int, default=CHANGES)
    chosen = parser.parse_args(arguments)
    measure.headline(
        f"One VirtualService changed among N Gateways, each with its HTTPS server and mirror ({chosen.changes} changes; "
        "CPU in ms per change; at rest in % of a core)"
    )
    measure.row(
        "gateways", "ready s", "p50 ms", "p99 ms", "CPU plane", "superv.", "envoy", "together", "sent",
        "rest plane", "rest sup.", "rest envoy", "plane MB",
        widths=(10,),
    )  # fmt: skip
    for count in chosen.gateways:
        _measure(count, chosen.changes)


def _measure(count: int, changes: int) -> None:
    with contextlib.ExitStack() as stack:
        place = shop.Shop(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))))
        place.write("secret", place.certificate())
        place.write("backend", gateway.backend(shop.BACKENDS[0]))
        for number in range(count):
            name = f"gateway-{number}"
            place.write(name, gateway.gateway(shop.host(number), name=name))
            place.write(f"route-{number}", shop.virtual_service(number, "0", gateway_name=name))
        begin = time.monotonic()
        up = stack.enter_context(running(place.folder))
        ready = time.monotonic() - begin
        client = Client(place.authority.pem)
        stack.callback(client.close)
        _settle(up)
        rest = up.idle(_REST).scaled(100)

        def step(number: int) -> Step:
            changed = number * 7_919 % count
            text = shop.virtual_service(changed, f"{number}", gateway_name=f"gateway-{changed}")

            def wait() -> None:
                client.until(shop.host(changed), f"{number}")

            return Step(make=lambda: place.write(f"route-{changed}", text), wait=wait)

        found = figures(up, step, changes)
        cpu = found.cpu.scaled(1_000)
        measure.row(
            f"{count:,}",
            f"{ready:.2f}",
            measure.percentile(found.milliseconds, 0.5),
            measure.percentile(found.milliseconds, 0.99),
            cpu.control_plane,
            cpu.supervisor,
            cpu.envoy,
            cpu.total,
            f"{found.sent:,.0f}",
            f"{rest.control_plane:.2f}",
            f"{rest.supervisor:.2f}",
            f"{rest.envoy:.2f}",
            found.memory,
            widths=(10,),
        )


def _settle(up: Processes, seconds: float = 120.0) -> None:
    """Until mirrors have been proven, and what follows from that is done."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        before = up.cpu().total
        time.sleep(2)
        if up.cpu().total - before < 0.1:
            return
