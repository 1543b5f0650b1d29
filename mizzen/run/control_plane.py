"""The control plane of `mizzen up`: files -> snapshots -> Envoys, and what came of it.

A loop that owns the files, the ADS server and the prover; what follows from what is decided in
`mizzen.pipeline` and `mizzen.http3`. It tells its status on the control socket.
"""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.authority.proof import proof_of_proxy
from mizzen.envoy.config import EnvoyConfig
from mizzen.errors import Problem, ResourceRef, capped, sort_key
from mizzen.guard import Stage, attempt, fault
from mizzen.http3.announcement import Announcements, together
from mizzen.model import authors
from mizzen.pipeline import Build, GatewayBuild, Memory, Settings, build, problems_at, to_snapshot
from mizzen.resolve.context import UnixFolders
from mizzen.resources.yaml import RawObject
from mizzen.run.admission import judge
from mizzen.run.builder import Builder
from mizzen.run.control_socket import ControlSocket
from mizzen.run.envoy_files import unusable_files, without_files
from mizzen.run.instance import Instance
from mizzen.run.made import Made, declares_all
from mizzen.run.mesh import Mesh, leaf_life
from mizzen.run.network import Listening, network
from mizzen.run.occupied import claims_of, mark_lost, occupied
from mizzen.run.promise_file import PromiseFile, withheld
from mizzen.run.prover import Prover
from mizzen.run.registration import Registrations
from mizzen.run.restore import Restorer
from mizzen.run.said import Told
from mizzen.run.served import Served, keep_secrets, proxy_value
from mizzen.run.shared_ports import evidence_against, shared_problems
from mizzen.run.sockets import make_way
from mizzen.run.status import GatewayStatus, gateway_status
from mizzen.run.system_roots import SystemRoots
from mizzen.run.upkeep import Upkeep
from mizzen.serve.ads import Admission, AdsServer, ClientStatus
from mizzen.serve.certificates import Accounts
from mizzen.sources.last_good import Admitted, LastGood
from mizzen.sources.listing import Listing
from mizzen.sources.named_files import NamedFiles, stamps
from mizzen.sources.state_file import StateFile
from mizzen.xds.node import gateway_of
from mizzen.xds.snapshot import Snapshot

REGISTRATION_SECONDS = 10.0  # how long a workload that registered itself may be away
NAMED_FILES_SECONDS = 2.0  # how often files that objects name are looked at

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
    kept: StateFile | None = None  # where objects are kept that files hold no more as they should
    shares_root: bool = False  # other processes rotate what is in `ca_folder`
    ca_folder: Path | None = None  # where the authority is kept, or plugged in; None: in the run-dir
    listening: Listening | None = None  # for proxies of other machines, instead of running them on this one
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    generation: int = 0
    served: dict[str, Served] = field(default_factory=dict)
    result: Build | None = None
    memory: Memory = field(default_factory=Memory)
    last_good: LastGood = field(init=False)
    builder: Builder = field(init=False)
    at_fault: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)  # objects that cannot be built
    lost: tuple[Problem, ...] = ()  # gateways that cannot be built, and keep what they have
    is_sound: bool = False  # all that is declared is in `served`, and nothing else
    ads: AdsServer = field(init=False)
    mesh: Mesh = field(init=False)
    prover: Prover = field(init=False)
    promise_file: PromiseFile = field(init=False)
    restorer: Restorer | None = None  # of a run-dir that this process holds itself
    system_roots: SystemRoots = field(init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    promised: dict[str, Announcements] = field(default_factory=dict)  # from before a restart
    say: Callable[[str], None] = print  # what the user shall see
    told: Told = field(init=False)
    registrations: Registrations = field(default_factory=Registrations)  # workloads that no object names
    named: NamedFiles = field(default_factory=NamedFiles)
    # May the proxy of an identity be told the Secrets of its namespace? None: all may.
    may_read_secrets: Callable[[Identity], Awaitable[bool]] | None = None
    accounts: Accounts | None = None  # whose are the tokens that are no join tokens
    started: asyncio.Event = field(default_factory=asyncio.Event)  # proxies are answered
    by_name: dict[str, Served] = field(default_factory=dict)  # by what each Envoy calls itself

    def __post_init__(self) -> None:
        self.last_good = LastGood(self._errors, self.kept)
        self.builder = Builder(self._rebuild, self._on_fault)
        self.told = Told(self.say)
        own = UnixFolders(
            allowed=self.settings.unix_folders.allowed, closed=(os.path.realpath(self.instance.run_dir),)
        )
        self.settings = replace(self.settings, unix_folders=own)
        folder = self.ca_folder or self.instance.authority
        self.mesh = Mesh(
            folder, self._renewed, life=leaf_life(self.settings.environment), is_shared=self.shares_root
        )
        self.prover = Prover(on_proof=self.changed.set)
        self.promise_file = PromiseFile(self.instance.announcements, on_trouble=self.changed.set)
        self.system_roots = SystemRoots(self.settings.environment)

    def _errors(self, raw: RawObject) -> tuple[Problem, ...]:
        decoded = self.memory.decode(raw, self.settings.default_namespace)
        return (*decoded.problems, *self.at_fault.get(raw.digest, ()))

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`. Nothing is answered before everything has been read once."""
        self.promised = self.promise_file.load()
        key = self.instance.key()
        self.ads = AdsServer(
            socket_path=self.instance.ads_socket,
            proof=partial(proof_of_proxy, key),
            on_status=self._on_status,
        )
        building = asyncio.create_task(self.builder.run())
        waiting = asyncio.create_task(stop.wait())
        if not await self.builder.first(waiting):
            building.cancel()
            return
        make_way(self.instance.ads_socket)
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
        # What has been read stays: to look at it again and again for garbage is a fifth of the work of each change.
        gc.collect()
        gc.freeze()
        socket = ControlSocket(self.instance.control_socket, self.status, key)
        await socket.start()
        upkeep = Upkeep(
            instance=self.instance,
            ads=self.ads,
            served=lambda: self.served,
            rebuild=self._rebuilt,
            on_change=self.changed.set,
        )
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._follow_files(),
                self._follow_envoys(),
                upkeep.look_after_ports(is_local=self.listening is None),
                upkeep.look_after_files(
                    self.restorer or Restorer(), self.ads, socket, self.promise_file, self.mesh
                ),
                self._follow_named_files(),
                self.mesh.run(),
            )
        ]
        tasks.append(building)
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, waiting):
            task.cancel()
        await socket.stop()
        await self.ads.stop()
        for task in done - {waiting}:
            task.result()  # our own fault: the supervisor starts the next one, the log tells why

    async def _rebuilt(self) -> None:
        """Until a build that begins from now on has been tried."""
        await self.builder.answered(self.builder.ask())

    async def _rebuild(self) -> None:
        """Follow the objects as they are now. Everything is made beside what is served, and then swapped."""
        listing = await asyncio.to_thread(self.files.listing)
        before, self.at_fault = tuple(self.at_fault), {}
        made = await self._make(listing, before)
        if at_fault := made.at_fault(self.last_good.was_good, self.settings.default_namespace):
            # What cannot be built has an error as any other: its last good version stays.
            self.at_fault = at_fault
            self.last_good.undo()
            made = await self._make(listing, tuple(at_fault))
        self._swap(made)

    async def _make(self, listing: Listing, judged: tuple[str, ...]) -> Made:
        """Build and translate; nothing that is served changes. `judged`: digests of which `_errors` says otherwise."""
        admitted = self.last_good.admit(listing, judged)
        found = (*listing.problems, *admitted.problems)
        objects = (*admitted.objects, *self.registrations.objects)
        await self._read_named_files(admitted)
        result = await asyncio.to_thread(build, objects, found, self.settings, self.memory)
        local = {one.identity for one in result.gateways}
        kept = {one.build.identity for one in self.served.values()}
        self.mesh.want(frozenset() if self.listening else frozenset(local | kept))
        served: dict[str, Served] = {}
        lost: list[Problem] = []
        for gateway in result.gateways:
            key = gateway.proxy.key
            before = self.served.get(key)
            make = partial(self._served, gateway, before, served)
            one = attempt(Stage.GATEWAY, gateway.proxy.origin, make, lost.append, before)
            if one is not None:
                served[key] = one
        if result.is_partial:
            served = {**self.served, **served}
        return Made(
            result=result,
            served=served,
            objects=objects,
            lost=tuple(lost),
            is_sound=not result.is_partial
            and not lost
            and declares_all(set(result.problems) - set(admitted.problems)),
        )

    def _swap(self, made: Made) -> None:
        """From here on the new state is served."""
        self.result, self.served, self.lost = made.result, made.served, made.lost
        self.is_sound = made.is_sound
        self.by_name = {name: one for one in made.served.values() for name in one.names}
        if self.listening is None:
            self.mesh.want(frozenset(one.build.identity for one in made.served.values()))
        connected = {client.gateway: client for client in self.ads.status()}
        for served in made.served.values():
            self._publish(served)
            for name in served.names:
                if name in connected:
                    served.hear(connected[name])
        self._forget_the_gone()
        self.generation += 1
        self.tell()
        self.changed.set()

    def _on_fault(self, error: Exception) -> None:
        """Nothing could be built: all stays as it is."""
        self.is_sound = False
        self.lost = (fault(Stage.EVERYTHING, ResourceRef(kind="Configuration"), error),)
        self.tell()

    async def _read_named_files(self, admitted: Admitted) -> None:
        """Those of this machine; where proxies are elsewhere, so are their files."""
        if self.listening is None:
            await asyncio.to_thread(self.named.follow, admitted)
            self.settings = replace(self.settings, files=self.named.files)

    async def _follow_named_files(self) -> None:
        """The certificates of a CA may be replaced without any object being changed."""
        while True:
            await asyncio.sleep(NAMED_FILES_SECONDS)
            if await asyncio.to_thread(stamps, self.named.stamps) != self.named.stamps:
                await self._rebuilt()

    def tell(self) -> None:
        """Say which problems are new and which are gone."""
        self.told.tell(self.problems(), is_serving=self.result is not None)

    def _served(self, gateway: GatewayBuild, before: Served | None, others: Mapping[str, Served]) -> Served:
        """What one gateway shall be told, less the listeners whose ports are taken; `others` come before it."""
        key = gateway.proxy.key
        held = before.opened if before else frozenset()
        claims = tuple(claim for other in others.values() for claim in other.claims)
        taken = () if self.listening else occupied(gateway.model, held, self.instance.gateway(key), claims)
        taken = mark_lost(taken, before.once_served if before else frozenset())
        lost = frozenset(one.listener for one in taken)
        unusable = () if self.listening else unusable_files(gateway, before.build.model if before else None)
        usable = without_files(gateway.without_listeners(lost), unusable)
        announcements = before.announcements if before else self.promised.get(key, Announcements())
        announcements = announcements.follow(usable.model.announcements, self.clock())
        known = (before.build.model, before.config) if before else None
        config = usable.config(announcements.values(), known)
        return Served(
            build=usable,
            config=config,
            snapshot=self._snapshot(usable, config, before),
            occupied=taken,
            unusable=unusable,
            claims=claims_of(gateway.model, lost),
            shared=before.shared if before else {},
            stubborn=before.unopened - lost if before else frozenset(),
            announcements=announcements,
            held=tuple(sorted(map(str, authors(usable.model)))),
            refused=dict(before.refused) if before else {},
        )

    def _publish(self, served: Served) -> None:
        for name in served.names:
            self.ads.publish(name, served.snapshot)

    def _snapshot(self, built: GatewayBuild, config: EnvoyConfig, before: Served | None) -> Snapshot:
        """What goes to a proxy: its configuration, and who it is."""
        known = before.snapshot if before else None
        # A proxy of another machine has that from its agent.
        credentials = self.mesh.credentials(built.identity)
        roots = self.system_roots.wanted(built.model) if self.listening is None else None
        return keep_secrets(to_snapshot(config, known, credentials, roots), before)

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
        if verdict.said:
            proxy, before = gateway_of(node), self.registrations.number
            if refusal := self.registrations.take(proxy, verdict.said, identity, self.clock()):
                return Admission(refusal=refusal)
            if self.registrations.number != before:
                self.builder.ask()
        secrets = self.may_read_secrets is None or await self.may_read_secrets(identity)
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
            self.builder.ask()

    def _forget_the_gone(self) -> None:
        """Pods that are gone are gateways no more."""
        assert self.result is not None
        if self.settings.routers:
            pods = self.result.world.pod_by_key
            there = frozenset(one for one in self.settings.routers if tuple(one.split("/")) in pods)
            self.settings = replace(self.settings, routers=there)

    def _forget(self, proxy: str) -> None:
        """A workload that registered itself and has not come back is gone."""
        served = self.by_name.get(proxy)
        if proxy in self.registrations and (served is None or not served.clients):
            self.registrations.forget(proxy)
            name, _, namespace = proxy.rpartition(".")
            left = self.settings.sidecars - {f"{namespace}/{name}"}
            self.settings = replace(self.settings, sidecars=left)
            self.builder.ask()

    def _on_status(self, client: ClientStatus) -> None:
        if served := self.by_name.get(client.gateway):
            served.hear(client)
            self.changed.set()
            if client.gateway in self.registrations and not client.is_connected:
                loop = asyncio.get_running_loop()
                loop.call_later(REGISTRATION_SECONDS, self._forget, client.gateway)

    async def _follow_files(self) -> None:
        async for _ in self.files.changes():
            self.builder.ask()

    async def _follow_envoys(self) -> None:
        """Prove mirrors as Envoys take them up, and announce those that are proven."""
        while True:
            self.changed.clear()
            self.tell()
            self._announce_all()
            waits = (self.prover.seconds_to_next(), self.promise_file.seconds_to_next())
            try:
                await asyncio.wait_for(
                    self.changed.wait(), min((one for one in waits if one is not None), default=None)
                )
            except TimeoutError:
                continue

    def _announce_all(self) -> None:
        """A fault of ours at one gateway leaves what it announces as it is."""
        for key, served in self.served.items():
            step = partial(self._announce, key, served)
            attempt(Stage.GATEWAY, served.build.proxy.origin, step, lambda told: _log.error("%s", told), None)

    def _announce(self, key: str, served: Served) -> None:
        model, snapshot = served.build.model, served.snapshot
        evidence = together(
            [
                self.prover.evidence(name, model, snapshot, served.clients.get(name))
                for name in (served.names if not served.clients else served.clients)
            ]
        )
        evidence = evidence_against(served.shared, model, evidence)
        stepped = served.announcements.step(evidence, self.clock())
        if stepped.to_json() != served.announcements.to_json():
            promises = {name: one.announcements for name, one in self.served.items()} | {key: stepped}
            if not self.promise_file.keep(promises):
                stepped = served.announcements.step(withheld(evidence, served.announcements), self.clock())
        if stepped.values() != served.announcements.values():
            served.config = served.build.config(stepped.values(), (served.build.model, served.config))
            served.snapshot = self._snapshot(served.build, served.config, served)
            self._publish(served)
        served.announcements = stepped

    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong now: in the objects, with the ports, and what Envoys rejected."""
        found = dict.fromkeys((*self.mesh.problems, *self.promise_file.problems, *self.lost))
        if self.result is not None:
            found |= dict.fromkeys(problems_at(self.result, self.clock()))
        for served in self.served.values():
            found |= dict.fromkeys(served.config.problems)
            found |= dict.fromkeys(taken.problem for taken in served.occupied)
            found |= dict.fromkeys(shared_problems(served.shared, served.build.model))
            if self.listening is None:
                found |= dict.fromkeys(self.system_roots.problems(served.build.model))
            found |= dict.fromkeys(file.problem for file in served.unusable)
            for status in self._statuses(served).values():
                found |= dict.fromkeys(status.rejected)
        return capped(sorted(found, key=sort_key))

    def _statuses(self, served: Served) -> dict[str, GatewayStatus]:
        """By what its Envoys call themselves."""
        return {
            name: gateway_status(
                model=served.build.model,
                config=served.config,
                snapshot=served.snapshot,
                client=served.clients.get(name),
                refused=served.refused.get(name, {}),
                announcements=served.announcements,
                occupied=served.occupied,
                # Why this machine's ports are not to be had is seen at the next look at them, and told then.
                unexplained=frozenset() if self.listening else served.unopened - served.stubborn,
            )
            for name in served.names
        }

    def status(self) -> dict[str, object]:
        """What the control socket tells, as JSON values."""
        self._announce_all()  # what Envoy said just now begins a proof: that is not "ready" yet
        return {
            "pid": os.getpid(),
            "generation": self.generation,
            # Whether what is not among `proxies` is not declared: else it may just not have been understood.
            "sound": self.is_sound,
            "problems": [problem.value() for problem in self.problems()],
            "proxies": [proxy_value(served.build) for served in self.served.values()],
            "gateways": {
                name: {"key": served.build.proxy.key, **status.value()}
                for served in self.served.values()
                for name, status in self._statuses(served).items()
            },
        }
