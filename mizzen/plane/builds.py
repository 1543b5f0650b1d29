"""The one task through which every build goes, and the one thread that builds.

Builds are asked for from anywhere and done one after the other: an older state is never served after a newer one, and
however many ask while a build is under way, one more build answers them all. How long changes of objects are held back for others is
the matter of their source, which hears what a build takes.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

RETRY_SECONDS = 2.0  # after a build that failed as a whole

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
        on_cost: Callable[[float], None] = lambda _: None,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """`begin` is called in the event loop with the number of the build, and gathers what it is made of; what it
        returns is called in the worker, and must change nothing before it is sure to succeed. `on_made` takes the
        result in the event loop. `on_fault` hears what was raised: then all stays as it was, and it is tried again.
        `on_cost` hears how many seconds each build took."""
        self._begin, self._on_made, self._on_fault = begin, on_made, on_fault
        self._on_cost, self._retry_seconds = on_cost, retry_seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="build")
        self._asked = 0  # how often
        self._done = 0  # the last request that has been answered
        self._number = 0  # of the last build
        self._wake = asyncio.Event()
        self._answered = asyncio.Condition()
        self._has_built = asyncio.Event()  # once

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
            self._wake.clear()
            request, began = self._asked, loop.time()
            wait = None if await self._once() else self._retry_seconds
            self._on_cost(loop.time() - began)
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
