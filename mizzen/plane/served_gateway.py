"""What the control plane knows of each gateway that it serves: values, replaced and never changed."""

from collections.abc import Mapping
from dataclasses import field, replace

from mizzen.envoy.config import EnvoyConfig
from mizzen.errors import Problem
from mizzen.lazy import dataclass
from mizzen.node.ports import Holder
from mizzen.pipeline import Announced, GatewayBuild
from mizzen.plane.envoy_files import Unusable
from mizzen.plane.mirror_proof import Targets
from mizzen.plane.refusals import Refusals, standing
from mizzen.plane.replacing import Replacing
from mizzen.plane.taken_ports import Claim, Taken, refused_ports
from mizzen.serve.ads import ClientStatus
from mizzen.xds.resource_type import SECRET
from mizzen.xds.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Translated:
    """What one gateway shall be told, as the worker made it."""

    build: GatewayBuild  # less what cannot be opened here
    config: EnvoyConfig
    snapshot: Snapshot
    announced: Announced  # what its answers say of HTTP/3
    targets: Targets = field(default_factory=dict)
    occupied: tuple[Taken, ...] = ()  # listeners whose ports could not be opened
    unusable: tuple[Unusable, ...] = ()  # files that its Envoy could not open
    claims: tuple[Claim, ...] = ()  # the addresses it serves
    # Listeners that an Envoy refused for their ports, although these are free as far as we can see.
    stubborn: frozenset[str] = frozenset()
    # Names of Secrets that its model refers to no more, for Envoys that still ask for them.
    lingering: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()  # of translating, and with this machine

    @property
    def key(self) -> str:
        """What tells its proxy from all others."""
        return self.build.proxy.key

    @property
    def called(self) -> str:
        """The gateway as clients know it."""
        return self.build.proxy.called

    @property
    def names(self) -> tuple[str, ...]:
        """What its Envoys call themselves: one, or one for each Pod."""
        proxy = self.build.proxy
        return proxy.instances or (proxy.key,)

    @property
    def listeners(self) -> frozenset[str]:
        """Their names."""
        return frozenset(one.name for one in self.build.model.listeners)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gateway:
    """One gateway, what it is told, and what its Envoys say."""

    translated: Translated
    values: Announced  # what its answers shall say of HTTP/3 now
    # Its Envoys while they are connected, by what they call themselves.
    clients: Mapping[str, ClientStatus] = field(default_factory=dict)
    refused: Mapping[str, Refusals] = field(default_factory=dict)  # by them
    # Who else has the port of a listener open, by its name.
    shared: Mapping[str, tuple[Holder, ...]] = field(default_factory=dict)
    replacing: Replacing | None = None  # QUIC listeners of it that are emptied before they are replaced

    @property
    def offered(self) -> Snapshot:
        """What its Envoys are to hold now."""
        snapshot = self.translated.snapshot
        return self.replacing.offered(snapshot) if self.replacing is not None else snapshot

    @property
    def opened(self) -> frozenset[str]:
        """The listeners that its Envoys have, or were told of and have not refused for their ports."""
        return self.translated.listeners - self.unopened

    @property
    def unopened(self) -> frozenset[str]:
        """The listeners that an Envoy could not open."""
        refused = refused_ports(self.clients.values()).keys()
        return frozenset(refused & self.translated.listeners) if refused else frozenset()

    @property
    def once_served(self) -> frozenset[str]:
        """The listeners that were served at some time, lost since or not."""
        lost = frozenset(one.listener for one in self.translated.occupied if one.is_lost)
        return self.translated.listeners | lost

    @property
    def waits(self) -> bool:
        """Is there something that could be served if a port were free, or a file could be written?"""
        return bool(self.translated.occupied or self.unopened or self.translated.unusable)

    def heard(self, client: ClientStatus) -> "Gateway":
        """The same, when one of its Envoys has confirmed or refused something, has come or gone."""
        name = client.gateway
        clients = {other: one for other, one in self.clients.items() if other != name}
        if not client.is_connected:
            return replace(self, clients=clients)
        stands = standing(self.refused.get(name, {}), client, self.offered)
        refused = self.refused if stands == self.refused.get(name, {}) else {**self.refused, name: stands}
        return replace(self, clients={**clients, name: client}, refused=refused)

    def asks_for(self, names: frozenset[str]) -> bool:
        """Does an Envoy of it still ask for one of these Secrets?"""
        found = (client.stream.of(SECRET.url) for client in self.clients.values())
        return any(names.intersection(one.subscribed) for one in found if one is not None)
