"""One proxy on a machine of its own: its certificate, its Envoy, its health, and its end in good order."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mizzen.authority.identity import Identity
from mizzen.authority.root import AuthorityError, read_key
from mizzen.envoy.config import SECRETS
from mizzen.envoy.secret import ca_secret, tls_secret
from mizzen.proxy.admin import LIVE
from mizzen.proxy.bootstrap import ProxySpec
from mizzen.run import join
from mizzen.run.app_health import AppHealth
from mizzen.run.gateway import Gateway, check
from mizzen.run.instance import Instance
from mizzen.run.join import RemoteAuthority
from mizzen.run.reading import Reading
from mizzen.run.run_dir import LOGS, check_socket_path, possession
from mizzen.run.system_roots import SystemRoots, told_once
from mizzen.run.workloads import Workloads
from mizzen.serve.ads import AdsServer
from mizzen.xds.snapshot import snapshot

_LOOK_SECONDS = 0.2
_UPDATES = (
    r"^(cluster_manager\.cds|listener_manager\.lds)\.update_success$|^listener_manager\.workers_started$"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyPlan:
    """What one `mizzen proxy` runs."""

    instance: Instance
    spec: ProxySpec
    identity: Identity
    secure: str  # HOST:PORT of the control plane
    join: str
    roots: Callable[[], bytes]  # PEM: whom to trust before anything was given
    token: Callable[[], str]  # a credential for the first certificate; "" when there is none
    envoy: Path
    reading_port: int | None = None  # on loopback: what may be read of Envoy's admin interface
    app_port: int | None = None  # of a Pod: the probes of its applications
    probers: Mapping[str, Any] = field(default_factory=dict)  # what those ask
    drain_seconds: float = 45.0  # how long clients get to leave
    lame_duck_seconds: float = 0.0  # between "not ready" and asking clients to leave


class Agent:
    """Runs until it is told to stop."""

    def __init__(self, plan: ProxyPlan, say: Callable[[str], None]) -> None:
        self._plan, self._say = plan, say
        self._stopping, self._hurry = asyncio.Event(), asyncio.Event()
        self._sds = AdsServer(socket_path=plan.spec.sds_socket)
        authority = RemoteAuthority(
            secure=plan.secure,
            join=plan.join,
            roots=plan.roots,
            token=plan.token,
            held=lambda identity: self._workloads.credentials(identity),
        )
        self._workloads = Workloads(authority.sign, self._renewed)
        self._system_roots = SystemRoots(os.environ)
        self._is_said = False

    def stop(self) -> None:
        """Begin to end in good order; called again, without waiting for clients to leave."""
        (self._hurry if self._stopping.is_set() else self._stopping).set()

    async def run(self) -> None:
        """Until `stop`. StartFailed when it cannot run here."""
        plan = self._plan
        with possession(plan.instance):
            check_socket_path(plan.spec.sds_socket)
            check(plan.spec)
            plan.spec.sds_socket.unlink(missing_ok=True)
            await self._sds.start()
            gateway = Gateway(
                plan.spec, envoy=plan.envoy, logs=plan.instance.run_dir / LOGS, is_first_start=True
            )
            await gateway.prepare()
            reading = Reading(plan.spec.admin_socket)
            if plan.reading_port is not None:
                await reading.start(plan.reading_port)
            probes = AppHealth(plan.probers, gateway.readiness, gateway.admin, plan.spec.address)
            if plan.app_port is not None:
                await probes.start(plan.app_port)
            told_once(self._system_roots, _log.warning)
            self._adopt()
            work: list[asyncio.Task[None]] = [
                asyncio.create_task(self._workloads.run()),
                asyncio.create_task(gateway.keeper.run()),
                asyncio.create_task(self._look(gateway)),
            ]
            stopping = asyncio.create_task(self._wait_for_stop())
            done, _ = await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await self._end(gateway, [*work, stopping])
            await reading.stop()
            await probes.stop()
            for task in done - {stopping}:
                task.result()

    async def _wait_for_stop(self) -> None:
        await self._stopping.wait()

    def _adopt(self) -> None:
        """The certificate of an earlier run, while it lives; else one is asked for."""
        plan = self._plan
        found = join.load(plan.instance.run_dir, plan.identity)
        if found is not None and found[1].ends > datetime.now(UTC):
            try:
                read_key(found[0], join.KEY)
                self._workloads.adopt(plan.identity, *found)
                self._renewed(plan.identity)
            except AuthorityError as error:
                _log.warning("the stored key is not used: %s", error)
        self._workloads.want({plan.identity})

    def _renewed(self, identity: Identity) -> None:
        found = self._workloads.credentials(identity)
        assert found is not None
        certificate, ca = found
        own = {certificate.name: tls_secret(certificate), ca.name: ca_secret(ca)}
        if system_roots := self._system_roots.get():
            own[system_roots.name] = ca_secret(system_roots)
        self._sds.publish(self._plan.spec.key, snapshot({SECRETS: own}))
        join.store(self._plan.instance.run_dir, certificate, ca)
        _log.info("a new certificate of %s", identity)

    async def _look(self, gateway: Gateway) -> None:
        """Follow Envoy, for its health checks; say once that it serves."""
        while True:
            await gateway.look()
            synced, why = await self._synced(gateway)
            gateway.readiness.hear({"synced": synced, "reason": why}, gateway.state)
            if gateway.is_ready and not self._is_said:
                self._is_said = True
                self._say(f"ready: {self._plan.spec.key} serves as {self._plan.identity}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _synced(self, gateway: Gateway) -> tuple[bool, str]:
        """Has Envoy taken a configuration? As Istio's agent judges it."""
        if gateway.state != LIVE:
            trouble = self._workloads.trouble
            return False, trouble or f"Envoy is {gateway.state or 'not there yet'}"
        try:
            stats = await gateway.admin.stats(_UPDATES)
        except OSError as error:
            return False, str(error)
        missing = [name for name, count in stats.items() if not count]
        return not missing, f"nothing has come from the control plane yet ({', '.join(missing)})"

    async def _end(self, gateway: Gateway, work: list[asyncio.Task[None]]) -> None:
        """Not ready, a while for balancers to see it, then clients are asked to leave."""
        gateway.readiness.is_draining = True
        if self._plan.lame_duck_seconds and not self._hurry.is_set():
            hurry = asyncio.create_task(self._hurry.wait())
            await asyncio.wait({hurry}, timeout=self._plan.lame_duck_seconds)
            hurry.cancel()
        await gateway.drain(self._plan.drain_seconds, self._hurry)
        await gateway.stop()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await self._sds.stop()
        self._plan.spec.sds_socket.unlink(missing_ok=True)


def serve(plan: ProxyPlan, say: Callable[[str], None]) -> None:
    """Run a proxy until SIGTERM, SIGINT or SIGHUP; a second one hurries. StartFailed as in `Agent.run`."""

    async def main() -> None:
        agent = Agent(plan, say)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, agent.stop)
        await agent.run()

    asyncio.run(main())
