"""One proxy on a machine of its own: its certificate, its Envoy, its health, and its end in good order."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mizzen.agent import join
from mizzen.agent.admin_reader import Reading
from mizzen.agent.app_health import AppHealth
from mizzen.agent.file_secrets import FileSecrets
from mizzen.agent.join import RemoteAuthority
from mizzen.authority.identity import Identity
from mizzen.authority.proof import proof_of_proxy
from mizzen.authority.root import AuthorityError, read_key
from mizzen.envoy.config import SECRETS
from mizzen.envoy.secret import ca_secret, tls_secret
from mizzen.lazy import dataclass
from mizzen.node.envoy_process import Gateway, check
from mizzen.node.hang_detection import PATIENCE_SECONDS
from mizzen.node.instance import Instance
from mizzen.node.restarting_process import StartFailed
from mizzen.node.restore import Restorer
from mizzen.node.run_dir import LOGS, check_socket_path, possession
from mizzen.node.system_roots import SystemRoots, told_once
from mizzen.node.unix_sockets import make_way
from mizzen.node.workload_certificates import Workloads
from mizzen.proxy.admin import LIVE
from mizzen.proxy.bootstrap import ProxySpec
from mizzen.resolve.context import FileFolders
from mizzen.serve.ads import AdsServer
from mizzen.status import Word
from mizzen.xds.snapshot import snapshot

_LOOK_SECONDS = 0.2
_FILES_SECONDS = 2.0  # how often files that Envoy asks for are looked at
_STREAMS_OF_ENVOY = 1_000  # one for each secret that it asks for here
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
    certificate_folders: FileFolders = field(default_factory=FileFolders)  # below which files may be named
    patience: float = PATIENCE_SECONDS  # with an Envoy that does not answer, before it is killed
    lame_duck_seconds: float = 0.0  # between "not ready" and asking clients to leave


class Agent:
    """Runs until it is told to stop."""

    def __init__(self, plan: ProxyPlan, say: Callable[[str], None]) -> None:
        self._plan, self._say = plan, say
        self._stopping, self._hurry = asyncio.Event(), asyncio.Event()
        self._key = b""  # of this start, by which our Envoy proves that it is ours
        self._sds = AdsServer(
            socket_path=plan.spec.sds_socket,
            proof=lambda proxy: proof_of_proxy(self._key, proxy),
            streams_of_node=_STREAMS_OF_ENVOY,
        )
        self._pair = join.StoredPair(plan.instance.run_dir)
        self._authority = RemoteAuthority(
            secure=plan.secure,
            join=plan.join,
            roots=plan.roots,
            token=plan.token,
            held=lambda identity: self._workloads.credentials(identity),
        )
        self._workloads = Workloads(
            lambda identity, request: self._authority.sign(identity, request), self._renewed
        )
        self._system_roots = SystemRoots(os.environ)
        self._files = FileSecrets(plan.certificate_folders)
        self._asked: frozenset[str] = frozenset()  # what Envoy has asked for
        self._files_at = 0.0  # when files were looked at last
        self._is_said = False

    def stop(self) -> None:
        """Begin to end in good order; called again, without waiting for clients to leave."""
        (self._hurry if self._stopping.is_set() else self._stopping).set()

    async def run(self) -> None:
        """Until `stop`. StartFailed when it cannot run here."""
        plan = self._plan
        with possession(plan.instance) as held:
            self._key = held.key
            own = join.own_proof(plan.instance.run_dir)
            self._authority = replace(self._authority, proof=own)
            spec = self._spec(own)
            check_socket_path(spec.sds_socket)
            check(spec)
            _make_way(spec.sds_socket)
            await self._sds.start()
            gateway = Gateway(
                spec,
                envoy=plan.envoy,
                logs=plan.instance.run_dir / LOGS,
                is_first_start=True,
                patience=plan.patience,
            )
            await gateway.prepare()
            reading = Reading(
                spec.admin_socket, lambda: gateway.keeper.child.pid if gateway.keeper.child else 0
            )
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
                asyncio.create_task(self._look(gateway, Restorer(held))),
            ]
            stopping = asyncio.create_task(self._wait_for_stop())
            done, _ = await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await self._end(gateway, [*work, stopping])
            await reading.stop()
            await probes.stop()
            for task in done - {stopping}:
                task.result()

    def _spec(self, own_proof: str) -> ProxySpec:
        """The proxy with what is found or made at each start."""
        spec, folder = self._plan.spec, self._plan.spec.admin_socket.parent.name
        return replace(
            spec,
            proof=proof_of_proxy(self._key, spec.key),
            pilot=replace(spec.pilot, proof=own_proof) if spec.pilot else None,
            admin_socket=self._plan.instance.admin_socket(folder),
        )

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
        self._pair.set(*found)
        self._publish()
        _log.info("a new certificate of %s", identity)

    def _publish(self) -> None:
        """All that this Envoy has from beside it."""
        own = dict(self._files.held)
        if found := self._workloads.credentials(self._plan.identity):
            certificate, ca = found
            own |= {certificate.name: tls_secret(certificate), ca.name: ca_secret(ca)}
        if system_roots := self._system_roots.get():
            own[system_roots.name] = ca_secret(system_roots)
        self._sds.publish(self._plan.spec.key, snapshot({SECRETS: own}))

    def _follow_files(self) -> None:
        """What Envoy asks for by its path, and as often as it changes."""
        now, names = time.monotonic(), self._sds.asked(SECRETS)
        if names == self._asked and now - self._files_at < _FILES_SECONDS:
            return
        self._files_at, self._asked = now, names
        if self._files.follow(names):
            self._publish()

    async def _look(self, gateway: Gateway, restorer: Restorer) -> None:
        """Follow Envoy, for its health checks; say once that it serves."""
        while True:
            restorer.look(gateway, self._sds, self._pair)
            self._follow_files()
            await gateway.look()
            synced, why = await self._synced(gateway)
            gateway.readiness.hear(Word(synced=synced, reason=why), gateway.state)
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
        with contextlib.suppress(OSError):  # what is not ours stays
            make_way(self._plan.spec.sds_socket)


def _make_way(path: Path) -> None:
    try:
        make_way(path)
    except OSError as error:
        raise StartFailed(f"{path} cannot be used: {error.strerror}") from error


def serve(plan: ProxyPlan, say: Callable[[str], None]) -> None:
    """Run a proxy until SIGTERM, SIGINT or SIGHUP; a second one hurries. StartFailed as in `Agent.run`."""

    async def main() -> None:
        agent = Agent(plan, say)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, agent.stop)
        await agent.run()

    asyncio.run(main())
