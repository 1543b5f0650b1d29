"""The one task through which every build goes, and the one thread that builds.

Builds are asked for from anywhere and done one after the other: an older state is never served after a newer one, and
however many ask while a build is under way, one more build answers them all. A lone change is built at once; where
changes come one upon the other, builds begin as far apart as they take.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

RETRY_SECONDS = 2.0  # after a build that failed as a whole
FIRST_HOLD_OFF = 0.001  # seconds in which what changes together comes together
LONGEST_HOLD_OFF = 0.5

T = TypeVar("T")
M = TypeVar("M")

_log = logging.getLogger(__name__)


class Builds:
    """Calls `build` in the worker whenever somebody has asked for it, and hands on what it makes."""

    def __init__(
        self,
        begin: Callable[[int], Callable[[], M]],
        on_made: Callable[[M], None],
        on_fault: Callable[[Exception], None],
        *,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """`begin` is called in the event loop with the number of the build, and gathers what it is made of; what it
        returns is called in the worker, and must change nothing before it is sure to succeed. `on_made` takes the
        result in the event loop. `on_fault` hears what was raised: then all stays as it was, and it is tried again."""
        self._begin, self._on_made, self._on_fault = begin, on_made, on_fault
        self._retry_seconds = retry_seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="build")
        self._asked = 0  # how often
        self._done = 0  # the last request that has been answered
        self._number = 0  # of the last build
        self._wake = asyncio.Event()
        self._answered = asyncio.Condition()
        self._has_built = asyncio.Event()  # once
        self._hold_off = HoldOff()

    def ask(self) -> int:
        """Have it built anew. The number is for `answered`."""
        self._asked += 1
        self._wake.set()
        return self._asked

    async def first(self, stopped: "asyncio.Task[bool]") -> bool:
        """Until a build has succeeded; False when `stopped` comes first."""
        self.ask()
        built = asyncio.create_task(self._has_built.wait())
        await asyncio.wait([built, stopped], return_when=asyncio.FIRST_COMPLETED)
        built.cancel()
        return self._has_built.is_set()

    async def answered(self, request: int) -> None:
        """Until the build that a request caused has been tried."""
        async with self._answered:
            await self._answered.wait_for(lambda: self._done >= request)

    async def rebuilt(self) -> None:
        """Until a build that begins from now on has been tried."""
        await self.answered(self.ask())

    async def in_worker(self, work: Callable[[], T]) -> T:
        """Do something else in the thread that builds, after what it does already."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def run(self) -> None:
        """Until cancelled."""
        wait: float | None = None
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):  # then what failed before is tried again
                await asyncio.wait_for(self._wake.wait(), wait)
            await asyncio.sleep(self._hold_off.seconds(loop.time()))
            self._wake.clear()
            request, began = self._asked, loop.time()
            wait = None if await self._once() else self._retry_seconds
            self._hold_off.built(began, loop.time())
            async with self._answered:
                self._done = request
                self._answered.notify_all()

    def stop(self) -> None:
        """Wait for nothing that is still being built."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _once(self) -> bool:
        self._number += 1
        try:
            made = await self.in_worker(self._begin(self._number))
            self._on_made(made)
        except Exception as error:  # noqa: BLE001  # a fault of ours takes nothing away; an edit may mend it
            _log.exception("the configuration cannot be built")
            self._on_fault(error)
            return False
        self._has_built.set()
        return True


class HoldOff:
    """How long a change waits for others: hardly at all when it is alone, in a storm as long as a build takes. Pure."""

    def __init__(self) -> None:
        self._ended = float("-inf")
        self._took = 0.0

    def built(self, began: float, ended: float) -> None:
        """A build has ended (seconds on some clock)."""
        self._ended, self._took = ended, ended - began

    def seconds(self, now: float) -> float:
        """How long the next build is to wait. What was asked for while the last one ran waits as long as that took."""
        storm = min(self._took, LONGEST_HOLD_OFF)
        return max(FIRST_HOLD_OFF, storm - (now - self._ended))
