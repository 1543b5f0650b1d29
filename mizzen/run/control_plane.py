"""The control plane of `mizzen up`: files -> snapshots -> Envoys, and what came of it.

A loop that owns the files, the ADS server and the prover; what follows from what is decided in
`mizzen.pipeline` and `mizzen.http3`. It tells its status on the control socket.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.envoy.config import EnvoyConfig
from mizzen.errors import Problem, Severity, sort_key
from mizzen.http3.announcement import Announcements, together
from mizzen.model import authors
from mizzen.pipeline import Build, GatewayBuild, Memory, Settings, build, problems_at, to_snapshot
from mizzen.resources.yaml import RawObject
from mizzen.run.admission import judge
from mizzen.run.control_socket import ControlSocket
from mizzen.run.envoy_files import unusable_files, without_files
from mizzen.run.instance import Instance
from mizzen.run.mesh import Mesh, leaf_life
from mizzen.run.network import Listening, network
from mizzen.run.occupied import claims_of, occupied
from mizzen.run.prover import Prover
from mizzen.run.said import SAID
from mizzen.run.served import Served, keep_secrets, load_promises, proxy_value, save_promises
from mizzen.run.status import GatewayStatus, gateway_status
from mizzen.serve.ads import Admission, AdsServer, ClientStatus
from mizzen.serve.certificates import Accounts
from mizzen.sources.files import Files, Listing
from mizzen.sources.last_good import LastGood
from mizzen.xds.node import gateway_of
from mizzen.xds.snapshot import Snapshot

REGISTRATION_SECONDS = 10.0  # how long a workload that registered itself may be away
PORT_RETRY_SECONDS = 2.0  # how often a port that somebody else holds is tried again

_log = logging.getLogger(__name__)


class Source(Protocol):
    """Where objects come from."""

    def listing(self) -> Listing:
        """All there are now."""

    def changes(self) -> AsyncIterator[None]:
        """One item whenever a listing would differ from the one before."""


@dataclass(slots=True)
class ControlPlane:
    """Serves what the files say, and every change of it."""

    instance: Instance
    files: Source
    settings: Settings
    shares_root: bool = False  # other processes rotate what is in `ca_folder`
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
    # May the proxy of an identity be told the Secrets of its namespace? None: all may.
    may_read_secrets: Callable[[Identity], Awaitable[bool]] | None = None
    accounts: Accounts | None = None  # whose are the tokens that are no join tokens
    started: asyncio.Event = field(default_factory=asyncio.Event)  # proxies are answered
    by_name: dict[str, Served] = field(default_factory=dict)  # by what each Envoy calls itself

    def __post_init__(self) -> None:
        self.last_good = LastGood(self._errors)
        folder = self.ca_folder or self.instance.authority
        self.mesh = Mesh(
            folder, self._renewed, life=leaf_life(self.settings.environment), is_shared=self.shares_root
        )
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
                self.accounts,
            )
        await self.ads.start()
        self.started.set()
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
        before, self.served, self.by_name = self.served, {}, {}
        connected = {client.gateway: client for client in self.ads.status()}
        for gateway in result.gateways:
            key = gateway.proxy.key
            served = self.served[key] = self._serve(gateway, before.get(key))
            self.by_name |= dict.fromkeys(served.names, served)
            served.clients = {name: connected[name] for name in served.names if name in connected}
        self.result = result
        self._forget_the_gone()
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
        unusable = () if self.listening else unusable_files(gateway, before.build.model if before else None)
        usable = without_files(gateway.without_listeners(lost), unusable)
        announcements = before.announcements if before else self.promised.get(key, Announcements())
        announcements = announcements.follow(usable.model.announcements, self.clock())
        known = (before.build.model, before.config) if before else None
        config = usable.config(announcements.values(), known)
        served = Served(
            build=usable,
            config=config,
            snapshot=self._snapshot(usable, config, before),
            occupied=taken,
            unusable=unusable,
            claims=claims_of(gateway.model, lost),
            announcements=announcements,
            held=tuple(sorted(map(str, authors(usable.model)))),
        )
        self._publish(served)
        return served

    def _publish(self, served: Served) -> None:
        for name in served.names:
            self.ads.publish(name, served.snapshot)

    def _snapshot(self, built: GatewayBuild, config: EnvoyConfig, before: Served | None) -> Snapshot:
        """What goes to a proxy: its configuration, and who it is."""
        known = before.snapshot if before else None
        return keep_secrets(to_snapshot(config, known, self.mesh.credentials(built.identity)), before)

    def _renewed(self, identity: str) -> None:
        """Somebody has a new certificate: nothing else of what they are told changes."""
        for served in self.served.values():
            if served.build.identity == identity:
                served.snapshot = self._snapshot(served.build, served.config, served)
                self._publish(served)

    @property
    def _trust_domain(self) -> str:
        assert self.result is not None
        return self.result.trust_domain

    async def _admit(self, node: pb.Node, identity: Identity) -> Admission:
        """Whether a proxy of the network is served; one that comes first begins to be."""
        assert self.result is not None
        served = {name: one.build.identity for name, one in self.by_name.items()}
        verdict = judge(self.result.world, served, node, identity)
        if verdict.refusal:
            return Admission(refusal=verdict.refusal)
        secrets = self.may_read_secrets is None or await self.may_read_secrets(identity)
        if verdict.said:
            self.registered[gateway_of(node)] = verdict.said
        self._want(sidecar=verdict.sidecar, router=verdict.router)
        return Admission(secrets=secrets)

    def _want(self, *, sidecar: str = "", router: str = "") -> None:
        """Serve one more."""
        settings = self.settings
        if sidecar:
            settings = replace(settings, sidecars=settings.sidecars | {sidecar})
        if router:
            settings = replace(settings, routers=(settings.routers or frozenset()) | {router})
        if settings != self.settings:
            self.settings = settings
            self._soon()

    def _forget_the_gone(self) -> None:
        """Pods that are gone are gateways no more."""
        assert self.result is not None
        if self.settings.routers:
            pods = self.result.world.pod_by_key
            there = frozenset(one for one in self.settings.routers if tuple(one.split("/")) in pods)
            self.settings = replace(self.settings, routers=there)

    def _soon(self) -> None:
        """Rebuild, as after a change of the files."""
        task = asyncio.get_running_loop().create_task(self._follow())
        self.following.add(task)
        task.add_done_callback(self.following.discard)

    def _forget(self, proxy: str) -> None:
        """A workload that registered itself and has not come back is gone."""
        served = self.by_name.get(proxy)
        if proxy in self.registered and (served is None or not served.clients):
            del self.registered[proxy]
            self._soon()

    def _on_status(self, client: ClientStatus) -> None:
        if served := self.by_name.get(client.gateway):
            served.clients.pop(client.gateway, None)
            if client.is_connected:
                served.clients[client.gateway] = client
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
        model, snapshot = served.build.model, served.snapshot
        evidence = together(
            [
                self.prover.evidence(name, model, snapshot, served.clients.get(name))
                for name in (served.names if not served.clients else served.clients)
            ]
        )
        stepped = served.announcements.step(evidence, self.clock())
        if stepped.values() != served.announcements.values():
            served.config = served.build.config(stepped.values(), (served.build.model, served.config))
            served.snapshot = self._snapshot(served.build, served.config, served)
            self._publish(served)
        promises_change = stepped.to_json() != served.announcements.to_json()
        served.announcements = stepped
        if promises_change:
            save_promises(self.instance.announcements, {k: s.announcements for k, s in self.served.items()})

    async def _retry_ports(self) -> None:
        while True:
            await asyncio.sleep(PORT_RETRY_SECONDS)
            if any(served.occupied or served.unusable for served in self.served.values()):
                await self._follow()

    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong now: in the objects, with the ports, and what Envoys rejected."""
        assert self.result is not None
        found = dict.fromkeys((*problems_at(self.result, self.clock()), *self.mesh.problems))
        for served in self.served.values():
            found |= dict.fromkeys(taken.problem for taken in served.occupied)
            found |= dict.fromkeys(file.problem for file in served.unusable)
            for status in self._statuses(served).values():
                found |= dict.fromkeys(status.rejected)
        return tuple(sorted(found, key=sort_key))

    def _statuses(self, served: Served) -> dict[str, GatewayStatus]:
        """By what its Envoys call themselves."""
        return {
            name: gateway_status(
                model=served.build.model,
                config=served.config,
                snapshot=served.snapshot,
                client=served.clients.get(name),
                announcements=served.announcements,
                occupied=served.occupied,
            )
            for name in served.names
        }

    def status(self) -> dict[str, object]:
        """What the control socket tells, as JSON values."""
        for key, served in self.served.items():
            self._announce(key, served)  # what Envoy said just now begins a proof: that is not "ready" yet
        return {
            "pid": os.getpid(),
            "generation": self.generation,
            "problems": [problem.value() for problem in self.problems()],
            "proxies": [proxy_value(served.build) for served in self.served.values()],
            "gateways": {
                name: {"key": served.build.proxy.key, **status.value()}
                for served in self.served.values()
                for name, status in self._statuses(served).items()
            },
        }


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
