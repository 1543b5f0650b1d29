"""From the start of `mizzen up` to the first request that is served, and the control plane's memory."""

import argparse
import contextlib
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import measure, shop
from bench.running import Client, processes, starting

ROUNDS = 3


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench cold", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[100, 10_000, 20_000])
    parser.add_argument("--rules", type=int, default=3, help="of each host")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args(arguments)
    table(chosen.hosts, chosen.rules, chosen.rounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start. Seconds from the start of the first process; MB."""

    served: float
    ready: float
    plane_cpu: float
    envoy_cpu: float
    plane_memory: float
    plane_peak: float
    envoy_memory: float


def table(counts: list[int], rules: int, rounds: int) -> None:
    measure.headline(
        f"Cold start with {rules} rules for each host (medians of {rounds} starts; s, MB, KB per host)"
    )
    measure.row(
        "hosts", "served s", "ready s", "plane CPU", "envoy CPU", "plane MB", "peak MB", "KB/host", "envoy MB",
        widths=(10,),
    )  # fmt: skip
    smallest: tuple[int, float] | None = None
    for count in counts:
        starts = [started(count, rules) for _ in range(rounds)]

        def middle(name: str, starts: list[Start] = starts) -> float:
            return statistics.median(getattr(one, name) for one in starts)

        held = middle("plane_memory")
        each = (held - smallest[1]) * 1024 / (count - smallest[0]) if smallest else 0.0
        smallest = smallest or (count, held)
        measure.row(
            f"{count:,}", f"{middle('served'):.2f}", f"{middle('ready'):.2f}", f"{middle('plane_cpu'):.2f}",
            f"{middle('envoy_cpu'):.2f}", held, middle("plane_peak"), each, middle("envoy_memory"),
            widths=(10,),
        )  # fmt: skip


def started(count: int, rules: int) -> Start:
    with contextlib.ExitStack() as stack:
        place = shop.Shop(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))))
        place.open()
        place.write_routes(count, rules)
        client = Client(place.authority.pem)
        stack.callback(client.close)
        time.sleep(1)  # what was written just now would be read twice
        begin = time.monotonic()
        up = stack.enter_context(starting(place.folder))
        while client.answer(shop.host(count - 1)) != "0":
            if up.process.poll() is not None or time.monotonic() - begin > 600:
                raise SystemExit(f"bench: nothing is served\n{up.read()}\n{up.logs()}")
            time.sleep(0.01)
        served = time.monotonic() - begin
        up.wait_ready(600)
        ready = time.monotonic() - begin
        all_of_it = processes(up)
        cpu = all_of_it.cpu()
        return Start(
            served=served,
            ready=ready,
            plane_cpu=cpu.control_plane,
            envoy_cpu=cpu.envoy,
            plane_memory=measure.memory(all_of_it.control_plane),
            plane_peak=measure.memory(all_of_it.control_plane, "VmHWM"),
            envoy_memory=measure.memory(all_of_it.envoy),
        )
