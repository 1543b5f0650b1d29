"""One gateway of a running instance: its Envoy, kept running, and the answers to its health checks."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mizzen.http3.server_ids import LONGEST, chosen, environment
from mizzen.node import private_file
from mizzen.node.child_process import Command
from mizzen.node.hang_detection import PATIENCE_SECONDS
from mizzen.node.health import HealthServer, Readiness, envoy_state
from mizzen.node.logs import BoundedLog
from mizzen.node.ports import try_bind
from mizzen.node.process_watch import Watch
from mizzen.node.restart_policy import PATIENCE, Restarts
from mizzen.node.restarting_process import Keeper, StartFailed
from mizzen.node.run_dir import check_socket_path
from mizzen.node.unix_sockets import make_way
from mizzen.proxy.admin import CONNECTIONS, LIVE, Admin, active_connections
from mizzen.proxy.bootstrap import ProxySpec, arguments, bootstrap
from mizzen.redaction import hidden_text
from mizzen.serve.kept_socket import KeptSocket
from mizzen.xds.start import Start, deadly_signal

# What Envoy gets of our environment: how it finds libraries, names and the time, and what access logs may tell of
# its Pod. Nothing else, whatever somebody makes it read there.
ENVIRONMENT = frozenset(
    {
        *("LANG", "LC_ALL", "LD_LIBRARY_PATH", "LOCALDOMAIN", "RES_OPTIONS", "TMPDIR", "TZ"),
        *("HOST_IP", "INSTANCE_IP", "NODE_NAME", "POD_NAME", "POD_NAMESPACE"),
    }
)
_END_SECONDS = 2.0  # from SIGTERM to SIGKILL; Envoy needs some 20 ms
_LOOK_AGAIN_SECONDS = 0.1

_log = logging.getLogger(__name__)


class Gateway:
    """The Envoy of one gateway. Its files are in the folder of `spec.admin_socket`."""

    def __init__(
        self,
        spec: ProxySpec,
        *,
        envoy: Path,
        logs: Path,
        is_first_start: bool,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Nothing is started yet. Only in the `is_first_start` of an instance a failure to start is final.

        `patience`: after how many seconds of silence Envoy counts as hung.
        """
        self.spec = spec
        self.folder = spec.admin_socket.parent
        self.admin = Admin(spec.admin_socket)
        self.readiness = Readiness()
        self.state = ""  # as Envoy last said of itself
        self._health = HealthServer(spec.health_socket, self.readiness, self.admin)
        # Envoy quotes the configuration that it refuses.
        self._logs = (
            BoundedLog(logs / f"{spec.key}.access.log"),
            BoundedLog(logs / f"{spec.key}.envoy.log", clean=hidden_text),
        )
        name = f"Envoy of {spec.key}"
        self._config = self.folder / "bootstrap.json"
        self._admin_socket = KeptSocket(spec.admin_socket)
        self.keeper = Keeper(
            Command(
                name=name,
                argv=(str(envoy), *arguments(spec, self._config)),
                environment=environment(spec.server_id, spec.address, spec.key),
                inherits=ENVIRONMENT,
            ),
            Restarts(name=name, patience=PATIENCE if is_first_start else None),
            out=self._logs[0],  # an access log of /dev/stdout
            err=self._logs[1],
            on_start=self._on_start,
            on_exit=self._on_exit,
            explain=lambda: blocked(spec),
        )
        self._watch = Watch(self.keeper, patience)
        if chosen(spec.server_id) is None:
            _log.warning(
                "%s: %r is no server id (up to %d bytes, in hexadecimal digits): where connection ids are to lead to it, it opens no QUIC listener",
                *(spec.key, spec.server_id, LONGEST),
            )

    async def prepare(self) -> None:
        """Write what Envoy starts from, and be there for its health checks."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for left in self.folder.glob("admin*.sock"):  # of an Envoy that was killed
            make_way(left)
        private_file.write(self._config, bootstrap(self.spec))
        await self._health.start()

    def restore(self) -> tuple[str, ...]:
        """Make again what somebody removed of its files and sockets: what that was. OSError when that fails."""
        return tuple(self._restore())

    def _restore(self) -> Iterator[str]:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for kept in (self._health.socket, self._admin_socket):
            if kept.restore():
                yield f"{self.spec.key}/{kept.path.name}"
        for log in self._logs:
            yield from log.restore()
        if not self._config.exists():  # last: of all this it takes the most room
            private_file.write(self._config, bootstrap(self.spec))
            yield f"{self.spec.key}/{self._config.name}"

    def _on_start(self) -> None:
        self.readiness.on_start()
        self._admin_socket.release()  # it was of the Envoy before
        self.admin.path = self.spec.admin_socket

    def _on_exit(self, status: int) -> None:
        """The next Envoy tells the control plane how this one ended: it may have died of its configuration."""
        self.spec = replace(self.spec, start=Start(self.spec.start.number + 1, deadly_signal(status)))
        try:
            private_file.write(self._config, bootstrap(self.spec))
        except OSError as error:  # it starts all the same, and says what it said before
            _log.warning("%s cannot be told how its Envoy ended: %s", self.spec.key, error)

    async def look(self) -> None:
        """Ask Envoy how it is."""
        child = self.keeper.child
        self.state = await envoy_state(self.admin)
        is_same = child is self.keeper.child  # else the answer was its predecessor's, and so is the socket
        if self.state and is_same and not self._admin_socket.is_held:
            with contextlib.suppress(OSError):  # removed just now: what is not held cannot come back
                self._admin_socket.hold()
                self.admin.path = self._admin_socket.address
        if self.state == LIVE:
            self.keeper.restarts.on_up()
        self._watch.look(answered=bool(self.state))

    @property
    def is_ready(self) -> bool:
        """Does Envoy serve a configuration that it has confirmed?"""
        return self.state == LIVE and self.readiness.is_confirmed

    async def drain(self, bound: float, hurry: asyncio.Event) -> None:
        """Ask clients to leave, and wait until they have, at most `bound` seconds or until `hurry`."""
        self.readiness.is_draining = True
        try:
            async with asyncio.timeout(bound):
                await self.admin.drain()
                await self.admin.fail_health_check()
                while not hurry.is_set():
                    stats = await self.admin.stats(CONNECTIONS)
                    if not active_connections(stats, self.spec.own_listeners):
                        return
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except OSError:  # they did not leave in time, or Envoy does not answer: there is no more to wait for
            return

    async def stop(self) -> None:
        """End Envoy and remove what `prepare` made."""
        await self.keeper.stop(_END_SECONDS)
        await self._health.stop()
        self._admin_socket.release()
        for log in self._logs:
            log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def check(spec: ProxySpec) -> None:
    """StartFailed when the gateway cannot run here: its name is none, a port of its bootstrap is taken, a path too long."""
    if "/" in spec.key:
        raise StartFailed(f"{spec.key} is no name that a gateway can have: a folder is called so")
    for path in (spec.health_socket, spec.admin_socket):
        check_socket_path(path)
    if why := blocked(spec):
        raise StartFailed(why)


def blocked(spec: ProxySpec) -> str:
    """Which port of its bootstrap is taken, and by whom; "" when none is. Without these Envoy does not start."""
    for port, purpose in ((spec.status_port, "health checks"), (spec.prometheus_port, "metrics")):
        if refusal := try_bind(spec.bind, port):
            why = f"{spec.key} cannot open TCP {spec.bind}:{port} for {purpose}: {refusal.reason}."
            return f"{why} {refusal.hint}".rstrip()
    return ""
