"""What an inquiry needs of a control plane: see `plane.case.Desk`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from typing import Any, Protocol

from google.protobuf.message import Message

from mizzen.blame.ledger import Ledger
from mizzen.blame.pieces import Bodies, Name
from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.node.instance import Instance
from mizzen.plane.build_result import Made
from mizzen.plane.builds import Builds
from mizzen.plane.case import Told
from mizzen.plane.served_gateway import Translated
from mizzen.plane.state import State
from mizzen.plane.worker import Worker
from mizzen.proxy.binary import envoy_binary
from mizzen.proxy.trial import Outcome, Trial, Verdict, remove_left
from mizzen.resolve.proxies.gateways import mesh_config
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.state_file import StateFile


class Plane(Protocol):
    """The control plane."""

    instance: Instance
    made: Made | None
    state: State
    worker: Worker
    builds: Builds

    @property
    def is_local(self) -> bool:
        """Are the proxies on this machine?"""

    def publish(self, name: str) -> None:
        """Tell the Envoys of this name again what they are to be told."""


@dataclass(slots=True, kw_only=True)
class PlaneDesk:
    """The desk of one control plane. `kept`: where the ledger is kept for the process that comes after this one."""

    plane: Plane
    kept: StateFile | None = None
    default_namespace: str = "default"
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        remove_left(self.plane.instance.run_dir)
        self.ledger = Ledger(default_namespace=self.default_namespace)
        stored: Any = self.kept.load() if self.kept else None
        if self.kept and stored is not None:
            try:
                self.ledger = self.ledger.restored(stored)
            except ValueError:
                self.kept.ignore("its content is not ours")

    def proxy(self, name: str) -> Told | None:
        state = self.plane.state
        gateway = state.gateways.get(state.by_name.get(name, ""))
        if gateway is None:
            return None
        translated, client = gateway.translated, gateway.clients.get(name)
        return Told(
            key=translated.key,
            is_trusted=self._is_trusted(translated),
            snapshot=gateway.offered,
            model=translated.build.model,
            bodies=translated.config.bodies,
            client=client if client is not None and client.is_proven else None,
        )

    def _is_trusted(self, translated: Translated) -> bool:
        """Envoys that were started here, and gateways of who runs the mesh."""
        made, proxy = self.plane.made, translated.build.proxy
        if self.plane.is_local or made is None:
            return self.plane.is_local
        return proxy.kind == "router" and proxy.namespace == mesh_config(made.result.world).root_namespace

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That the ledger could not be read or written, if so."""
        return self.kept.problems if self.kept else ()

    def objects(self) -> tuple[RawObject, ...]:
        return self.plane.made.objects if self.plane.made is not None else ()

    async def candidate(self, key: str, objects: tuple[RawObject, ...]) -> Bodies | None:
        made = self.plane.made
        if made is None:
            return None
        return await self.plane.builds.in_worker(lambda: self.plane.worker.candidate(key, made, objects))

    async def try_resources(self, resources: Mapping[Name, Message], clusters: Iterable[str]) -> Verdict:
        try:
            trial = Trial(envoy=envoy_binary(), folder=self.plane.instance.run_dir)
        except FileNotFoundError as error:
            return Verdict(outcome=Outcome.UNKNOWN, why=str(error))
        return await trial.run(resources, clusters)

    async def serve(self, ledger: Ledger, earlier: Mapping[ResourceRef, RawObject]) -> None:
        added = {one.ref for one in ledger.entries if one not in self.ledger.entries}
        restored, objects = {ref: earlier.get(ref) for ref in added}, self.objects()
        if restored:
            await self.plane.builds.in_worker(lambda: self.plane.worker.restore(restored, objects))
        self.ledger = ledger
        self._keep()
        await self.plane.builds.rebuilt()

    def of_envoys(self, versions: Collection[str]) -> bool:
        """Envoys of these versions are here: what others refused is to be tried again. Is there any such?"""
        kept = self.ledger.of_envoys(versions)
        if kept is self.ledger:
            return False
        self.ledger = kept
        self._keep()
        return True

    def publish(self, name: str) -> None:
        self.plane.publish(name)

    def _keep(self) -> None:
        if self.kept:
            self.kept.save(self.ledger.to_json())
