"""Side by side with what a user would pick instead: nginx, haproxy, caddy, a bare Envoy.

The same certificate (ECDSA P-256), backend and load for all; connections to the backend are kept, access logs are off.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench import bare_envoy, paired, subjects
from bench.paired import Cores, Figure, Subject
from bench.peers.h2load import Loader, LoadFailed, Report, Shape
from bench.peers.programs import how_to_make, program
from bench.peers.servers import Server, lacking, serving
from bench.peers.tables import Found, Measured, table

TABLES = ("cpu", "cpu-large", "rate", "rate-large", "latency", "connections")
SMALL, LARGE = "/", "/large"
BODIES = {LARGE: "x" * 2**20, **bare_envoy.SMALL}
_BASE = "bare Envoy"
# Requests in flight, small ones and large ones; over HTTP/1.1 each has its connection.
_FLIGHT = {SMALL: (16, 4), LARGE: (4, 4)}  # connections, streams of each
_BATCH = 40  # connections that are opened at once
_BATCHES = 10
_CLOSING = 0.05  # seconds until a server has seen that clients have left
_CONTROL = f"x: ratio to the {_BASE}; '{_BASE} again' is its equal, and shows what a difference must exceed"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench peers", description=__doc__)
    parser.add_argument("--root", type=Path, help="folder of another system that has servers and h2load")
    parser.add_argument(
        "--only", nargs="+", choices=TABLES, default=TABLES, metavar="TABLE", help=", ".join(TABLES)
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each figure (default: %(default)s)")
    parser.add_argument(
        "--requests", type=int, default=20_000, help="of a slice for CPU (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="of a slice for rates (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    root = chosen.root.resolve() if chosen.root else None
    with _loader(root) as loader:
        tables = _Tables(loader, chosen.rounds, chosen.requests, chosen.seconds)
        everywhere = frozenset(os.sched_getaffinity(0))
        for cores, run in ((paired.cores(), tables.alone), (Cores(everywhere, everywhere), tables.together)):
            with subjects.bench(cores, BODIES) as bench, serving(bench, root, BODIES) as servers:
                if problem := _without_http3(loader, bench.bare[0]):
                    servers = [lacking(server, {"h3": problem}) for server in servers]
                if run == tables.alone:
                    _tell(servers, loader, root)
                run(servers, chosen.only)


@contextlib.contextmanager
def _loader(root: Path | None) -> Iterator[Loader]:
    found = program("h2load", root)
    if found is None:
        raise SystemExit(
            f"bench: there is no h2load. These make a folder with all; then --root:\n{_how(root)}"
        )
    with tempfile.TemporaryDirectory(prefix="mz-", dir=found.outside("/tmp")) as outside:
        yield Loader(found, f"/tmp/{Path(outside).name}")


def _without_http3(loader: Loader, known: Subject) -> str:
    """Why h2load cannot ask over HTTP/3, as it cannot where it is built without it; "" when it can."""
    try:
        loader.run("h3", known.port, SMALL, Shape(connections=1, streams=1, requests=1))
    except LoadFailed as error:
        return f"this h2load does not speak HTTP/3 ({error})"
    return ""


def _how(root: Path | None) -> str:
    return how_to_make(str(root or "/var/tmp/peers"))


def _tell(servers: Sequence[Server], loader: Loader, root: Path | None) -> None:
    """Versions, and how to get what is missing."""
    print(f"load: {loader.program.output(['--version']).strip()}")
    for server in servers:
        print(f"{server.name}: {server.version or 'not there'}")
    if any(server.lacks for server in servers):
        print(f"What is missing is in a folder that these make; then --root:\n{_how(root)}")


class _Tables:
    """Measures and prints."""

    def __init__(self, loader: Loader, rounds: int, requests: int, seconds: float) -> None:
        self._loader = loader
        self._rounds = rounds
        self._requests = requests
        self._seconds = seconds
        self._threads = os.cpu_count() or 1

    def alone(self, servers: Sequence[Server], only: Sequence[str]) -> None:
        """With one worker on a core that nothing else has."""
        where = "one worker on a core of its own, HTTP/1.1 to the backend"
        for name, path, requests in (
            ("cpu", SMALL, self._requests),
            ("cpu-large", LARGE, self._requests // 50),
        ):
            if name in only:
                title = f"CPU of the server per request, in us: {_answer(path)}; {where}. {_CONTROL}"
                table(title, servers, _BASE, self._cost(path, requests), self._rounds, _cost_cell)

    def together(self, servers: Sequence[Server], only: Sequence[str]) -> None:
        """On all cores, which server, load and backend share."""
        where = f"all {self._threads} cores, shared by server, load and backend"
        found: dict[str, Found] = {}
        for name, path in (("rate", SMALL), ("rate-large", LARGE)):
            if name in only or (name == "rate" and "latency" in only):
                title = f"Requests per second: {_answer(path)}; {where}. {_CONTROL}"
                found[name] = table(title, servers, _BASE, self._rate(path), self._rounds, _rate_cell)
        if "latency" in only:
            title = f"p50 / p99 in ms at half of the server's own rate: {_answer(SMALL)}; {where}"
            answering = [_able(server, found["rate"]) for server in servers]
            table(title, answering, _BASE, self._latency(found["rate"]), self._rounds, _latency_cell)
        if "connections" in only:
            for resumed, how in (
                (False, "full handshakes"),
                (True, "sessions of before; %: how many are resumed"),
            ):
                title = (
                    f"New connections per second, each with a request, and the server's CPU for one in us: {how}; "
                    f"{_BATCH} at once; {where}"
                )
                table(title, servers, _BASE, self._connections(resumed), self._rounds, _connection_cell)

    def _shape(self, protocol: str, path: str, threads: int) -> Shape:
        connections, streams = _FLIGHT[path]
        if protocol == "h1":
            connections, streams = connections * streams, 1
        return Shape(connections=connections, streams=streams, threads=threads)

    def _cost(self, path: str, requests: int) -> Measured:
        """The difference between a long load and a short one, so that handshakes are not in it."""

        def measured(subject: Subject, protocol: str) -> tuple[float, ...]:
            shape = self._shape(protocol, path, 1)
            short = max(requests // 10, shape.connections)
            used = []
            for count in (short, short + requests):
                before = subject.used()
                self._loader.run(protocol, subject.port, path, replace(shape, requests=count))
                used.append(subject.used() - before)
            return ((used[1] - used[0]) / requests / 1_000,)

        return measured

    def _rate(self, path: str) -> Measured:
        def measured(subject: Subject, protocol: str) -> tuple[float, ...]:
            shape = replace(self._shape(protocol, path, self._threads), seconds=self._seconds)
            return (self._loader.run(protocol, subject.port, path, shape).rate,)

        return measured

    def _latency(self, rates: Found) -> Measured:
        def measured(subject: Subject, protocol: str) -> tuple[float, ...]:
            half = rates[subject.name, protocol][0].value / 2
            shape = replace(self._shape(protocol, SMALL, self._threads), seconds=self._seconds, rate=half)
            report = self._loader.run(protocol, subject.port, SMALL, shape)
            return report.median * 1_000, report.p99 * 1_000, report.rate

        return measured

    def _connections(self, resumed: bool) -> Measured:
        def measured(subject: Subject, protocol: str) -> tuple[float, ...]:
            session = f"session-{subject.port}-{protocol}" if resumed else ""

            def opened(count: int) -> Report:
                shape = Shape(connections=count, streams=1, requests=count)
                return self._loader.run(protocol, subject.port, SMALL, shape, session=session)

            if resumed:
                opened(1)  # gets the session
            before = subject.used()
            reports = [opened(_BATCH) for _ in range(_BATCHES)]
            time.sleep(_CLOSING)
            used = subject.used() - before
            share = sum(report.resumed for report in reports) / _BATCHES
            if resumed and not share:
                raise LoadFailed("it resumes no session")
            seconds = statistics.median(report.seconds for report in reports)
            return _BATCH / seconds, used / _BATCH / _BATCHES / 1_000, share * 100

        return measured


def _answer(path: str) -> str:
    return "answers of 100 bytes" if path == SMALL else "answers of 1 MiB"


def _able(server: Server, rates: Found) -> Server:
    """The same, lacking what has no rate."""
    unknown = [at for at in paired.PROTOCOLS if (server.name, at) not in rates]
    return lacking(server, dict.fromkeys(unknown, "its rate is not known"))


def _cost_cell(figures: Sequence[Figure]) -> str:
    return f"{figures[0].value:,.1f}  x {figures[0].ratio:.2f}"


def _rate_cell(figures: Sequence[Figure]) -> str:
    return f"{figures[0].value:,.0f}  x {figures[0].ratio:.2f}"


def _latency_cell(figures: Sequence[Figure]) -> str:
    median, p99, rate = (figure.value for figure in figures)
    return f"{median:.2f} / {p99:.2f} ({rate:,.0f}/s)"


def _connection_cell(figures: Sequence[Figure]) -> str:
    rate, cost, share = (figure.value for figure in figures)
    return f"{rate:,.0f}/s  {cost:,.0f} us" + (f"  {share:.0f} %" if share else "")
