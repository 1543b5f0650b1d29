"""How long the command line takes: --help, and render and analyze of ten files."""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import measure, shop

RUNS = 15


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
        measure.row("", "elapsed", "CPU", "fastest", widths=(16,))
        for words in (["--help"], ["render", "-f", folder], ["analyze", "-f", folder]):
            elapsed, cpu = zip(*(_run(words) for _ in range(chosen.runs)), strict=True)
            measure.row(words[0], measure.median(elapsed), measure.median(cpu), min(elapsed), widths=(16,))


def _run(words: list[str]) -> tuple[float, float]:
    """Milliseconds of time and of CPU."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    subprocess.run([sys.executable, "-m", "mizzen", *words], stdout=subprocess.DEVNULL, check=True)
    elapsed = time.monotonic() - begin
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return elapsed * 1_000, cpu * 1_000
