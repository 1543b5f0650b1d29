"""What a control plane keeps of each gateway that it serves, and what outlives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mizzen.envoy.config import EnvoyConfig
from mizzen.http3.announcement import Announcements
from mizzen.pipeline import GatewayBuild
from mizzen.run.envoy_files import Unusable
from mizzen.run.occupied import Claim, Taken, refused_ports
from mizzen.run.ports import Holder
from mizzen.run.refusals import Refusals, standing
from mizzen.serve.ads import ClientStatus
from mizzen.xds.resource_type import SECRET
from mizzen.xds.snapshot import Snapshot


@dataclass(slots=True)
class Served:
    """What one gateway is being told."""

    build: GatewayBuild
    config: EnvoyConfig
    snapshot: Snapshot
    occupied: tuple[Taken, ...]  # listeners whose ports could not be opened
    unusable: tuple[Unusable, ...]  # files that its Envoy could not open
    claims: tuple[Claim, ...]  # the addresses it serves
    announcements: Announcements
    held: tuple[str, ...] = ()  # the objects whose listeners and routes it has, by name
    # Its Envoys while they are connected, by what they call themselves.
    clients: dict[str, ClientStatus] = field(default_factory=dict)
    # Who else has the port of a listener open, by its name.
    shared: Mapping[str, tuple[Holder, ...]] = field(default_factory=dict)
    # Listeners that an Envoy refused for their ports, although these are free as far as we can see.
    stubborn: frozenset[str] = frozenset()
    refused: dict[str, Refusals] = field(default_factory=dict)  # by them

    @property
    def names(self) -> tuple[str, ...]:
        """What its Envoys call themselves: one, or one for each Pod."""
        proxy = self.build.proxy
        return proxy.instances or (proxy.key,)

    @property
    def opened(self) -> frozenset[str]:
        """The listeners that its Envoys have, or were told of and have not refused for their ports."""
        return frozenset(one.name for one in self.build.model.listeners) - self.unopened

    @property
    def unopened(self) -> frozenset[str]:
        """The listeners that an Envoy could not open."""
        wanted = {one.name for one in self.build.model.listeners}
        return frozenset(refused_ports(self.clients.values()).keys() & wanted)

    @property
    def once_served(self) -> frozenset[str]:
        """The listeners that were served at some time, lost since or not."""
        lost = frozenset(one.listener for one in self.occupied if one.is_lost)
        return frozenset(one.name for one in self.build.model.listeners) | lost

    @property
    def waits(self) -> bool:
        """Is there something that could be served if a port were free, or a file could be written?"""
        return bool(self.occupied or self.unopened or self.unusable)

    def hear(self, client: ClientStatus) -> None:
        """What one of its Envoys confirmed or refused."""
        name = client.gateway
        self.clients.pop(name, None)
        if client.is_connected:
            self.clients[name] = client
            self.refused[name] = standing(self.refused.get(name, {}), client, self.snapshot)


def keep_secrets(snapshot: Snapshot, before: Served | None) -> Snapshot:
    """Certificates that went bad or away keep their last good version for as long as they are asked for."""
    if before is None:
        return snapshot
    held = before.snapshot.of(SECRET.url)
    kept = snapshot.replaced(SECRET.url, held.updated(snapshot.of(SECRET.url).difference(held).changed))
    return before.snapshot if kept == before.snapshot else kept


def proxy_value(gateway: GatewayBuild) -> dict[str, object]:
    """What the supervisor must know to run a gateway's Envoy."""
    proxy = gateway.proxy
    return {
        "kind": proxy.kind,
        "name": proxy.name,
        "namespace": proxy.namespace,
        "labels": dict(proxy.labels),
    }
