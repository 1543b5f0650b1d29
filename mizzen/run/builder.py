"""The one task through which every rebuild goes: asked for from anywhere, done one after the other.

So an older state is never served after a newer one, and however many ask while a build is under way, one more
build answers them all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

RETRY_SECONDS = 2.0  # after a build that failed as a whole

_log = logging.getLogger(__name__)


class Builder:
    """Calls `build` whenever somebody has asked for it."""

    def __init__(
        self,
        build: Callable[[], Awaitable[None]],
        on_fault: Callable[[Exception], None],
        *,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """`build` must change nothing before it is sure to succeed. `on_fault` hears what it raised: then all
        stays as it was, and it is tried again."""
        self._build, self._on_fault = build, on_fault
        self._retry_seconds = retry_seconds
        self._asked = 0  # how often
        self._done = 0  # the last request that has been answered
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

    async def run(self) -> None:
        """Until cancelled."""
        wait: float | None = None
        while True:
            with contextlib.suppress(TimeoutError):  # then what failed before is tried again
                await asyncio.wait_for(self._wake.wait(), wait)
            self._wake.clear()
            request = self._asked
            wait = None if await self._once() else self._retry_seconds
            async with self._answered:
                self._done = request
                self._answered.notify_all()

    async def _once(self) -> bool:
        try:
            await self._build()
        except Exception as error:  # noqa: BLE001  # a fault of ours takes nothing away; an edit may mend it
            _log.exception("the configuration cannot be built")
            self._on_fault(error)
            return False
        self._has_built.set()
        return True
