"""The small process above all others: it starts them, starts them again, and ends them in good order.

Its children are the control plane, one Envoy for each gateway and sidecar that it knows, and helpers. It
decides nothing about configuration; when a child is started again is decided in `restart`.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from mizzen.authority.proof import proof_of_proxy
from mizzen.lazy import dataclass
from mizzen.node.child_process import Command
from mizzen.node.declared_gateways import Undeclared
from mizzen.node.envoy_process import Gateway, check
from mizzen.node.hang_detection import PATIENCE_SECONDS
from mizzen.node.instance import Instance, ask_brief, ask_status
from mizzen.node.logs import BoundedLog
from mizzen.node.process_watch import Watch
from mizzen.node.restart_policy import Restarts
from mizzen.node.restarting_process import Keeper, StartFailed
from mizzen.node.restore import Restorer
from mizzen.node.run_dir import LOGS, check_socket_path, possession
from mizzen.node.unix_sockets import make_way
from mizzen.proxy.bootstrap import DRAIN_SECONDS, MAX_CONNECTIONS, ProxySpec
from mizzen.status import FROM_THE_START, Brief, ProxyValue, Status, Word

__all__ = ["Command", "Plan", "StartFailed", "Supervisor", "supervise"]

CALM_SECONDS = 0.5  # between two looks at everything
EAGER_SECONDS = 0.1  # the same while something is not ready
FIRST_SECONDS = 0.02  # the least between two looks while an instance starts
FIRST_SHARE = 1 / 20  # of the time that its start has taken so far: somebody waits, and notices no twentieth
_ANSWER_SECONDS = 2.0
_END_SECONDS = 2.0  # from SIGTERM to SIGKILL
_USAGE_ERROR = 2  # status of a command line that makes no sense: trying again will not help

Answer = TypeVar("Answer", Brief, Status)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an instance runs."""

    instance: Instance
    control_plane: Command
    envoy: Path  # the binary
    helpers: tuple[Command, ...] = ()  # kept running beside, and ended after the gateways
    concurrency: int | None = None  # worker threads of each Envoy; None: one for each CPU
    # Of the first gateway; each further one has ports that are higher by PORT_STEP.
    status_port: int = 15021
    prometheus_port: int = 15090
    bind: str = "0.0.0.0"  # of these two
    drain_seconds: float = 5.0  # how long clients get to leave before Envoy ends
    patience: float = PATIENCE_SECONDS  # with a process that does not answer, before it is killed
    server_id: str = ""  # of its Envoys, as somebody wrote it (`http3.server_ids`)


PORT_STEP = 100


def _ignore(*_: object) -> None:
    """Nobody listens."""


class Supervisor:
    """One instance. Create and run it in the main thread: children die with the thread that started them."""

    def __init__(
        self,
        plan: Plan,
        *,
        on_ready: Callable[[Status], None] = _ignore,
        on_line: Callable[[str, str], None] = _ignore,
    ) -> None:
        """`on_ready` hears once, with the control plane's status, that every gateway serves what it shall.
        `on_line` hears each line that the control plane and the helpers write: (name of the child, line)."""
        self.plan = plan
        self.ready = asyncio.Event()
        self.gateways: dict[str, Gateway] = {}
        self._on_ready, self._on_line = on_ready, on_line
        self._stopping, self._hurry = asyncio.Event(), asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._keepers: list[Keeper] = []
        self._watches: list[Watch] = []
        self._logs: list[BoundedLog] = []
        self._leaving: dict[str, asyncio.Task[None]] = {}  # gateways that are being ended
        self._said: set[str] = set()
        self._undeclared = Undeclared()
        self._key = b""  # of this start, by which our processes know each other

    def stop(self) -> None:
        """Begin to end everything in good order; called again, without waiting for clients to leave."""
        (self._hurry if self._stopping.is_set() else self._stopping).set()

    async def run(self) -> None:
        """Until `stop`, and until all children have ended. StartFailed when the instance cannot start here."""
        with possession(self.plan.instance) as held:
            self._key = held.key
            with contextlib.suppress(OSError):  # our Envoys begin without connections: it may be decided anew
                self.plan.instance.scoped.unlink(missing_ok=True)
            try:
                self._start()
                await self._follow(Restorer(held))
            finally:
                await self._shut_down()
        if self._failure:
            raise self._failure

    def _start(self) -> None:
        check_socket_path(self.plan.instance.control_socket)
        self._keepers = [self._keep(command) for command in (self.plan.control_plane, *self.plan.helpers)]
        self._watches = [Watch(keeper, self.plan.patience) for keeper in self._keepers]

    def _keep(self, command: Command) -> Keeper:
        log = BoundedLog(
            self._log_folder / f"{command.name.replace(' ', '-')}.log",
            on_line=lambda line: self._on_line(command.name, line),
        )
        self._logs.append(log)
        restarts = Restarts(name=command.name, final=frozenset({_USAGE_ERROR}))
        keeper = Keeper(command, restarts, out=log, err=log)
        self._run(keeper.run())
        return keeper

    @property
    def _log_folder(self) -> Path:
        return self.plan.instance.run_dir / LOGS

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failure = self._failure or error
            self._stopping.set()

    async def _follow(self, restorer: Restorer) -> None:
        """Look at everything again and again, until told to stop."""
        stopping = asyncio.create_task(self._stopping.wait())
        clock = asyncio.get_running_loop().time
        began = clock()
        while not stopping.done():
            restorer.look(*self.gateways.values(), *self._logs)
            looking = asyncio.create_task(self._look())
            await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not looking.done():
                looking.cancel()
            elif status := looking.result():
                await self._act(status)
            if not self.ready.is_set():
                pause = first_pause(clock() - began)
            elif all(gateway.is_ready for gateway in self.gateways.values()):
                pause = CALM_SECONDS
            else:
                pause = EAGER_SECONDS
            await asyncio.wait({stopping}, timeout=pause)

    async def _look(self) -> Brief | None:
        """How all are. Envoys first: what the control plane then says is about the Envoys that were seen."""
        await asyncio.gather(*(gateway.look() for gateway in self.gateways.values()))
        status = await self._answer_of(ask_brief)
        control_plane, *helpers = self._watches
        control_plane.look(answered=status is not None)
        for helper in helpers:
            helper.look()
        return status

    async def _act(self, status: Brief) -> None:
        """Follow what the control plane says."""
        self._keepers[0].restarts.on_up()
        for key, gateway in self.gateways.items():
            gateway.readiness.hear(status.gateways.get(key), gateway.state)
        await self._reconcile(status.proxies, self._undeclared.follow(status, self.gateways))
        if (
            not self.ready.is_set()
            and self._is_ready(status)
            and (whole := await self._answer_of(ask_status))
        ):
            self.ready.set()
            for keeper in self._keepers:
                keeper.restarts.on_up()
            self._on_ready(whole)

    async def _answer_of(self, ask: Callable[[Instance, bytes, float], Awaitable[Answer]]) -> Answer | None:
        """What the control plane says; None while it is away."""
        try:
            return await ask(self.plan.instance, self._key, _ANSWER_SECONDS)
        except (OSError, ValueError):
            return None

    def _is_ready(self, status: Brief) -> bool:
        known = {proxy.key for proxy in status.proxies}
        return known == self.gateways.keys() and all(
            gateway.is_ready and status.gateways.get(key, Word()).ready
            for key, gateway in self.gateways.items()
        )

    async def _reconcile(self, proxies: tuple[ProxyValue, ...], undeclared: frozenset[str]) -> None:
        """Have an Envoy for each of the gateways; end those that are surely not wanted any more."""
        wanted = {proxy.key: proxy for proxy in proxies}
        for key in undeclared & self.gateways.keys():
            _log.info("gateway %s is no longer declared", key)
            self._leaving[key] = self._run(self._leave(self.gateways.pop(key)))
        for key in wanted.keys() & self.gateways.keys():
            self._say_of_changes(self.gateways[key].spec, wanted[key])
        missing = wanted.keys() - self.gateways.keys() - self._leaving.keys()
        # Gateways first: the usual ports for health and metrics are theirs.
        for key in sorted(missing, key=lambda one: (wanted[one].kind == "sidecar", one)):
            try:
                taken = frozenset(gateway.spec.status_port for gateway in self.gateways.values())
                await self._add(proxy_spec(self.plan, wanted[key], taken, self._key))
            except StartFailed as error:
                if not self.ready.is_set():
                    raise
                self._say_once(str(error))  # a gateway that came later: it is tried again and again

    def _say_of_changes(self, spec: ProxySpec, wanted: ProxyValue) -> None:
        """What an Envoy has from its start on, and is asked for differently now."""
        asked = proxy_spec(self.plan, wanted, frozenset())
        for name, what in FROM_THE_START.items():
            if getattr(spec, name) != getattr(asked, name):
                self._say_once(
                    f"{spec.key}: {what} of {getattr(asked, name)} takes effect when mizzen is started anew"
                )

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            _log.error("%s", text)

    async def _add(self, spec: ProxySpec) -> None:
        check(spec)
        gateway = Gateway(
            spec,
            envoy=self.plan.envoy,
            logs=self._log_folder,
            is_first_start=not self.ready.is_set(),
            patience=self.plan.patience,
        )
        try:
            await gateway.prepare()
        except OSError as error:
            raise StartFailed(f"{spec.key} cannot be prepared in {gateway.folder}: {error}") from error
        self.gateways[spec.key] = gateway
        self._run(gateway.keeper.run())

    async def _end(self, gateway: Gateway) -> None:
        said = gateway.spec.leaving_seconds
        await gateway.drain(self.plan.drain_seconds if said is None else said, self._hurry)
        await gateway.stop()

    async def _leave(self, gateway: Gateway) -> None:
        await self._end(gateway)
        del self._leaving[gateway.spec.key]

    async def _shut_down(self) -> None:
        """Gateways first, while what they need is still there; then the others."""
        self._stopping.set()
        ending = (self._end(gateway) for gateway in self.gateways.values())
        for failed in await asyncio.gather(*ending, *self._leaving.values(), return_exceptions=True):
            if isinstance(failed, BaseException):
                _log.error("a gateway did not end in good order: %r", failed)
        await asyncio.gather(*(keeper.stop(_END_SECONDS) for keeper in self._keepers))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for log in self._logs:
            log.close()
        for path in (self.plan.instance.ads_socket, self.plan.instance.control_socket):
            with contextlib.suppress(OSError):  # what is not ours stays
                make_way(path)


def first_pause(seconds: float) -> float:
    """How long until the next look, when an instance has been starting for `seconds`."""
    return min(max(seconds * FIRST_SHARE, FIRST_SECONDS), EAGER_SECONDS)


def proxy_spec(plan: Plan, proxy: ProxyValue, taken: frozenset[int], secret: bytes = b"") -> ProxySpec:
    """The Envoy of a gateway that the control plane names; `taken` are the status ports of the others, `secret` the key
    of this start."""
    key = proxy.key
    step = 0
    while plan.status_port + step in taken:
        step += PORT_STEP
    return ProxySpec(
        kind=proxy.kind,
        name=proxy.name,
        namespace=proxy.namespace,
        labels=proxy.labels,
        ads_socket=plan.instance.ads_socket,
        sds_socket=plan.instance.ads_socket,  # the control plane keeps the certificates of its own machine
        admin_socket=plan.instance.admin_socket(key),
        health_socket=plan.instance.health_socket(key),
        status_port=plan.status_port + step,
        prometheus_port=plan.prometheus_port + step,
        bind=plan.bind,
        concurrency=proxy.concurrency if plan.concurrency is None else plan.concurrency,
        drain_seconds=proxy.drain_seconds or DRAIN_SECONDS,
        leaving_seconds=proxy.leaving_seconds,
        max_connections=proxy.max_connections or MAX_CONNECTIONS,
        runtime=proxy.runtime,
        server_id=plan.server_id,
        proof=proof_of_proxy(secret, key),
    )


def supervise(supervisor_of: Callable[[], Supervisor]) -> None:
    """Run an instance until SIGTERM, SIGINT or SIGHUP; a second one hurries. StartFailed as in `Supervisor.run`.

    `supervisor_of` makes the supervisor; it is called within the event loop.
    """

    async def main() -> None:
        supervisor = supervisor_of()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
        await supervisor.run()

    asyncio.run(main())
