"""One gateway of a running instance: its Envoy, kept running, and the answers to its health checks."""

import asyncio
import shutil
from pathlib import Path

from mizzen.proxy.admin import CONNECTIONS, LIVE, Admin, active_connections
from mizzen.proxy.bootstrap import ProxySpec, arguments, bootstrap
from mizzen.redaction import hidden_text
from mizzen.run.child import Command
from mizzen.run.health import HealthServer, Readiness, envoy_state
from mizzen.run.keeper import Keeper, StartFailed
from mizzen.run.logs import BoundedLog
from mizzen.run.ports import try_bind
from mizzen.run.restart import PATIENCE, Restarts
from mizzen.run.run_dir import check_socket_path

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


class Gateway:
    """The Envoy of one gateway. Its files are in the folder of `spec.admin_socket`."""

    def __init__(self, spec: ProxySpec, *, envoy: Path, logs: Path, is_first_start: bool) -> None:
        """Nothing is started yet. Only in the `is_first_start` of an instance a failure to start is final."""
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
        config = self.folder / "bootstrap.json"
        self.keeper = Keeper(
            Command(name=name, argv=(str(envoy), *arguments(spec, config)), inherits=ENVIRONMENT),
            Restarts(name=name, patience=PATIENCE if is_first_start else None),
            out=self._logs[0],  # an access log of /dev/stdout
            err=self._logs[1],
            on_start=self.readiness.on_start,
        )

    async def prepare(self) -> None:
        """Write what Envoy starts from, and be there for its health checks."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        config = self.folder / "bootstrap.json"
        config.touch(mode=0o600)
        config.write_bytes(bootstrap(self.spec))
        await self._health.start()

    async def look(self) -> None:
        """Ask Envoy how it is."""
        self.state = await envoy_state(self.admin)
        if self.state == LIVE:
            self.keeper.restarts.on_up()

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
        for log in self._logs:
            log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def check(spec: ProxySpec) -> None:
    """StartFailed when the gateway cannot run here: a port of its bootstrap is taken, a path too long."""
    check_socket_path(spec.health_socket)
    for port, purpose in ((spec.status_port, "health checks"), (spec.prometheus_port, "metrics")):
        if refusal := try_bind(spec.bind, port):
            raise StartFailed(
                f"{spec.key} cannot open TCP {spec.bind}:{port} for {purpose}: {refusal.reason}. {refusal.hint}".rstrip()
            )
