"""How much may be under way to clients at once. A thousand proxies that ask for megabytes are served one after another."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

SMALL: Final = 64 * 1024  # bytes: what is not larger needs not be asked for
_SLOW_SECONDS: Final = 1.0  # who takes longer holds up nobody


class Budget:
    """Bytes that may be under way together. For one event loop."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._most = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def spent(self, size: int) -> AsyncIterator[None]:
        """Wait until `size` bytes may go; inside they do. Larger ones than all of it count as all of it."""
        size = min(size, self._most)
        await self._take(size)
        returned = [False]
        timer = asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._give, size, returned)
        try:
            yield
        finally:
            timer.cancel()
            self._give(size, returned)

    async def _take(self, size: int) -> None:
        if not self._waiting and size <= self._left:
            self._left -= size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, turn)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give(size, [False])
            elif entry in self._waiting:
                self._waiting.remove(entry)
                self._serve()
            raise

    def _give(self, size: int, returned: list[bool]) -> None:
        """Once for each take."""
        if not returned[0]:
            returned[0] = True
            self._left += size
            self._serve()

    def _serve(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._left:
            size, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._left -= size
                turn.set_result(None)
