"""`mizzen pilot --kubernetes`: the control plane of a cluster, one of several replicas that are equals for proxies."""

import asyncio
import contextlib
import logging
import re
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from mizzen.authority.identity import Identity
from mizzen.authority.issue import Policy
from mizzen.authority.root import key_pem
from mizzen.authority.rotation import Overlap
from mizzen.authority.store import StoreError
from mizzen.cluster import http
from mizzen.cluster.announcement_config_map import SharedPromises
from mizzen.cluster.dns_objects import ConfigMapNotes, DnsEndpoints, listed_of
from mizzen.cluster.leader_tasks import Chores
from mizzen.cluster.shared_root import PLUGGED_IN, SELF_SIGNED, SharedRoot
from mizzen.cluster.shared_tickets import SharedTickets
from mizzen.cluster.status_writer import Reporter, is_pass_word
from mizzen.cluster.token_review import Accounts
from mizzen.errors import ResourceRef, Severity
from mizzen.guard import Stage, fault
from mizzen.inject.container import DNS_CONFIG_MAP, PROMISES_CONFIG_MAP, SESSION_TICKETS
from mizzen.inject.review import review
from mizzen.inject.settings import VALUES_KEY, InjectorSettings, settings_of
from mizzen.inject.validating import judged
from mizzen.kube.client import Kube, KubeError
from mizzen.kube.leader_election import LEASE, Leader
from mizzen.lazy import dataclass
from mizzen.model import Model, authors
from mizzen.node import private_file
from mizzen.node.instance import Instance
from mizzen.pipeline import Settings, build
from mizzen.plane.effects import ServerKey
from mizzen.plane.loop import ControlPlane
from mizzen.plane.mesh_authority import leaf_life
from mizzen.plane.metrics import metrics
from mizzen.plane.network import SECURE_PORT, Listening
from mizzen.resolve.context import ByService, UnixFolders
from mizzen.resolve.proxies.gateways import mesh_config
from mizzen.resolve.proxies.proxy_configs import configured
from mizzen.resources.world import World
from mizzen.sources.cluster import SYSTEM_NAMESPACE, Cluster
from mizzen.sources.state_file import StateFile
from mizzen.status import Holds, Status

DEFAULT_REVISION = "default"
_RETRY_SECONDS = 2.0
_END_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_MAINTAIN_SECONDS = 600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where this replica runs, as its manifest tells it."""

    name: str  # of its Pod
    namespace: str
    revision: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Place":
        return cls(
            name=environment.get("POD_NAME") or "pilot",
            namespace=environment.get("POD_NAMESPACE") or SYSTEM_NAMESPACE,
            revision=environment.get("REVISION") or DEFAULT_REVISION,
        )

    @property
    def service(self) -> str:
        return self.revised("istiod")

    def revised(self, name: str) -> str:
        """A name with that of the revision, unless it is the default."""
        return name if self.revision == DEFAULT_REVISION else f"{name}-{self.revision}"

    @property
    def names(self) -> tuple[str, ...]:
        """By which proxies and the API server know it; the first tells who it is."""
        inside = f"{self.service}.{self.namespace}"
        return (
            f"{inside}.svc",
            inside,
            f"{inside}.svc.cluster.local",
            self.service,
            "localhost",
            "127.0.0.1",
        )


@dataclass(slots=True)
class ClusterPilot:
    """One replica."""

    kube: Kube
    instance: Instance
    place: Place
    environment: Mapping[str, str]
    listening: Listening
    say: Callable[[str], None]
    unix_folders: UnixFolders = field(default_factory=UnixFolders)
    cluster: Cluster = field(init=False)
    plane: ControlPlane | None = None
    accounts: Accounts | None = None
    root: SharedRoot | None = None
    leader: Leader = field(init=False)
    _listed: Mapping[ServerKey, bool] = field(
        default_factory=dict
    )  # which servers DNS may name, by all replicas
    _held: dict[str, tuple[Model, tuple[str, ...]]] = field(
        default_factory=dict
    )  # objects, by key of the proxy

    def __post_init__(self) -> None:
        self.cluster = Cluster(self.kube, self.place.namespace, self.place.revision)
        place = self.place
        self.leader = Leader(self.kube, place.namespace, place.revised(LEASE), place.name)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Proxies are answered when everything has been read and the root is there."""
        work = [
            self._start(http.serve(self._knowing(), http.HTTP_PORT)),
            self._start(http.serve(http.monitoring(lambda: metrics(self.plane)), http.MONITORING_PORT)),
            self._start(self._serve(stop)),
        ]
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([waiting, *work], return_when=asyncio.FIRST_COMPLETED)
        if waiting in done:  # proxies are told to come back elsewhere; that takes a moment
            await asyncio.wait([work[-1]], timeout=_END_SECONDS)
        await _ended([*work, waiting])
        await self.cluster.stop()
        for task in done - {waiting}:
            task.result()

    @staticmethod
    def _start(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        return asyncio.create_task(work)

    def _knowing(self) -> Any:
        return http.knowing(self._not_ready, lambda: self._status().to_json(), self._is_peer)

    def _status(self) -> Status:
        """What this replica says of itself."""
        found = self.plane.status() if self.plane else Status()
        holds = {}
        for key, gateway in (self.plane.state.gateways if self.plane else {}).items():
            build = gateway.translated.build
            holds[key] = Holds(name=build.proxy.called, objects=self._objects_of(key, build.model))
        self._held = {key: one for key, one in self._held.items() if key in holds}
        return msgspec.structs.replace(found, holds=holds, leader=self.leader.holder)

    def _objects_of(self, key: str, model: Model) -> tuple[str, ...]:
        """The objects that a gateway is made of; worked out once for each model, when somebody asks."""
        known = self._held.get(key)
        if known is None or known[0] is not model:
            known = self._held[key] = (model, tuple(sorted(map(str, authors(model)))))
        return known[1]

    def _is_peer(self, shown: str) -> bool:
        return self.plane is not None and is_pass_word(shown, self._key(), datetime.now(UTC))

    def _key(self) -> bytes:
        return key_pem(self._plane.mesh.roots.active.key).encode()

    def _peers(self) -> tuple[str, ...]:
        """The addresses of the other replicas."""
        return tuple(
            one.data["status"]["podIP"]
            for one in list(self.cluster.reflectors["pods"].objects.values())
            if one.namespace == self.place.namespace
            and one.name != self.place.name
            and (one.data["metadata"].get("labels") or {}).get("app") == "istiod"
            and one.data["metadata"]["labels"].get("istio.io/rev", self.place.revision) == self.place.revision
            and one.data["status"].get("podIP")
        )

    def _not_ready(self) -> str:
        if self.plane is None or not self.plane.started.is_set():
            return self.cluster.unread or "starting"
        return ""

    async def _serve(self, stop: asyncio.Event) -> None:
        self.cluster.start()
        self.cluster.follow_injector()
        await self._told(self.cluster.ready())
        settings = Settings(
            environment=self.environment,
            external_ports=ByService.SERVICE,
            routers=frozenset(),
            unix_folders=self.unix_folders,
        )
        domain = await self._trust_domain(settings)
        self.root = SharedRoot(self.kube, self.place.namespace, self.instance.authority, domain)
        await self._open_root(self.root)
        self.accounts = Accounts(self.kube, domain)
        self.plane = ControlPlane(
            self.instance,
            self.cluster,
            settings,
            aside=StateFile(self.instance.set_aside, private_file.write),
            fetched=StateFile(self.instance.fetched_keys, private_file.write),
            fetched_modules=StateFile(self.instance.fetched_modules, private_file.write),
            own_ports=frozenset({http.HTTP_PORT, http.MONITORING_PORT, http.WEBHOOK_PORT}),
            shares_root=True,
            ca_folder=self.instance.authority,
            listening=replace(self.listening, names=self.place.names),
            say=self.say,
            may_read_secrets=self._may_read_secrets,
            accounts=self.accounts.whose,
            promises=SharedPromises(
                self.kube,
                self.place.namespace,
                self.place.revised(PROMISES_CONFIG_MAP),
                self._labels,
                replica=self.place.name,
            ),
            dns_notes=ConfigMapNotes(
                self.kube, self.place.namespace, self.place.revised(DNS_CONFIG_MAP), self._labels
            ),
            replica=self.place.name,
        )
        self._keep_dns(self.plane)
        tickets = SharedTickets(self.kube, self.place.namespace)
        await self._open_tickets(tickets)
        chores = Chores(
            self.kube, self.cluster, lambda: self._plane.mesh.roots.bundle_pem, lambda: self.leader.is_leader
        )
        plane = self._start(self.plane.run(stop))
        started = asyncio.create_task(self.plane.started.wait())
        await asyncio.wait([plane, started], return_when=asyncio.FIRST_COMPLETED)
        self.say(f"ready: {self.place.name} serves {self.place.names[0]}")
        beside = [
            self._start(work)
            for work in (
                self._webhooks(settings),
                self.leader.run(),
                chores.run(),
                self._reporter().run(),
                self._follow_root(self.root),
                self._follow_tickets(tickets),
            )
        ]
        try:
            done, _ = await asyncio.wait([plane, *beside], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _ended([*beside, started])
            stop.set()
            await plane

    async def _trust_domain(self, settings: Settings) -> str:
        said = ""
        while True:
            try:
                listing = self.cluster.listing()
                built = await asyncio.to_thread(build, listing.objects, listing.problems, settings)
                if not built.is_partial:
                    return built.trust_domain
                errors = [one for one in built.problems if one.severity is Severity.ERROR]
                # Of the mesh's settings, first of all: without them nobody knows what it is called.
                problem = min(errors, key=lambda one: (one.code != "K8S-004", one.code != "GRD-003"))
            except Exception as error:  # noqa: BLE001  # a fault of ours: what proxies have, they keep
                problem = fault(Stage.EVERYTHING, ResourceRef(kind="Configuration"), error)
            if said != str(problem):
                said = str(problem)
                self.say(f"waiting: {said}")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _webhooks(self, settings: Settings) -> None:
        """Answer the API server."""
        native = has_native_sidecars(await self._version())
        network = self._plane.ads.network
        assert network is not None

        app = http.reviewing(
            lambda asked: review(asked, self._injector, native=native),
            lambda asked: judged(asked, settings.default_namespace),
        )
        await http.serve(app, http.WEBHOOK_PORT, network.tls, self.instance.run_dir)

    def _injector(self) -> InjectorSettings:
        """What Pods are injected with now."""
        pilot = f"{self.place.names[0]}:{SECURE_PORT}"
        domain = self._plane.result.trust_domain if self._plane.result else ""
        values, world = self.cluster.injector.get(VALUES_KEY, ""), self._world()
        if world is None:
            return settings_of(values, pilot=pilot, trust_domain=domain)
        configure = partial(configured, world, mesh_config(world))
        return settings_of(values, pilot=pilot, trust_domain=domain, configure=configure)

    async def _version(self) -> Mapping[str, Any]:
        while True:
            try:
                return await self.kube.get("/version")
            except KubeError as error:
                _log.warning("the API server's version: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)

    def _reporter(self) -> Reporter:
        return Reporter(
            self.kube,
            self.cluster,
            self._status,
            self._peers,
            self._key,
            may_write=lambda: self.leader.is_leader,
            world=self._world,
            heard=self._hear_replicas,
        )

    def _keep_dns(self, plane: ControlPlane) -> None:
        """The leader writes for all, and goes by what all say."""
        plane.dns.may_write = lambda: self.leader.is_leader
        plane.dns.listed = lambda: self._listed
        plane.dns.apply = DnsEndpoints(self.kube, self.place.revision).apply

    def _hear_replicas(self, replicas: Sequence[Status]) -> None:
        self._listed = listed_of(replicas)

    @property
    def _labels(self) -> Mapping[str, str]:
        """Of objects that this control plane makes for itself."""
        return {"app.kubernetes.io/managed-by": "mizzen", "istio.io/rev": self.place.revision}

    def _world(self) -> World | None:
        made = self.plane.result if self.plane is not None else None
        return made.world if made is not None else None

    @property
    def _plane(self) -> ControlPlane:
        assert self.plane is not None
        return self.plane

    async def _told(self, ready: Coroutine[Any, Any, None]) -> None:
        """Wait, and say now and then what for."""
        task = asyncio.create_task(ready)
        told = ""
        while not (await asyncio.wait({task}, timeout=_RETRY_SECONDS))[0]:
            if (waiting := self.cluster.unread) and waiting != told:
                told = waiting
                self.say(f"waiting: {waiting}")
        await task

    async def _open_root(self, root: SharedRoot) -> None:
        while True:
            try:
                return await root.open(datetime.now(UTC))
            except (KubeError, StoreError) as error:
                self.say(f"waiting: the root of the mesh cannot be had: {error}")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow_root(self, root: SharedRoot) -> None:
        """What became of the Secret; and as the leader, what becomes of the root."""
        next_step = 0.0
        overlap = Overlap.of(Policy(longest=leaf_life(self.environment)))
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                changed = self._take(root)
                if self.leader.is_leader and loop.time() >= next_step:
                    next_step = loop.time() + _MAINTAIN_SECONDS
                    changed |= await root.maintain(datetime.now(UTC), overlap)
            except (KubeError, StoreError) as error:
                _log.warning("the root of the mesh: %s", error)
                continue
            if changed:
                await self._plane.mesh.reload()

    def _take(self, root: SharedRoot) -> bool:
        held = self.cluster.secrets_of(self.place.namespace)
        for name in (PLUGGED_IN, SELF_SIGNED):
            if name in held:
                return root.take(dict(held[name].data))
        return False

    async def _open_tickets(self, tickets: SharedTickets) -> None:
        """Nobody waits for them: without the Secret the keys are of this replica alone."""
        try:
            await tickets.open(datetime.now(UTC))
        except KubeError as error:
            _log.warning("the keys of session tickets are not those of other replicas: %s", error)
        self._plane.tickets.seeds = tickets.seeds

    async def _follow_tickets(self, tickets: SharedTickets) -> None:
        """What became of their Secret; and as the leader, rotate them, and make one again that is gone."""
        next_step, loop = 0.0, asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            held = self.cluster.secrets_of(self.place.namespace).get(SESSION_TICKETS)
            if held is not None:
                tickets.take(dict(held.data))
            if self.leader.is_leader and loop.time() >= next_step:
                next_step = loop.time() + (_MAINTAIN_SECONDS if held is not None else _RETRY_SECONDS)
                try:
                    work = tickets.open if held is None else tickets.maintain
                    await work(datetime.now(UTC))
                except KubeError as error:
                    _log.warning("the keys of session tickets: %s", error)
            if tickets.seeds.seeds:
                self._plane.tickets.take(tickets.seeds)

    async def _may_read_secrets(self, identity: Identity) -> bool:
        assert self.accounts is not None
        allowed = await self.accounts.may_read_secrets(identity)
        if allowed:
            self.cluster.read_secrets((identity.namespace,))
        return allowed


async def _ended(work: "Sequence[asyncio.Task[Any]]") -> None:
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


# The first API server whose kubelets all have native sidecars: those may be three versions behind it, and
# have them since 1.29 by default. Istio's bound.
_NATIVE = (1, 33)


def has_native_sidecars(version: Mapping[str, Any]) -> bool:
    """Of what an API server says at /version."""
    found = re.match(r"v?(\d+)\.(\d+)", str(version.get("gitVersion", "")))
    return found is not None and (int(found[1]), int(found[2])) >= _NATIVE


def serve(
    kube: Kube,
    instance: Instance,
    environment: Mapping[str, str],
    listening: Listening,
    say: Callable[[str], None],
    unix_folders: UnixFolders,
) -> None:
    """Run a replica until SIGTERM or SIGINT."""

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        pilot = ClusterPilot(kube, instance, Place.of(environment), environment, listening, say, unix_folders)
        with contextlib.suppress(asyncio.CancelledError):
            await pilot.run(stop)

    asyncio.run(main())
