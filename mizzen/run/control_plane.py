"""The control plane of `mizzen up`: files -> snapshots -> Envoys, and what came of it.

A loop that owns the files, the ADS server and the prover; what follows from what is decided in
`mizzen.pipeline` and `mizzen.http3`. It tells its status on the control socket.
"""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.envoy.config import EnvoyConfig
from mizzen.errors import Problem, Severity, sort_key
from mizzen.http3.announcement import Announcements
from mizzen.pipeline import Build, GatewayBuild, Memory, Settings, build, problems_at, to_snapshot
from mizzen.resources.yaml import RawObject
from mizzen.run.control_socket import ControlSocket
from mizzen.run.instance import Instance
from mizzen.run.mesh import Mesh, leaf_life
from mizzen.run.network import Listening, network
from mizzen.run.occupied import Claim, Taken, claims_of, occupied
from mizzen.run.prover import Prover
from mizzen.run.registration import registered
from mizzen.run.said import SAID
from mizzen.run.status import GatewayStatus, gateway_status
from mizzen.serve.ads import AdsServer, ClientStatus
from mizzen.sources.files import Files, Listing
from mizzen.sources.last_good import LastGood
from mizzen.xds.node import gateway_of
from mizzen.xds.resource_type import SECRET
from mizzen.xds.snapshot import Snapshot

REGISTRATION_SECONDS = 10.0  # how long a workload that registered itself may be away
PORT_RETRY_SECONDS = 2.0  # how often a port that somebody else holds is tried again

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Served:
    """What one gateway is being told."""

    build: GatewayBuild
    config: EnvoyConfig
    snapshot: Snapshot
    occupied: tuple[Taken, ...]  # listeners whose ports could not be opened
    claims: tuple[Claim, ...]  # the addresses it serves
    announcements: Announcements
    client: ClientStatus | None = None  # its Envoy, while connected


@dataclass(slots=True)
class ControlPlane:
    """Serves what the files say, and every change of it."""

    instance: Instance
    files: Files
    settings: Settings
    ca_folder: Path | None = None  # where the authority is kept, or plugged in; None: in the run-dir
    listening: Listening | None = None  # for proxies of other machines, instead of running them on this one
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    generation: int = 0
    served: dict[str, Served] = field(default_factory=dict)
    result: Build | None = None
    memory: Memory = field(default_factory=Memory)
    last_good: LastGood = field(init=False)
    ads: AdsServer = field(init=False)
    mesh: Mesh = field(init=False)
    prover: Prover = field(init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    promised: dict[str, Announcements] = field(default_factory=dict)  # from before a restart
    say: Callable[[str], None] = print  # what the user shall see
    told: frozenset[str] = frozenset()
    registered: dict[str, tuple[RawObject, ...]] = field(default_factory=dict)  # by who connected
    following: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.last_good = LastGood(self._errors)
        folder = self.ca_folder or self.instance.authority
        self.mesh = Mesh(folder, self._renewed, life=leaf_life(self.settings.environment))
        self.prover = Prover(on_proof=self.changed.set)

    def _errors(self, raw: RawObject) -> tuple[Problem, ...]:
        return self.memory.decode(raw, self.settings.default_namespace).problems

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`. Nothing is answered before everything has been read once."""
        self.promised = load_promises(self.instance.announcements)
        self.ads = AdsServer(socket_path=self.instance.ads_socket, on_status=self._on_status)
        await self.rebuild(self.files.listing())
        self.instance.ads_socket.unlink(missing_ok=True)
        if self.listening is not None:
            self.ads.network = await network(
                self.listening,
                self.ca_folder or self.instance.authority,
                self.mesh,
                self._trust_domain,
                self._admit,
                self.clock,
            )
        await self.ads.start()
        socket = ControlSocket(self.instance.control_socket, self.status)
        await socket.start()
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._follow_files(),
                self._follow_envoys(),
                self._retry_ports(),
                self.mesh.run(),
            )
        ]
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, waiting):
            task.cancel()
        await socket.stop()
        await self.ads.stop()
        for task in done - {waiting}:
            task.result()  # our own fault: the supervisor starts the next one, the log tells why

    async def rebuild(self, listing: Listing) -> None:
        """Follow the objects as they are now."""
        admitted = self.last_good.admit(listing)
        found = (*listing.problems, *admitted.problems)
        objects = (*admitted.objects, *(one for said in self.registered.values() for one in said))
        result = await asyncio.to_thread(build, objects, found, self.settings, self.memory)
        local = result.gateways if self.listening is None else ()
        self.mesh.want(frozenset(one.identity for one in local))
        before, self.served = self.served, {}
        for gateway in result.gateways:
            key = gateway.proxy.key
            self.served[key] = self._serve(gateway, before.get(key))
        self.result = result
        self.generation += 1
        self.tell()
        self.changed.set()

    def tell(self) -> None:
        """Say which problems are new and which are gone: each once, when it happens."""
        problems = {str(problem): problem for problem in self.problems()}
        for text, problem in problems.items():
            if text not in self.told and problem.severity is not Severity.INFO:
                self.say(text)
        for text in self.told - problems.keys():
            self.say(f"mended: {text.splitlines()[0]}")
        self.told = frozenset(problems)

    def _serve(self, gateway: GatewayBuild, before: Served | None) -> Served:
        """Publish one gateway's configuration, less the listeners whose ports are taken."""
        key = gateway.proxy.key
        held = frozenset(one.name for one in before.build.model.listeners) if before else frozenset()
        claims = tuple(claim for other in self.served.values() for claim in other.claims)
        taken = () if self.listening else occupied(gateway.model, held, self.instance.gateway(key), claims)
        lost = frozenset(one.listener for one in taken)
        usable = gateway.without_listeners(lost)
        announcements = before.announcements if before else self.promised.get(key, Announcements())
        announcements = announcements.follow(usable.model.announcements, self.clock())
        config = usable.config(announcements.values())
        served = Served(
            build=usable,
            config=config,
            snapshot=self._snapshot(usable, config, before),
            occupied=taken,
            claims=claims_of(gateway.model, lost),
            announcements=announcements,
            client=before.client if before else None,
        )
        self.ads.publish(key, served.snapshot)
        return served

    def _snapshot(self, built: GatewayBuild, config: EnvoyConfig, before: Served | None) -> Snapshot:
        """What goes to a proxy: its configuration, and who it is."""
        known = before.snapshot if before else None
        return keep_secrets(to_snapshot(config, known, self.mesh.credentials(built.identity)), before)

    def _renewed(self, identity: str) -> None:
        """Somebody has a new certificate: nothing else of what they are told changes."""
        for key, served in self.served.items():
            if served.build.identity == identity:
                served.snapshot = self._snapshot(served.build, served.config, served)
                self.ads.publish(key, served.snapshot)

    @property
    def _trust_domain(self) -> str:
        assert self.result is not None
        return self.result.trust_domain

    def _admit(self, node: pb.Node, identity: Identity) -> str:
        """Why a proxy is not served; "" when it is who it says. A workload that comes gets its sidecar."""
        assert self.result is not None
        proxy = gateway_of(node)
        served = self.served.get(proxy)
        if served is not None:
            return "" if served.build.identity == identity.uri else f"{proxy} is {served.build.identity}"
        name, _, namespace = proxy.rpartition(".")
        workload = self.result.world.workload_entry_by_key.get((namespace, name))
        said = (
            registered(node, name, identity) if workload is None and namespace == identity.namespace else ()
        )
        if said:
            self.registered[proxy] = said
            self._want_sidecar(f"{namespace}/{name}")
            return ""
        if workload is None:
            return f"there is neither a gateway nor a WorkloadEntry called {proxy}"
        if (namespace, workload.spec.service_account or "default") != (
            identity.namespace,
            identity.service_account,
        ):
            return f"the WorkloadEntry {namespace}/{name} is not of {identity}"
        self._want_sidecar(f"{namespace}/{name}")
        return ""

    def _want_sidecar(self, key: str) -> None:
        self.settings = replace(self.settings, sidecars=self.settings.sidecars | {key})
        self._soon()

    def _soon(self) -> None:
        """Rebuild, as after a change of the files."""
        task = asyncio.get_running_loop().create_task(self._follow())
        self.following.add(task)
        task.add_done_callback(self.following.discard)

    def _forget(self, proxy: str) -> None:
        """A workload that registered itself and has not come back is gone."""
        served = self.served.get(proxy)
        if proxy in self.registered and (served is None or served.client is None):
            del self.registered[proxy]
            self._soon()

    def _on_status(self, client: ClientStatus) -> None:
        if served := self.served.get(client.gateway):
            served.client = client if client.is_connected else None
            self.changed.set()
            if client.gateway in self.registered and not client.is_connected:
                loop = asyncio.get_running_loop()
                loop.call_later(REGISTRATION_SECONDS, self._forget, client.gateway)

    async def _follow_files(self) -> None:
        async for _ in self.files.changes():
            await self._follow()

    async def _follow(self) -> None:
        """Rebuild; a fault of ours in doing so takes nothing away."""
        try:
            await self.rebuild(await asyncio.to_thread(self.files.listing))
        except Exception:  # noqa: BLE001  # the loop that retries: an edit may mend it
            _log.exception("the change could not be followed")
            self.say("a fault of mizzen: this change is not served, what was before it stays (see the log)")

    async def _follow_envoys(self) -> None:
        """Prove mirrors as Envoys take them up, and announce those that are proven."""
        while True:
            self.changed.clear()
            self.tell()
            for key, served in self.served.items():
                self._announce(key, served)
            wait = self.prover.seconds_to_next()
            try:
                await asyncio.wait_for(self.changed.wait(), wait)
            except TimeoutError:
                continue

    def _announce(self, key: str, served: Served) -> None:
        evidence = self.prover.evidence(key, served.build.model, served.snapshot, served.client)
        stepped = served.announcements.step(evidence, self.clock())
        if stepped.values() != served.announcements.values():
            served.config = served.build.config(stepped.values())
            served.snapshot = self._snapshot(served.build, served.config, served)
            self.ads.publish(key, served.snapshot)
        promises_change = stepped.to_json() != served.announcements.to_json()
        served.announcements = stepped
        if promises_change:
            save_promises(self.instance.announcements, {k: s.announcements for k, s in self.served.items()})

    async def _retry_ports(self) -> None:
        while True:
            await asyncio.sleep(PORT_RETRY_SECONDS)
            if any(served.occupied for served in self.served.values()):
                await self._follow()

    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong now: in the objects, with the ports, and what Envoys rejected."""
        assert self.result is not None
        found = dict.fromkeys((*problems_at(self.result, self.clock()), *self.mesh.problems))
        for served in self.served.values():
            found |= dict.fromkeys(taken.problem for taken in served.occupied)
            found |= dict.fromkeys(self._gateway_status(served).rejected)
        return tuple(sorted(found, key=sort_key))

    def _gateway_status(self, served: Served) -> GatewayStatus:
        return gateway_status(
            model=served.build.model,
            config=served.config,
            snapshot=served.snapshot,
            client=served.client,
            announcements=served.announcements,
            occupied=served.occupied,
        )

    def status(self) -> dict[str, object]:
        """What the control socket tells, as JSON values."""
        for key, served in self.served.items():
            self._announce(key, served)  # what Envoy said just now begins a proof: that is not "ready" yet
        return {
            "pid": os.getpid(),
            "generation": self.generation,
            "problems": [problem.value() for problem in self.problems()],
            "proxies": [proxy_value(served.build) for served in self.served.values()],
            "gateways": {key: self._gateway_status(served).value() for key, served in self.served.items()},
        }


def keep_secrets(snapshot: Snapshot, before: Served | None) -> Snapshot:
    """Certificates that went bad or away keep their last good version for as long as they are asked for."""
    if before is None:
        return snapshot
    kept = {**before.snapshot.of(SECRET.url), **snapshot.of(SECRET.url)}
    return Snapshot(types={**snapshot.types, SECRET.url: kept})


def proxy_value(gateway: GatewayBuild) -> dict[str, object]:
    """What the supervisor must know to run a gateway's Envoy."""
    proxy = gateway.proxy
    return {
        "kind": proxy.kind,
        "name": proxy.name,
        "namespace": proxy.namespace,
        "labels": dict(proxy.labels),
    }


def load_promises(path: Path) -> dict[str, Announcements]:
    """What an earlier control plane of this run-dir announced. A file that is not ours counts as none."""
    try:
        stored = json.loads(path.read_text())
        return {key: Announcements.from_json(value) for key, value in stored.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def save_promises(path: Path, promises: dict[str, Announcements]) -> None:
    """Atomically, so that a kill leaves the old or the new file."""
    text = json.dumps({key: one.to_json() for key, one in sorted(promises.items())}, indent=1)
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def read_memory(descriptor: int) -> bytes:
    """The content of a memory file that the parent filled (standard input, which is there only once)."""
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def say(text: str) -> None:
    """To the user of `mizzen up`, who reads the lines of ours that begin with a mark."""
    print("".join(f"{SAID}{line}\n" for line in text.splitlines()), end="", flush=True)


def serve(
    instance: Instance,
    paths: Sequence[str],
    stdin: bytes | None,
    settings: Settings,
    *,
    ca_folder: Path | None = None,
    listening: Listening | None = None,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Run a control plane until SIGTERM or SIGINT."""

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        files = Files(paths, stdin)
        await ControlPlane(
            instance, files, settings, ca_folder=ca_folder, listening=listening, say=tell or say
        ).run(stop)

    asyncio.run(main())
