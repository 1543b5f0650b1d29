"""What an inquiry is about, and what it needs of the control plane."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from google.protobuf.message import Message

from mizzen.blame.confirmed import Confirmed
from mizzen.blame.ledger import Ledger
from mizzen.blame.pieces import Bodies, Name
from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.plane.taken_ports import is_for_a_port
from mizzen.proxy.trial import Verdict
from mizzen.resources.kinds import is_ours
from mizzen.resources.raw_objects import RawObject
from mizzen.serve.ads import ClientStatus
from mizzen.xds.resource_type import CLUSTER, EXTENSION_CONFIG, LISTENER
from mizzen.xds.snapshot import Snapshot
from mizzen.xds.status import SyncState

# Without them nothing would be served, or otherwise than anybody meant: only an earlier version may take their place.
_BASIC = frozenset({"IstioOperator", "ConfigMap", "Namespace", "Node", "Pod", "WorkloadEntry"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one proxy is being told, and what it made of that."""

    key: str  # of the gateway or sidecar
    # Is its word alone enough to take something away from others? A sidecar is as trustworthy as its tenant.
    is_trusted: bool
    snapshot: Snapshot
    model: Model
    bodies: Bodies  # what the model became
    client: ClientStatus | None

    def refused(self) -> dict[Name, str]:
        """What it refuses of that, but for ports that it cannot open, and for listeners while their filters are in question."""
        found = {
            (one.type_url, name): rejection
            for one in (self.client.stream.types if self.client else ())
            for name, rejection in one.rejections.items()
        }
        return {
            (url, name): rejection.reason
            for (url, name), rejection in found.items()
            if (entry := self.snapshot.of(url).get(name)) is not None
            and entry.version == rejection.version
            and not (url == LISTENER.url and (is_for_a_port(rejection.reason) or self._is_in_doubt()))
        }

    def _is_in_doubt(self) -> bool:
        """May its listeners be refused for extension configurations? Envoy makes them of those that it refused, too."""
        status = self.client.stream.of(EXTENSION_CONFIG.url) if self.client else None
        return status is not None and status.state not in (SyncState.SYNCED, SyncState.NOT_SENT)

    def is_confirmed(self) -> bool:
        """Has it taken all of it?"""
        if self.client is None or self.client.offered is not self.snapshot:
            return False
        types = self.client.stream.types
        asked = {one.type_url for one in types}
        return {CLUSTER.url, LISTENER.url} <= asked and all(
            one.state in (SyncState.SYNCED, SyncState.NOT_SENT) and not one.unanswered for one in types
        )

    def holds(self, name: Name) -> bool:
        """Has it confirmed that resource as it is served, or is it to be without it?"""
        url, called = name
        entry = self.snapshot.of(url).get(called)
        held = self.client.stream.of(url) if self.client else None
        return entry is None or (held is not None and held.acked.get(called) == entry.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to be explained."""

    proxy: str
    told: Told
    refused: Mapping[Name, str]  # the resources in question, and Envoy's reason; {}: all, and none is known
    why: str  # the first of the reasons
    before: Confirmed | None  # what the proxy was well with
    changed: tuple[ResourceRef, ...]  # since then
    earlier: Mapping[ResourceRef, RawObject]  # versions of these that may take their place
    died: bool

    @property
    def names(self) -> frozenset[Name] | None:
        """Of the resources in question; None: all."""
        return frozenset(self.refused) or None

    def may_be_blamed(self, refs: Iterable[ResourceRef]) -> tuple[ResourceRef, ...]:
        """Those of them that can be set aside."""
        return tuple(ref for ref in refs if ref in self.earlier or (is_ours(ref) and ref.kind not in _BASIC))


class Desk(Protocol):
    """What an inquiry needs of the control plane. It is of the event loop."""

    default_namespace: str
    ledger: Ledger

    def proxy(self, name: str) -> Told | None:
        """What the proxy of that name is being told; None for one that is not served."""

    def objects(self) -> tuple[RawObject, ...]:
        """Those that take part now."""

    async def candidate(self, key: str, objects: tuple[RawObject, ...]) -> Bodies | None:
        """What a gateway would be told if there were these objects; None if it would not be there."""

    async def try_resources(self, resources: Mapping[Name, Message], clusters: Iterable[str]) -> Verdict:
        """A trial of these; `clusters` are there, too."""

    async def serve(self, ledger: Ledger, earlier: Mapping[ResourceRef, RawObject]) -> None:
        """Have it served with this ledger from now on, where objects that are set aside have these earlier versions."""

    def of_envoys(self, versions: Collection[str]) -> bool:
        """Only Envoys of these versions are here: forget what others refused. Was there anything such?"""

    def publish(self, name: str) -> None:
        """Tell a proxy again what `Inquiry.told` says of it."""
