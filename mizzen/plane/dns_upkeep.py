"""DNS follows what is announced: whenever the state may justify other records, they are worked out and handed on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

from mizzen.dns.justified import Listed
from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.model.dns import TsigKey
from mizzen.plane.dns_keeper import DnsKeeper, NotesUnread, NotesUnwritten
from mizzen.plane.dns_records import Lists, keeps_any, kept
from mizzen.plane.effects import ServerKey
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.state import State
from mizzen.resolve.listeners.bindings import read_key
from mizzen.resources.world import World
from mizzen.sources.state_file import StateFile

CATALOGUE = {
    "DNS-006": "HTTPS records are not handed to external-dns: its kind is not there, or there is no cluster.",
}
GAP_SECONDS = 0.1  # what follows one upon the other is done together
LOOK_SECONDS = 2.0  # how often it is looked whether this control plane may write

_log = logging.getLogger(__name__)

Objects = Mapping[ResourceRef, tuple[Listed, ...]]


@dataclass(slots=True)
class FileNotes:
    """Notes in a file; None: nowhere, and DNS alone knows."""

    file: StateFile | None

    async def load(self) -> Any:
        return self.file.load() if self.file is not None else None

    async def save(self, value: Any) -> None:
        if self.file is None:
            return
        self.file.save(value)
        if self.file.is_behind:
            raise NotesUnwritten(f"what is written cannot be noted down in {self.file.path}")


@dataclass(slots=True, kw_only=True)
class DnsUpkeep:
    """Runs until it is cancelled. `state` and `world` are asked each time."""

    state: Callable[[], State]
    keeper: DnsKeeper
    # In a cluster: whether this replica may write, what all replicas announce, and who takes objects for external-dns.
    may_write: Callable[[], bool] = lambda: True
    listed: Callable[[], Mapping[ServerKey, bool]] | None = None
    apply: Callable[[Objects], Awaitable[str]] | None = None  # returns why that failed, ""
    on_change: Callable[[], object] = lambda: None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _grounds: tuple[object, ...] = ()
    _keeping: dict[str, tuple[object, bool]] = field(
        default_factory=dict
    )  # by gateway: its targets, are any kept
    _objects: Objects = field(default_factory=dict)
    _has_applied: bool = False
    _trouble: str = ""  # with the objects
    _failed: str = ""  # at the last look

    def changed(self) -> None:
        """The state may be another one."""
        self._wake.set()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That records are not as they should be."""
        return (
            *self.keeper.problems,
            *(self._unapplied(policy) for policy in self._objects if self._trouble),
        )

    async def run(self) -> None:
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
                self._wake.clear()
                await self._try()
                await asyncio.sleep(GAP_SECONDS)
        finally:
            await self.keeper.stop()

    async def _try(self) -> None:
        """Look; what fails is tried again, and holds up nothing else."""
        try:
            await self._look()
            self._failed = ""
        except Exception as error:  # noqa: BLE001
            self._grounds = ()
            if self._failed != (why := f"{type(error).__name__}: {error}"):
                self._failed = why
                if isinstance(error, NotesUnread):
                    _log.warning(
                        "what was written into DNS before is not known, and nothing is written: %s", error
                    )
                else:
                    _log.exception("HTTPS records cannot be worked out")

    async def _look(self) -> None:
        if not self.may_write():
            if self._grounds:
                await self.keeper.stop()
                self._grounds, self._has_applied = (), False
            return
        state = self.state()
        if state.number == 0:
            return  # nothing has been built: nobody knows what is to be kept
        is_at_rest = self.keeper.is_idle and not self._objects and (self._has_applied or self.apply is None)
        if not self._keeps(state.gateways) and is_at_rest:
            return
        listed = dict(self.listed()) if self.listed is not None else None
        grounds = (state.servers, state.gateways, listed)
        if self._grounds == grounds and not self._trouble:
            return
        self._grounds = grounds
        lists = listed.get if listed is not None else _of(state)
        found = await asyncio.to_thread(kept, list(state.gateways.values()), lists)
        await self.keeper.want(found.zones)
        await self._apply(found.objects)

    def _keeps(self, gateways: Mapping[str, Gateway]) -> bool:
        """Are records kept of any server? Looked at once for each gateway, until it is another one."""
        known, self._keeping = self._keeping, {}
        for key, gateway in gateways.items():
            targets, before = gateway.translated.targets, known.get(key)
            same = before is not None and before[0] is targets
            self._keeping[key] = before if before is not None and same else (targets, keeps_any(gateway))
        return any(one for _, one in self._keeping.values())

    async def _apply(self, objects: Objects) -> None:
        before, self._objects = self._objects, objects
        if self.apply is not None and (objects != before or not self._has_applied or self._trouble):
            trouble = await self.apply(objects)
            self._has_applied = not trouble
        else:
            trouble = "" if self.apply is not None or not objects else "there is no cluster here"
        if trouble != self._trouble or (trouble and objects.keys() != before.keys()):
            self._trouble = trouble
            self.on_change()

    def _unapplied(self, policy: ResourceRef) -> Problem:
        return Problem(
            severity=Severity.WARNING,
            code="DNS-006",
            resource=policy,
            field="spec.dns.externalDns",
            message=f"HTTPS records are not handed to external-dns: {self._trouble}",
            hint="Print the objects with 'mizzen dns -o external-dns', or have mizzen write by server and zone.",
        )


def _of(state: State) -> Lists:
    def lists(key: ServerKey) -> bool | None:
        return state.server(*key).lists_dns

    return lists


def key_in(world: World | None, secret: str) -> TsigKey | None:
    """The key in a Secret ("NAMESPACE/NAME") of a world."""
    namespace, _, name = secret.partition("/")
    found = world.secret_by_key.get((namespace, name)) if world is not None else None
    key = read_key(found) if found is not None else None
    return key if isinstance(key, TsigKey) else None
