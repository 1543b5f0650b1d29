"""Child processes that die with their parent, whatever kills it, and whose output goes to bounded logs."""

import asyncio
import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import IO

from mizzen.lazy import dataclass
from mizzen.node.logs import BoundedLog

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_CHUNK = 65536

# Loaded here and not in the child: between fork and exec as little as possible shall happen.
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start."""

    name: str  # what messages call it
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of what is inherited
    inherits: frozenset[str] | None = None  # the variables of our own environment; None: all of them
    pass_fds: tuple[int, ...] = ()  # files that the child inherits under the same numbers


class Child:
    """A running process. Create it in the main thread, with an event loop running.

    It may have as many files and connections open as the system allows anybody of its user: the usual soft limit of
    1,024 is for programs that use select(2).

    The kernel kills it when the thread that started it ends, so also when the whole parent is killed (unless
    the program has file capabilities: then the kernel forgets the wish). It is the leader of a session of its own: a Ctrl-C at the terminal reaches only the parent, which ends its
    children in good order.
    """

    def __init__(self, command: Command, *, out: BoundedLog, err: BoundedLog) -> None:
        """Start it. `out` and `err` take what it writes; they may be the same. OSError when it cannot start."""
        self._process = subprocess.Popen(
            command.argv,
            env={**_inherited(command.inherits), **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if err is out else subprocess.PIPE,
            bufsize=0,
            pass_fds=command.pass_fds,
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid()),
        )
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._pipes: dict[int, tuple[IO[bytes], BoundedLog]] = {}
        for pipe, log in ((self._process.stdout, out), (self._process.stderr, err)):
            if pipe:
                self._follow(pipe, log)
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._pidfd, self._on_end)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Has it not ended yet?"""
        return not self._ended.done()

    async def wait(self) -> int:
        """Until it has ended: its status, negative when a signal killed it. Its logs are complete then."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace: float) -> int:
        """SIGTERM; SIGKILL when it is still there after `grace` seconds. Its status."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                return await self.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            return await self.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if self.is_running:
            self._process.send_signal(number)

    def _follow(self, pipe: IO[bytes], log: BoundedLog) -> None:
        descriptor = pipe.fileno()
        os.set_blocking(descriptor, False)
        self._pipes[descriptor] = (pipe, log)
        self._loop.add_reader(descriptor, self._read, descriptor)

    def _read(self, descriptor: int) -> bool:
        """Move what is in a pipe to its log. False when nothing is left for now."""
        pipe, log = self._pipes[descriptor]
        data = pipe.read(_CHUNK)
        if data:
            log.write(data)
        elif data is not None:  # closed by the last who could write
            self._loop.remove_reader(descriptor)
            pipe.close()
            del self._pipes[descriptor]
        return bool(data)

    def _on_end(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        status = self._process.wait()
        for descriptor in list(self._pipes):
            while self._read(descriptor):
                pass
            if left := self._pipes.pop(descriptor, None):  # held open by somebody it started
                self._loop.remove_reader(descriptor)
                left[0].close()
        self._ended.set_result(status)


def _inherited(names: frozenset[str] | None) -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if names is None or name in names}


def _dying_with(parent: int) -> Callable[[], None]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return prepare
