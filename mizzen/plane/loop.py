"""The loop of the control plane: it hears events, steps the state, and obeys what follows.

What follows from what is decided in `mizzen.plane.state` (pure) and in the worker (`mizzen.plane.worker`); here are the
sockets, the tasks and the clock.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.authority.proof import proof_of_proxy
from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage, fault
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.node.console import Told
from mizzen.node.control_socket import ControlSocket
from mizzen.node.instance import Instance
from mizzen.node.restore import Restorer
from mizzen.node.system_roots import SystemRoots
from mizzen.node.unix_sockets import make_way
from mizzen.pipeline import Build, Settings
from mizzen.plane import garbage_collection
from mizzen.plane.admission import judge
from mizzen.plane.announcement_file import PromiseFile, PromiseStore
from mizzen.plane.build_result import Made
from mizzen.plane.builds import Builds
from mizzen.plane.configuration import Json, told
from mizzen.plane.counting import Counting
from mizzen.plane.dns_keeper import DnsKeeper, Notes
from mizzen.plane.dns_upkeep import DnsUpkeep, FileNotes, key_in
from mizzen.plane.effects import Effect, Keep, Publish, Rebuild, Refused, Tell, Translate, Unpublish
from mizzen.plane.gateway_services import services as gateway_services
from mizzen.plane.inquiry import Inquiry
from mizzen.plane.inquiry_desk import PlaneDesk
from mizzen.plane.key_sets import KeySets, following_keys, wanted_sources
from mizzen.plane.loads import Loads
from mizzen.plane.mesh_authority import Mesh, leaf_life
from mizzen.plane.mirror_proof import Subject
from mizzen.plane.module_sets import Modules, following_modules, wanted_modules
from mizzen.plane.network import Listening, network
from mizzen.plane.problems import Problems, Troubled
from mizzen.plane.proof_schedule import Key, Prove
from mizzen.plane.prover import Prover
from mizzen.plane.reach import Reach
from mizzen.plane.registration import Registrations
from mizzen.plane.report import Words, envoy_status
from mizzen.plane.scoped_file import ScopedFile
from mizzen.plane.session_tickets import SessionTickets
from mizzen.plane.state import State, Step
from mizzen.plane.upkeep import Upkeep
from mizzen.plane.watching import Measure, Watch
from mizzen.plane.worker import Credentials, Inputs, Worker
from mizzen.probe.mirror import Proof
from mizzen.proxy.asked import proxy_value
from mizzen.resolve.context import FileFolders, UnixFolders
from mizzen.resources.world import World
from mizzen.serve.ads import Admission, AdsServer, ClientStatus
from mizzen.serve.certificates import Accounts
from mizzen.sources.hold_off import HoldOff
from mizzen.sources.listing import Listing
from mizzen.sources.named_files import stamps
from mizzen.sources.state_file import StateFile
from mizzen.status import Brief, ProblemValue, Status
from mizzen.xds.node import gateway_of
from mizzen.xds.snapshot import Snapshot

REGISTRATION_SECONDS = 10.0  # how long a workload that registered itself may be away
FAULT_SECONDS = 1.0  # between two tries of a step at which something of ours fails
NAMED_FILES_SECONDS = 2.0  # how often files that objects name are looked at

_log = logging.getLogger(__name__)


class Source(Protocol):
    """Where objects come from."""

    hold_off: HoldOff  # of changes that come one upon the other

    def reader(self) -> Callable[[], Listing]:
        """What lists all objects as they are now, or later; it is called in another thread."""

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
    restorer: Restorer | None = None  # of a run-dir that this process holds itself
    say: Callable[[str], None] = print  # what the user shall see
    # May the proxy of an identity be told the Secrets of its namespace? None: all may.
    may_read_secrets: Callable[[Identity], Awaitable[bool]] | None = None
    accounts: Accounts | None = None  # whose are the tokens that are no join tokens
    promises: PromiseStore = None  # type: ignore[assignment]  # a file of the run-dir where nothing else is named
    replica: str = ""  # what this one is called among those that serve the same gateways
    aside: StateFile | None = None  # where it is kept which objects Envoy does not take
    fetched: StateFile | None = None  # where the keys are kept that issuers published
    fetched_modules: StateFile | None = None  # and the modules of plugins
    kept_tickets: StateFile | None = None  # where it is kept of what the keys of session tickets are made
    dns_notes: Notes = field(default_factory=lambda: FileNotes(None))  # which names in DNS were written
    own_ports: frozenset[int] = frozenset()  # of this process, which asks nobody for anything there
    generation: int = 0
    state: State = field(init=False)
    made: Made | None = None  # the build that is served
    is_sound: bool = False  # all that is declared is in the state, and nothing else
    lost: tuple[Problem, ...] = ()  # what could not be built, and keeps what it has
    ads: AdsServer = field(init=False)
    mesh: Mesh = field(init=False)
    worker: Worker = field(init=False)
    builds: "Builds" = field(init=False)
    desk: PlaneDesk = field(init=False)
    inquiry: Inquiry = field(init=False)
    keys: KeySets = field(init=False)
    modules: Modules = field(init=False)
    tickets: SessionTickets = field(init=False)
    dns: DnsUpkeep = field(init=False)
    registrations: Registrations = field(default_factory=Registrations)  # workloads that no object names
    started: asyncio.Event = field(default_factory=asyncio.Event)  # proxies are answered
    _prover: Prover = field(init=False)
    _counting: Counting = field(init=False)
    _loads: Loads = field(init=False)
    _told: Told = field(init=False)
    _words: Words = field(default_factory=Words)
    _problems: Problems = field(init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)  # `state.next` may be earlier than it was
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        closed = (os.path.realpath(self.instance.run_dir),)
        self.settings = replace(
            self.settings,
            unix_folders=UnixFolders(allowed=self.settings.unix_folders.allowed, closed=closed),
            certificate_folders=FileFolders(allowed=self.settings.certificate_folders.allowed, closed=closed),
        )
        folder = self.ca_folder or self.instance.authority
        life = leaf_life(self.settings.environment)
        self.mesh = Mesh(folder, self._on_renewed, life=life, is_shared=self.shares_root)
        roots = SystemRoots(self.settings.environment) if self.listening is None else None
        self.worker = Worker(self.instance, roots, self.kept, ScopedFile(self.instance.scoped))
        self.builds = Builds(self._begin, self._on_made, self._on_fault, on_cost=self.files.hold_off.on_cost)
        own_ports = self.own_ports | (self.listening.ports if self.listening is not None else frozenset())
        reach = Reach(SystemRoots(self.settings.environment), self._models, own_ports)
        self.keys = following_keys(reach.keys, self.builds.ask, lambda: self.clock(), self.fetched)
        self.modules = following_modules(
            reach.module, self.builds.ask, lambda: self.clock(), self.fetched_modules
        )
        self.desk = PlaneDesk(plane=self, kept=self.aside, default_namespace=self.settings.default_namespace)
        self.inquiry = Inquiry(self.desk)
        self.promises = self.promises or PromiseFile(self.instance.announcements)
        self.state = State(replica=self.replica)
        self.tickets = SessionTickets(
            clock=lambda: self.clock(),
            on_changed=lambda: self._hear(State.on_ticket_keys),
            file=self.kept_tickets,
            is_shared=self.shares_root,
        )
        keeper = DnsKeeper(self.dns_notes, lambda secret: key_in(self._world, secret), self.tell)
        self.dns = DnsUpkeep(state=lambda: self.state, keeper=keeper, on_change=self.tell)
        self._prover = Prover(self._on_proof)
        self._counting = Counting(instance=self.instance if self.is_local else None)
        self._loads = Loads(instance=self.instance if self.is_local else None)
        self._told = Told(self.say)
        self._problems = Problems(self)

    @property
    def result(self) -> Build | None:
        """What is served was made of this; None before the first build."""
        return self.made.result if self.made is not None else None

    @property
    def _world(self) -> World | None:
        return self.made.result.world if self.made is not None else None

    @property
    def is_local(self) -> bool:
        """Are the proxies on this machine?"""
        return self.listening is None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`. Nothing is answered before everything has been read once."""
        key = self.instance.key()
        self.ads = AdsServer(
            socket_path=self.instance.ads_socket,
            proof=partial(proof_of_proxy, key),
            on_status=self._on_status,
        )
        self.tickets.open()
        self._hear(State.on_promises, await self.promises.load())
        building = asyncio.create_task(self.builds.run())
        waiting = asyncio.create_task(stop.wait())
        try:
            if await self.builds.first(waiting):
                if any(await asyncio.gather(self.keys.asked_once(), self.modules.asked_once())):
                    await self.builds.rebuilt()
                await self._serve(waiting, building, key)
        finally:
            await self.keys.stop()
            await self.modules.stop()
            await _ended([building, waiting, *self._tasks])
            self._prover.stop()
            self.builds.stop()

    async def _serve(self, waiting: "asyncio.Task[bool]", building: "asyncio.Task[None]", key: bytes) -> None:
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
        garbage_collection.settle()
        socket = ControlSocket(
            self.instance.control_socket,
            lambda: self.status().to_json(),
            key,
            lambda: self.brief().to_json(),
            self.configuration,
        )
        await socket.start()
        upkeep = Upkeep(
            instance=self.instance,
            ads=self.ads,
            gateways=lambda: self.state.gateways,
            rebuild=self.builds.rebuilt,
            on_shared=partial(self._hear, State.on_shared),
        )
        parts = (self.ads, socket, self.promises, self.mesh, self.tickets)
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._follow_files(),
                self._follow_time(),
                upkeep.look_after_ports(is_local=self.is_local),
                upkeep.look_after_files(self.restorer or Restorer(), *parts),
                self._follow_named_files(),
                self._follow_promises(),
                self.inquiry.run(),
                self.dns.run(),
                self.mesh.run(),
                self.tickets.run(),
            )
        ]
        await asyncio.wait([waiting, building, *tasks], return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in (building, *tasks) if task.done()]
        await _ended(tasks)
        await socket.stop()
        await self.ads.stop()
        for task in ended:
            task.result()  # our own fault: the supervisor starts the next one, the log tells why

    # --- the state -------------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        """Take the next state, and do what follows from it."""
        self.state, effects = step
        for effect in effects:
            try:
                self._obey(effect)
            except Exception:  # noqa: BLE001  # the other effects are as good as they were
                _log.exception("what follows from a step was not done: %s", type(effect).__name__)
        self._wake.set()
        self.dns.changed()

    def _hear(self, event: Callable[..., Step], *what: object) -> bool:
        """Step by an event. A fault of ours leaves the state as it was: False."""
        try:
            step = event(self.state, *what, self.clock())
        except Exception:  # noqa: BLE001  # what is served goes on
            _log.exception("an event was not taken in: %s", event.__name__)
            return False
        self._step(step)
        return True

    def _obey(self, effect: Effect) -> None:
        match effect:
            case Publish():
                self._publish(effect.name, effect.snapshot)
            case Unpublish():
                self.inquiry.forget(effect.name)
                self.ads.unpublish(effect.name)
            case Prove():
                self._prover.start(effect)
            case Watch():
                self._start(self._count(effect))
            case Measure():
                self._start(self._measure(effect))
            case Translate():
                self._start(self._translate(effect))
            case Keep():
                self._start(self._keep(effect))
            case Refused():
                self.inquiry.on_refused(effect.envoy)
            case Rebuild():
                self.builds.ask()
            case Tell():
                self.tell()

    def _publish(self, name: str, snapshot: Snapshot) -> None:
        """Tell Envoys what they shall hold; while it is inquired what one died of, what it lived with."""
        told = self.inquiry.told(name, snapshot)
        if told is None:
            self.ads.unpublish(name)
        else:
            self.ads.publish(name, told)

    def publish(self, name: str) -> None:
        """Tell the Envoys of this name again what they are to be told."""
        gateway = self.state.gateways.get(self.state.by_name.get(name, ""))
        if gateway is not None:
            self._publish(name, gateway.offered)

    def _start(self, work: "Awaitable[None]") -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, effect: Keep) -> None:
        try:
            is_written = await self.promises.keep(effect.promises)
        except Exception:  # noqa: BLE001  # what is not written is tried again
            _log.exception("what clients are promised was not written down")
            is_written = False
        self._hear(State.on_kept, effect.promises, is_written)

    async def _count(self, effect: Watch) -> None:
        try:
            found = await self._counting.read(effect.envoys)
        except Exception:  # noqa: BLE001  # what is not known is judged when it is
            _log.exception("what Envoys have counted cannot be read")
            found = {}
        self._hear(State.on_counted, found)

    async def _measure(self, effect: Measure) -> None:
        try:
            found = await self._loads.read(effect.envoys)
        except Exception:  # noqa: BLE001  # what is not known has no consequences
            _log.exception("how much CPU Envoys use cannot be read")
            found = {}
        self._hear(State.on_loaded, found)

    async def _translate(self, effect: Translate) -> None:
        make = partial(
            self.worker.translate,
            effect.gateway,
            effect.values,
            self._credentials(),
            self.tickets.served(),
        )
        try:
            made = await self.builds.in_worker(make)
        except Exception:  # noqa: BLE001  # a fault of ours at one gateway leaves what it says as it is
            _log.exception("what %s is told cannot be changed", effect.gateway.translated.key)
            made = None
        self._hear(State.on_translated, effect, made)

    def _on_proof(self, key: Key, subject: Subject, proof: Proof) -> None:
        self._hear(State.on_proof, key, subject, proof)

    def _on_renewed(self, identity: str) -> None:
        self._hear(State.on_renewed, identity)

    def _on_status(self, client: ClientStatus) -> None:
        self._hear(State.on_client, client)
        self.inquiry.hear(client, asyncio.get_running_loop().time())
        if client.gateway in self.registrations and not client.is_connected:
            loop = asyncio.get_running_loop()
            loop.call_later(REGISTRATION_SECONDS, self._forget, client.gateway)

    async def _follow_time(self) -> None:
        while True:
            self._wake.clear()
            now, at = self.clock(), self.state.next
            if at is not None and at <= now:
                is_taken = self._hear(State.on_time)
                await asyncio.sleep(0 if is_taken else FAULT_SECONDS)
                continue
            wait = None if at is None else (at - now).total_seconds()
            if (until := self._problems.until) is not None:
                wait = min(wait or 3600.0, max(0.0, (until - now).total_seconds()))
                if until <= now:
                    self.tell()
                    continue
            # Not `wait_for`: in Python 3.11 it may swallow that it is cancelled.
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _follow_promises(self) -> None:
        await self.promises.follow(lambda stored: self._hear(State.on_promises, stored))
        await asyncio.Event().wait()

    # --- builds ----------------------------------------------------------------------------------

    def _begin(self, number: int) -> Callable[[], Made]:
        """What the next build is made of."""
        inputs = Inputs(
            number=number,
            read=self.files.reader(),
            registered=self.registrations.objects,
            settings=replace(
                self.settings,
                key_sets=self.keys.found,
                modules=self.modules.found,
                lingering=self.state.lingering,
                shedding=self.state.sheds.refusing,
            ),
            gateways=self.state.gateways,
            promises=self.state.servers,
            credentials=self._credentials(),
            ticket_seeds=self.tickets.served(),
            ledger=self.desk.ledger,
            now=self.clock(),
        )
        return partial(self.worker.build, inputs)

    def _credentials(self) -> Credentials:
        """Of all proxies that are served on this machine."""
        found = {}
        for gateway in self.state.gateways.values():
            identity = gateway.translated.build.identity
            if (one := self.mesh.credentials(identity)) is not None:
                found[identity] = one
        return found

    def _on_made(self, made: Made) -> None:
        """From here on the new state is served."""
        self.made, self.lost, self.is_sound = made, made.lost, made.is_sound
        self.generation += 1
        served = made.gateways.values() if self.is_local else ()
        self.mesh.want(frozenset(one.build.identity for one in served))
        self.keys.want(wanted_sources(made.result.world, self.settings.environment))
        self.modules.want(wanted_modules(made.result.world, self.settings.environment))
        self._forget_the_gone()
        self.inquiry.on_build(made.objects)
        self._step(self.state.on_build(made.number, made.gateways, self.clock()))

    def _on_fault(self, error: Exception) -> None:
        """Nothing could be built: all stays as it is."""
        self.is_sound = False
        self.lost = (fault(Stage.EVERYTHING, ResourceRef(kind="Configuration"), error),)
        self.tell()

    async def _follow_files(self) -> None:
        async for _ in self.files.changes():
            self.builds.ask()

    async def _follow_named_files(self) -> None:
        """The certificates of a CA, and those of this machine, may be replaced without any object being changed."""
        while True:
            await asyncio.sleep(NAMED_FILES_SECONDS)
            named = self.made.named if self.made is not None else {}
            if await asyncio.to_thread(stamps, named) != named:
                await self.builds.rebuilt()

    def _models(self) -> Iterator[Model]:
        """Of the proxies that are served."""
        gateways = self.made.gateways.values() if self.made is not None else ()
        return (one.build.model for one in gateways)

    # --- proxies that come -----------------------------------------------------------------------

    @property
    def _trust_domain(self) -> str:
        assert self.result is not None
        return self.result.trust_domain

    async def _admit(self, node: pb.Node, identity: Identity) -> Admission:
        """Whether a proxy of the network is served; one that comes first begins to be."""
        assert self.result is not None
        state = self.state
        served = {name: state.gateways[key].translated.build.identity for name, key in state.by_name.items()}
        verdict = judge(self.result.world, served, node, identity)
        if verdict.refusal:
            return Admission(refusal=verdict.refusal)
        if verdict.said:
            proxy, before = gateway_of(node), self.registrations.number
            if refusal := self.registrations.take(proxy, verdict.said, identity, self.clock()):
                return Admission(refusal=refusal)
            if self.registrations.number != before:
                self.builds.ask()
        secrets = self.may_read_secrets is None or await self.may_read_secrets(identity)
        self._want(sidecar=verdict.sidecar, router=verdict.router)
        return Admission(secrets=secrets)

    def _want(self, *, sidecar: str = "", router: str = "") -> None:
        """Serve one more. Whoever comes while a build is under way is in the next one."""
        settings = self.settings
        if sidecar:
            settings = replace(settings, sidecars=settings.sidecars | {sidecar})
        if router:
            settings = replace(settings, routers=(settings.routers or frozenset()) | {router})
        if settings != self.settings:
            self.settings = settings
            self.builds.ask()

    def _forget_the_gone(self) -> None:
        """Pods that are gone are gateways no more."""
        assert self.result is not None
        if self.settings.routers:
            pods = self.result.world.pod_by_key
            there = frozenset(one for one in self.settings.routers if tuple(one.split("/")) in pods)
            self.settings = replace(self.settings, routers=there)

    def _forget(self, proxy: str) -> None:
        """A workload that registered itself and has not come back is gone."""
        if proxy in self.registrations and proxy not in self.state.envoys:
            self.registrations.forget(proxy)
            name, _, namespace = proxy.rpartition(".")
            left = self.settings.sidecars - {f"{namespace}/{name}"}
            self.settings = replace(self.settings, sidecars=left)
            self.builds.ask()

    # --- what is told ----------------------------------------------------------------------------

    def tell(self) -> None:
        """Say which problems are new and which are gone."""
        self._told.tell(self.problems(), is_serving=self.made is not None)

    @property
    def own_parts(self) -> tuple[Troubled, ...]:
        """The parts that may have problems of their own."""
        return (self.mesh, self.promises, self.desk, self.keys, self.modules, self.tickets, self.dns)

    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong now: in the objects, with the ports, and what Envoys rejected."""
        return self._problems.now()

    def brief(self) -> Brief:
        """What the supervisor asks for several times a second."""
        return Brief(
            generation=self.generation,
            sound=self.is_sound,
            proxies=tuple(proxy_value(one.translated.build) for one in self.state.gateways.values()),
            gateways=self._words.of(self.state),
        )

    def configuration(self) -> Callable[[], Json]:
        """What gives all that is served, for who has time."""
        if self.made is None:
            return dict
        aside = frozenset(self.desk.ledger.listed(self.made.objects))
        registered = frozenset(raw.digest for raw in self.registrations.objects)
        return told(self.made, self.state.servers, aside, registered, is_local=self.is_local)

    def status(self) -> Status:
        """What the control socket tells."""
        state, words = self.state, self._words.of(self.state)
        world = self.result.world if self.result is not None else None
        located = world.located if world is not None else lambda problem: problem
        services = {
            key: gateway_services(world, gateway.translated.build.proxy) if world is not None else ()
            for key, gateway in state.gateways.items()
        }
        return Status(
            pid=os.getpid(),
            generation=self.generation,
            sound=self.is_sound,
            problems=tuple(ProblemValue(**problem.value()) for problem in self.problems()),
            proxies=tuple(proxy_value(one.translated.build) for one in state.gateways.values()),
            gateways={
                name: envoy_status(
                    state,
                    gateway,
                    name,
                    words[name],
                    located,
                    services[key],
                    is_local=self.is_local,
                    now=self.clock(),
                )
                for key, gateway in state.gateways.items()
                for name in gateway.translated.names
            },
            nodes=len(world.node_by_key) if world is not None else 0,
        )


async def _ended(work: "Sequence[asyncio.Task[Any]]") -> None:
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
