"""Many requests in flight, for as long as told: what breaks while something changes, and how fast it goes.

One thread and libcurl's multi interface; connections are kept and, over HTTP/2 and HTTP/3, shared. A request
counts as failed when it gets no whole answer, another status or another protocol than wanted. libcurl asks
again by itself only where HTTP lets any client do so (a kept connection that was closed before the request).
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import field
from types import TracebackType

import pycurl

from mizzen.lazy import dataclass
from mizzen.probe.client import Failure, Protocol, Received, Request, configure, failure, spoken

# A reason is kept with its time for this many failures; all are counted.
MOST_DETAILS = 100
_TICK = 0.05  # seconds until a call to stop is noticed when nothing else happens


@dataclass(frozen=True, slots=True)
class Failed:
    """One request that did not come out as wanted."""

    at: float  # seconds after the start
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came of a load."""

    ok: int = 0
    failed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)  # why -> how many
    first_failures: tuple[Failed, ...] = ()
    statuses: dict[int, int] = field(default_factory=dict)
    protocols: dict[Protocol, int] = field(default_factory=dict)
    connections: int = 0  # how many were opened
    seconds: float = 0.0  # from the first request to the last answer

    @property
    def rate(self) -> float:
        """Good answers per second."""
        return self.ok / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        text = (
            f"{self.ok} ok, {self.failed} failed, {self.connections} connections, {self.rate:.0f} requests/s"
        )
        return text + "".join(f"\n  {count} x {reason}" for reason, count in self.reasons.items())


class _Slot:
    """One request in flight, again and again on one handle."""

    def __init__(self, request: Request) -> None:
        self.received = Received()
        self.curl = pycurl.Curl()
        configure(self.curl, request, self.received)
        self.curl.setopt(pycurl.OPT_CERTINFO, 0)
        self.curl.setopt(pycurl.PIPEWAIT, 1)


class Load:
    """Requests without a pause, `in_flight` at a time.

    `run` blocks; as a context manager it runs in a thread while the block does, and `tally` has the outcome
    afterwards. `rate` limits the requests per second (a full-speed load takes a whole CPU). `connections`
    spreads HTTP/2 and HTTP/3 requests over up to that many; otherwise libcurl opens a second one only when
    the first is full. `statuses` are the good ones.
    `on_answers` is called in the thread of the load, with how many requests have ended, whenever some have.
    """

    def __init__(
        self,
        request: Request,
        *,
        in_flight: int = 10,
        rate: float | None = None,
        connections: int | None = None,
        statuses: frozenset[int] = frozenset({200}),
        on_answers: Callable[[int], None] | None = None,
    ) -> None:
        self.request = request
        self.tally = Tally()
        self._in_flight = in_flight
        self._rate = rate
        self._connections = connections
        self._statuses = statuses
        self._on_answers = on_answers
        self._stop = threading.Event()
        self._answered = threading.Condition()
        self._thread: threading.Thread | None = None
        self._reset()

    def _reset(self) -> None:
        self._begun = 0
        self._ok = 0
        self._opened = 0
        self._reasons: Counter[str] = Counter()
        self._details: list[Failed] = []
        self._seen_statuses: Counter[int] = Counter()
        self._seen_protocols: Counter[Protocol] = Counter()

    # --- from outside -------------------------------------------------------------------------------

    def run(self, *, count: int | None = None, seconds: float | None = None) -> Tally:
        """Ask `count` times, or for `seconds`, or (with neither) until `stop`; wait for what is in flight."""
        self._stop.clear()
        self._reset()
        return self._run(count, seconds)

    def _run(self, count: int | None = None, seconds: float | None = None) -> Tally:
        start = time.monotonic()
        deadline = None if seconds is None else start + seconds

        def go_on() -> bool:
            in_time = deadline is None or time.monotonic() < deadline
            return in_time and not self._stop.is_set() and (count is None or self._begun < count)

        self._drive(go_on, start)
        self.tally = self._count(time.monotonic() - start)
        return self.tally

    def stop(self) -> None:
        """Begin no more requests. From any thread."""
        self._stop.set()

    def __enter__(self) -> "Load":
        self._stop.clear()
        self._reset()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._thread:
            self._thread.join()
            self._thread = None

    def wait_for_more(self, requests: int, *, timeout: float = 10.0) -> None:
        """Block until so many more answers (good or not) have come. TimeoutError when they do not."""
        with self._answered:
            before = self.answers
            if not self._answered.wait_for(lambda: self.answers - before >= requests, timeout):
                raise TimeoutError(f"{self.answers - before} of {requests} answers in {timeout} s")

    @property
    def answers(self) -> int:
        """How many requests have ended so far, well or not. From any thread."""
        return self._ok + self._reasons.total()

    # --- in the thread ------------------------------------------------------------------------------

    def _count(self, seconds: float) -> Tally:
        return Tally(
            ok=self._ok,
            failed=self._reasons.total(),
            reasons=dict(self._reasons.most_common()),
            first_failures=tuple(self._details),
            statuses=dict(self._seen_statuses),
            protocols=dict(self._seen_protocols),
            connections=self._opened,
            seconds=seconds,
        )

    def _drive(self, go_on: Callable[[], bool], start: float) -> None:
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        if self._connections and self.request.protocol is not Protocol.H1:
            share = -(-self._in_flight // self._connections)
            multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, share)
        slots = {slot.curl: slot for slot in (_Slot(self.request) for _ in range(self._in_flight))}
        idle = list(slots.values())
        running = 0
        while True:
            while idle and self._is_due(start) and go_on():
                slot = idle.pop()
                slot.received.begin()
                multi.add_handle(slot.curl)
                self._begun += 1
                running += 1
            if not running and not go_on():
                break
            multi.perform()
            done = self._take(multi, start)
            for curl in done:
                multi.remove_handle(curl)
                idle.append(slots[curl])
            running -= len(done)
            if not done:
                multi.select(self._patience(start))
        for slot in slots.values():
            slot.curl.close()
        multi.close()

    def _is_due(self, start: float) -> bool:
        return self._rate is None or self._begun <= (time.monotonic() - start) * self._rate

    def _patience(self, start: float) -> float:
        if self._rate is None:
            return _TICK
        next_due = start + self._begun / self._rate - time.monotonic()
        return min(max(next_due, 0.001), _TICK)

    def _take(self, multi: pycurl.CurlMulti, start: float) -> list[pycurl.Curl]:
        """Judge every request that has ended."""
        _, whole, broken = multi.info_read(self._in_flight)
        if not whole and not broken:
            return []
        with self._answered:
            for curl in whole:
                self._judge(curl, None, start)
            for curl, code, text in broken:
                self._judge(curl, failure(pycurl.error(code, text)), start)
            self._answered.notify_all()
        if self._on_answers is not None:
            self._on_answers(self.answers)
        return [*whole, *(curl for curl, _, _ in broken)]

    def _judge(self, curl: pycurl.Curl, error: Failure | None, start: float) -> None:
        status, protocol = curl.getinfo(pycurl.RESPONSE_CODE), spoken(curl)
        self._opened += curl.getinfo(pycurl.NUM_CONNECTS)
        reason = ""
        if error:
            reason = str(error)
        elif status not in self._statuses:
            reason = f"status {status}"
        elif protocol is not self.request.protocol:
            reason = f"it spoke {protocol.value if protocol else 'nothing known'}"
        if not error:
            self._seen_statuses[status] += 1
            if protocol:
                self._seen_protocols[protocol] += 1
        if not reason:
            self._ok += 1
            return
        self._reasons[reason] += 1
        if len(self._details) < MOST_DETAILS:
            self._details.append(Failed(time.monotonic() - start, reason))
