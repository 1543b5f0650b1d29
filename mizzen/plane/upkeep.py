"""What a control plane looks after beside what it serves: ports that are not to be had, files that were removed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field

from mizzen.lazy import dataclass
from mizzen.node.instance import Instance
from mizzen.node.ports import Holder
from mizzen.node.restore import RESTORE_SECONDS, Restorable, Restorer
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.shared_ports import SharedPorts
from mizzen.plane.taken_ports import is_for_a_port
from mizzen.serve.ads import AdsServer
from mizzen.xds.resource_type import LISTENER

PORT_RETRY_SECONDS = 2.0  # how often a port that somebody else holds is tried again


@dataclass(slots=True, kw_only=True)
class Upkeep:
    """Two loops, each until cancelled."""

    instance: Instance
    ads: AdsServer
    gateways: Callable[[], Mapping[str, Gateway]]  # that are served
    rebuild: Callable[[], Awaitable[None]]
    # Hears who else has ports of a gateway open, by listener, when it is not who it was.
    on_shared: Callable[[str, Mapping[str, tuple[Holder, ...]]], object]
    shared: SharedPorts = field(default_factory=SharedPorts)

    async def look_after_ports(self, *, is_local: bool) -> None:
        """Try again what could not be opened. `is_local`: the Envoys are on this machine, and so are their ports."""
        while True:
            await asyncio.sleep(PORT_RETRY_SECONDS)
            if is_local:
                if any(gateway.waits for gateway in self.gateways().values()):
                    await self.rebuild()
                await self._look_at_shared_ports()
            self.ads.try_again(LISTENER.url, is_for_a_port)

    async def _look_at_shared_ports(self) -> None:
        for key, gateway in self.gateways().items():
            listeners, folder = gateway.translated.build.model.listeners, self.instance.gateway(key)
            shared = await asyncio.to_thread(self.shared.look, listeners, folder)
            if shared != gateway.shared:
                self.on_shared(key, shared)

    async def look_after_files(self, restorer: Restorer, *parts: Restorable) -> None:
        """Make again what somebody removed from the run-dir."""
        while True:
            await asyncio.sleep(RESTORE_SECONDS)
            restorer.look(*parts)
