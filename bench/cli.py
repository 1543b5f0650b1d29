"""How long the command line takes: verbs with ten files, and `up` until it serves the walk-through."""

import argparse
import contextlib
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bench import measure, shop
from bench.running import READY_SECONDS, Client, running, starting
from mizzen.demo import walkthrough
from tests.harness.gateway import eventually, free_port

T = TypeVar("T")

RUNS = 15
_WIDTHS = (16,)

Taken = tuple[float, float]  # milliseconds of time and of CPU


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench cli", description=__doc__)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--runs", type=int, default=RUNS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mz-") as folder:
        place = shop.Shop(Path(folder))
        place.open()
        place.write_routes(chosen.files - 3)
        measure.headline(f"The command line with {chosen.files} files (medians of {chosen.runs} runs, in ms)")
        measure.row("", "elapsed", "CPU", "fastest", widths=_WIDTHS)
        for words in (["--help"], ["render", "-f", folder], ["analyze", "-f", folder]):
            _row(words[0], _repeated(lambda words=words: _run(words), chosen.runs))
        with running(place.folder) as processes:
            words = ["proxy-config", "all", "--run-dir", str(processes.up.instance.run_dir)]
            _row(words[0], _repeated(lambda: _run(words), chosen.runs))
    with tempfile.TemporaryDirectory(prefix="mz-") as folder, _backend() as port:
        walkthrough.write(Path(folder), port, free_port(), datetime.now(UTC))
        time.sleep(1)  # what was written just now would be read twice
        measure.headline(f"mizzen up with the walk-through (medians of {chosen.runs} starts, in ms)")
        measure.row("until", "elapsed", "CPU", "fastest", widths=_WIDTHS)
        ready, served = zip(*_repeated(lambda: _started(Path(folder)), chosen.runs), strict=True)
        _row("ready", ready)
        _row("a request", served)


def _repeated(run: Callable[[], T], times: int) -> list[T]:
    """The first run only warms up: it may compile modules, and reads them from the disk."""
    return [run() for _ in range(1 + times)][1:]


def _row(name: str, runs: "list[Taken] | tuple[Taken, ...]") -> None:
    elapsed, cpu = zip(*runs, strict=True)
    measure.row(name, measure.median(elapsed), measure.median(cpu), min(elapsed), widths=_WIDTHS)


def _run(words: list[str]) -> Taken:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    subprocess.run([sys.executable, "-m", "mizzen", *words], stdout=subprocess.DEVNULL, check=True)
    elapsed = time.monotonic() - begin
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return elapsed * 1_000, cpu * 1_000


def _started(folder: Path) -> tuple[Taken, Taken]:
    """Until the line with "ready", and until the backend has answered a request through gateway and sidecar. CPU is that of
    all processes: supervisor, control plane, two Envoys."""
    with contextlib.ExitStack() as stack:
        client = Client((folder / walkthrough.CA).read_text())
        stack.callback(client.close)
        begin = time.monotonic()
        up = stack.enter_context(starting(folder, "--sidecar", walkthrough.SIDECAR))

        def taken() -> Taken:
            elapsed = time.monotonic() - begin
            pids = (up.process.pid, *measure.children(up.process.pid))
            return elapsed * 1_000, sum(map(measure.cpu_seconds, pids)) * 1_000

        up.wait_ready(READY_SECONDS)
        ready = taken()
        eventually(lambda: client.answer(walkthrough.HOST, "/headers"))
        return ready, taken()


@contextlib.contextmanager
def _backend() -> Iterator[int]:
    """httpbin, until the block ends: its port."""
    port = free_port()
    command = [sys.executable, "-m", "mizzen", "httpbin", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: _listens(port))
        yield port
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
