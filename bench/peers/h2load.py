"""h2load of nghttp2, built with HTTP/3: its arguments, what it reports, and running it."""

import json
from dataclasses import dataclass
from typing import Any

from bench.peers.programs import Program
from tests.harness.gateway import HOST

_SPEAK = {"h1": "--h1", "h2": "--alpn-list=h2", "h3": "--alpn-list=h3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a load comes: `streams` requests in flight on each connection."""

    connections: int
    streams: int
    threads: int = 1
    requests: int = 0  # altogether; 0: for `seconds`
    seconds: float = 0.0  # after a second that does not count
    rate: float = 0.0  # requests per second altogether; 0: as many as can be

    def arguments(self) -> list[str]:
        flags = ["-c", str(self.connections), "-m", str(self.streams), "-t", str(self.threads)]
        flags += ["-n", str(self.requests)] if self.requests else []
        flags += ["-D", f"{round(self.seconds * 1_000)}ms", "--warm-up-time=1"] if self.seconds else []
        return flags + ([f"--rps={self.rate / self.connections:.3f}"] if self.rate else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a load. Times in seconds."""

    succeeded: int
    failed: int
    seconds: float
    median: float  # from the request to the end of its answer
    p99: float
    resumed: bool  # the first connection resumed a session

    @property
    def rate(self) -> float:
        return self.succeeded / self.seconds if self.seconds else 0.0


class LoadFailed(Exception):
    """Requests were not answered as they should; the text says how many of how many."""


def report(text: str, printed: str, seconds: float = 0.0) -> Report:
    """Of the file of --output-file, and of what h2load prints. `seconds` as in `Shape`: the file's have the warm-up too."""
    measured: dict[str, Any] = json.loads(text)["measurements"]
    requests, statuses = measured["requests"], measured["status_codes"]
    times = measured["performance"]["request"]
    # Of what a timed load has in flight at its ends, statuses and requests are not counted alike.
    refused = sum(count for status, count in statuses.items() if status != "2xx")
    return Report(
        succeeded=requests["succeeded"] - refused,
        failed=requests["failed"] + requests["errored"] + requests["timeout"] + refused,
        seconds=seconds or measured["duration"],
        median=times["median"],
        p99=times["p99"],
        resumed="Resumption: yes" in printed,
    )


@dataclass(frozen=True, slots=True)
class Loader:
    """Runs it; `folder` is one that it sees, for its files."""

    program: Program
    folder: str

    def run(self, protocol: str, port: int, path: str, shape: Shape, *, session: str = "") -> Report:
        """One load. `session`: name of a file that keeps a TLS session from run to run. LoadFailed when requests fail."""
        output = f"{self.folder}/report.json"
        flags = [
            _SPEAK[protocol],
            *shape.arguments(),
            f"--connect-to=127.0.0.1:{port}",
            f"--output-file={output}",
        ]
        flags += [f"--tls-session-file={self.folder}/{session}"] if session else []
        file = self.program.outside(output)
        file.unlink(missing_ok=True)
        printed = self.program.output([*flags, f"https://{HOST}:{port}{path}"])
        if not file.exists():
            raise LoadFailed(f"h2load: {printed.strip()[-200:]}")
        found = report(file.read_text(), printed, shape.seconds)
        if found.failed or not found.succeeded:
            raise LoadFailed(f"h2load: {found.failed} requests failed, {found.succeeded} did not")
        return found
