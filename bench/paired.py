"""CPU per request of servers measured in turns, next to one another.

A machine's speed drifts by more than the differences that are looked for. So each round asks every subject for a short
slice of requests, and what counts is the median over the rounds of the ratio to one of them, in the same round. A
subject that is the same as that one shows by how much two equal servers differ here: smaller differences say nothing.

Subjects run with one worker on one core; the load and the backend have the other cores. Connections are there, and
caches warm, before the CPU is read.
"""

import argparse
import contextlib
import math
import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.measure import cpu_nanoseconds
from mizzen.probe.client import Request
from mizzen.probe.load import Load
from tests.harness.clients import asked
from tests.harness.gateway import HOST

Value = TypeVar("Value")

PROTOCOLS = ("h1", "h2", "h3")
# Of a slice: the kernel counts what a thread that is running has used every 4 ms.
REQUESTS = 2_000
ROUNDS = 15
IN_FLIGHT = 20  # requests: over HTTP/1.1 as many connections, over HTTP/2 and 3 as many streams of one
_WARM = 300  # requests before the CPU is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A server under test."""

    name: str
    pids: tuple[int, ...]  # whose CPU is counted
    port: int
    headers: Mapping[str, str] = field(default_factory=dict)  # that each request bears

    def used(self) -> int:
        """CPU so far, in ns."""
        return sum(map(cpu_nanoseconds, self.pids))


@dataclass(frozen=True, slots=True)
class Figure:
    """Of a subject over one protocol: CPU per request in us, or another quantity."""

    value: float  # median over the rounds
    ratio: float  # median over the rounds of the ratio to the first subject; nan when that has zeros


@dataclass(frozen=True, slots=True)
class Cores:
    """Of this machine: one for the server that is measured, the others for all else."""

    subject: frozenset[int]
    others: frozenset[int]


def cores() -> Cores:
    """SystemExit where there is only one."""
    first, *rest = sorted(os.sched_getaffinity(0))
    if not rest:
        raise SystemExit("bench: two cores are needed: one for the server that is measured, one for the load")
    return Cores(frozenset({first}), frozenset(rest))


@contextlib.contextmanager
def on(chosen: Iterable[int]) -> Iterator[None]:
    """Threads and processes that the block starts run on these cores. An Envoy makes one worker for each of them."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def move(pid: int, chosen: Iterable[int]) -> None:
    """A running process, with all its threads, to these cores."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # the thread has ended
            os.sched_setaffinity(int(thread.name), chosen)


def cost(subject: Subject, protocol: str, ca_pem: str, requests: int) -> float:
    """Microseconds of CPU per request. SystemExit when a request fails."""
    url = f"https://{HOST}:{subject.port}/"
    asking = asked(protocol, url, ca_pem=ca_pem, headers=subject.headers, timeout=30)
    return sum(costs(subject.pids, asking, requests))


def costs(pids: Sequence[int], asking: Request, requests: int) -> tuple[float, ...]:
    """Microseconds of CPU of each process per request. SystemExit when a request fails."""
    marks: list[tuple[int, list[int]]] = []  # read by the load itself: another thread would wait for its turn

    def mark(answers: int) -> None:
        if answers >= _WARM + len(marks) * requests and len(marks) < 2:
            marks.append((answers, [cpu_nanoseconds(pid) for pid in pids]))

    tally = Load(asking, in_flight=IN_FLIGHT, on_answers=mark).run(count=_WARM + requests + IN_FLIGHT)
    if tally.failed:
        raise SystemExit(f"bench: {asking.url}: {tally}")
    (first, before), (last, after) = marks
    return tuple((end - begin) / (last - first) / 1_000 for begin, end in zip(before, after, strict=True))


def turns(
    subjects: Sequence[Subject], measured: Callable[[Subject], Value], rounds: int
) -> list[list[Value]]:
    """What `measured` says of each subject, round by round. Each round begins with another of them."""
    found: list[list[Value]] = [[] for _ in subjects]
    for first in range(rounds):
        for step in range(len(subjects)):
            at = (first + step) % len(subjects)
            found[at].append(measured(subjects[at]))
    return found


def figures(values: Sequence[Sequence[float]]) -> list[Figure]:
    """Values of each subject, round by round -> its figure; ratios are to the first subject."""
    return [
        Figure(
            value=statistics.median(own),
            ratio=_ratio(own, values[0]),
        )
        for own in values
    ]


def _ratio(own: Sequence[float], base: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(own, base, strict=True)) if all(base) else math.nan


def compared(
    subjects: Sequence[Subject], protocol: str, ca_pem: str, requests: int, rounds: int
) -> list[Figure]:
    """CPU per request of each subject, in us."""
    return figures(turns(subjects, lambda subject: cost(subject, protocol, ca_pem, requests), rounds))


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """The options --requests and --rounds."""
    parser.add_argument("--requests", type=int, default=REQUESTS, help="of each slice (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
