"""Keeps one child running: starts it again as `restart` says."""

import asyncio
import logging
import time
from collections.abc import Callable

from mizzen.node.child_process import Child, Command
from mizzen.node.logs import BoundedLog
from mizzen.node.restart_policy import GiveUp, Restarts, ended

NOT_STARTED = 127  # the status with which a shell says that there is no such program

_log = logging.getLogger(__name__)


class StartFailed(Exception):
    """The instance cannot start here. The text says why, for the user."""


class Keeper:
    """One child and those who follow it."""

    def __init__(
        self,
        command: Command,
        restarts: Restarts,
        *,
        out: BoundedLog,
        err: BoundedLog,
        on_start: Callable[[], None] = lambda: None,
        on_exit: Callable[[int], None] = lambda _: None,
        explain: Callable[[], str] = lambda: "",
    ) -> None:
        """`on_exit` hears the status of each child that ended and is to be started again, before that happens.
        `explain`: what stands in the way of a start, as a sentence; asked when the child has ended."""
        self.command, self.restarts = command, restarts
        self.child: Child | None = None
        self._out, self._err, self._explain = out, err, explain
        self._on_start, self._on_exit = on_start, on_exit
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`. StartFailed, with the last lines of its log, when it never gets up."""
        while True:
            status = await self._run_once()
            if self._stopping.is_set():
                return
            self._on_exit(status)
            now = time.monotonic()
            decision = self.restarts.on_exit(status, now)
            if isinstance(decision, GiveUp):
                raise StartFailed(self._with_log(decision.problem))
            wait = decision.at - now
            again = f"{self.command.name} {ended(status)}; starting it again in {wait:.1f} s"
            _log.warning("%s", self._with_log(f"{again}. {why}" if (why := self._explain()) else again))
            await asyncio.sleep(wait)

    async def _run_once(self) -> int:
        self._err.forget()
        self.restarts.on_start(time.monotonic())
        try:
            self.child = Child(self.command, out=self._out, err=self._err)
        except OSError as error:  # perhaps a package that is being upgraded: worth another try
            self._err.write(f"{error}\n".encode())
            return NOT_STARTED
        self._on_start()
        return await self.child.wait()

    async def stop(self, grace: float) -> None:
        """End it, with SIGKILL if it takes longer than `grace` seconds, and do not start it again."""
        self._stopping.set()
        if self.child and self.child.is_running:
            await self.child.stop(grace)

    def _with_log(self, text: str) -> str:
        tail = self._err.tail()
        return f"{text}\n{tail}\n(all of it: {self._err.path})" if tail else text
