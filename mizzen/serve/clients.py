"""Who is connected, and what each gateway's Envoys shall hold.

All of a gateway's clients are offered one snapshot in one pass; what that means for one of them is worked out once for
all that are at the same point (`mizzen.xds.shared`). For the event loop's own thread.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import timedelta
from typing import Final, NamedTuple

from mizzen._api import pb
from mizzen.http3.session_tickets import KEY_BYTES
from mizzen.lazy import dataclass
from mizzen.model.tls import SESSION_TICKETS
from mizzen.persistent import PersistentMap
from mizzen.xds.delta import DeltaStream
from mizzen.xds.node import gateway_of, server_id_of, start_of
from mizzen.xds.resource_type import SECRET
from mizzen.xds.session import Response
from mizzen.xds.shared import Shared
from mizzen.xds.snapshot import Entry, Snapshot, entry
from mizzen.xds.sotw import SotwStream
from mizzen.xds.start import Start
from mizzen.xds.status import StreamStatus

_FORGET_SECONDS: Final = 2.0  # what was worked out is of use while clients catch up


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStatus:
    """One connected Envoy."""

    node_id: str
    gateway: str
    protocol: str  # "delta" or "sotw"
    version: str  # Envoy's own, "1.40.0"; "" if it does not say
    is_connected: bool
    stream: StreamStatus
    is_proven: bool = True  # who it is
    start: Start = field(default_factory=Start)  # how often it was started again, and after what
    server_id: str = ""  # that somebody wrote for it
    offered: Snapshot | None = field(default=None, repr=False)  # what it is to hold; None: it is told nothing

    @property
    def is_unanswered(self) -> bool:
        """Has it been told something that it has neither confirmed nor refused?"""
        return any(one.unanswered for one in self.stream.types)


class Pushed(NamedTuple):
    """What was sent of one type, to all clients together."""

    responses: int
    resources: int  # changed and removed ones
    bytes: int


class Client:
    """One open stream."""

    __slots__ = (
        "_holding",
        "changed",
        "gateway",
        "is_connected",
        "is_proven",
        "node_id",
        "offered",
        "secrets",
        "server_id",
        "silent",
        "start",
        "stream",
        "tickets",
        "version",
    )

    def __init__(
        self,
        stream: DeltaStream | SotwStream,
        node: pb.Node,
        *,
        silent: bool,
        secrets: bool,
        is_proven: bool = True,
    ) -> None:
        """`silent`: nobody hears of it. `secrets`: it may be told Secrets. `is_proven`: it is who it says."""
        self.stream = stream
        self.silent, self.secrets, self.is_proven = silent, secrets, is_proven
        # No more of the node is kept: Envoy lists all its extensions in it.
        build = node.user_agent_build_version.version
        self.version = f"{build.major_number}.{build.minor_number}.{build.patch}" if build.ByteSize() else ""
        self.node_id, self.gateway, self.start = node.id, gateway_of(node), start_of(node)
        self.server_id = server_id_of(node)
        self.offered: Snapshot | None = None
        # Its keys of session tickets, where nobody knows who it is.
        self.tickets: Entry | None = None
        self.changed = asyncio.Event()  # there may be something to send
        self.is_connected = True
        self._holding: asyncio.TimerHandle | None = None  # ends the waiting for clusters

    def wake(self) -> None:
        """Let its writer look, if there is something to send or to wait for no more."""
        if self._holding is not None or not self.stream.has_nothing:
            self.changed.set()

    def limit_holding(self, limit: timedelta) -> None:
        """Listeners and routes that wait for clusters wait no longer than that."""
        is_holding = self.is_connected and self.stream.is_holding
        if self._holding is not None and not is_holding:
            self._holding.cancel()
            self._holding = None
        elif self._holding is None and is_holding:
            loop = asyncio.get_running_loop()
            self._holding = loop.call_later(limit.total_seconds(), self._stop_holding)

    def _stop_holding(self) -> None:
        self._holding = None
        self.stream.stop_holding()
        self.changed.set()

    def leave(self) -> None:
        """It is not connected any more."""
        self.is_connected = False
        if self._holding is not None:
            self._holding.cancel()

    def status(self) -> ClientStatus:
        """What is known of it now."""
        return ClientStatus(
            node_id=self.node_id,
            gateway=self.gateway,
            protocol="delta" if isinstance(self.stream, DeltaStream) else "sotw",
            version=self.version,
            is_connected=self.is_connected,
            stream=self.stream.status(),
            is_proven=self.is_proven,
            start=self.start,
            server_id=self.server_id,
            offered=self.offered,
        )


class _Gateway:
    """What the Envoys of one gateway shall hold, and which are connected."""

    __slots__ = ("clients", "public", "snapshot")

    def __init__(self) -> None:
        self.clients: dict[Client, None] = {}  # in the order in which they came
        self.snapshot: Snapshot | None = None
        self.public: Snapshot | None = None  # the same without Secrets

    def publish(self, snapshot: Snapshot | None) -> None:
        self.snapshot, self.public = snapshot, None

    def offer(self, client: Client) -> None:
        """Tell that client of the snapshot, if there is one."""
        if self.snapshot is None:
            return
        snapshot = self.snapshot if client.secrets else self._without_secrets(client)
        client.offered = self.snapshot
        client.stream.offer(snapshot)
        client.wake()

    def _without_secrets(self, client: Client) -> Snapshot:
        """What a client is told that may not be told Secrets: of these, what its QUIC listeners do not serve without.

        The keys of session tickets are those of its gateway, if it has proven that it is one; else its own. Whoever has
        those of a gateway may pretend to be it to clients that come back.
        """
        assert self.snapshot is not None
        if self.public is None:
            self.public = self.snapshot.without(SECRET.url)
        keys = self.snapshot.of(SECRET.url).get(SESSION_TICKETS)
        if keys is None:
            return self.public
        if not client.is_proven:
            client.tickets = keys = client.tickets or _own_tickets()
        return self.public.replaced(SECRET.url, PersistentMap({SESSION_TICKETS: keys}))


def _own_tickets() -> Entry:
    made = pb.Secret(name=SESSION_TICKETS)
    made.session_ticket_keys.keys.add(inline_bytes=secrets.token_bytes(KEY_BYTES))
    return entry(made.SerializeToString(deterministic=True))


class Clients:
    """All open streams, by gateway."""

    def __init__(self) -> None:
        self.shared = Shared()
        self._gateways: dict[str, _Gateway] = {}
        self._streams: Counter[str] = Counter()  # by node id
        self._pushed: dict[str, Pushed] = {}
        self._forgetting: asyncio.TimerHandle | None = None

    def __iter__(self) -> Iterator[Client]:
        return (client for gateway in self._gateways.values() for client in gateway.clients)

    def streams_of(self, node_id: str) -> int:
        """How many streams that Envoy has open."""
        return self._streams[node_id]

    def add(self, client: Client) -> None:
        """It is connected."""
        self._gateways.setdefault(client.gateway, _Gateway()).clients[client] = None
        self._streams[client.node_id] += 1

    def remove(self, client: Client) -> None:
        """It is not connected any more."""
        client.leave()
        gateway = self._gateways[client.gateway]
        gateway.clients.pop(client, None)
        self._streams[client.node_id] -= 1
        if not self._streams[client.node_id]:
            del self._streams[client.node_id]
        self._forget_gateway(client.gateway)

    def offer(self, client: Client) -> None:
        """Tell a client that has just come what its gateway shall hold, if that is known."""
        self._gateways[client.gateway].offer(client)
        self.settle_later()

    def publish(self, name: str, snapshot: Snapshot) -> None:
        """From now on every Envoy of this gateway shall hold `snapshot`."""
        gateway = self._gateways.setdefault(name, _Gateway())
        if snapshot is gateway.snapshot:
            return
        gateway.publish(snapshot)
        for client in gateway.clients:
            gateway.offer(client)
        self.settle_later()

    def unpublish(self, name: str) -> None:
        """Nothing is known of this gateway any more: its Envoys keep what they have, and new ones are told nothing."""
        if gateway := self._gateways.get(name):
            gateway.publish(None)
            self._forget_gateway(name)

    def _forget_gateway(self, name: str) -> None:
        gateway = self._gateways[name]
        if gateway.snapshot is None and not gateway.clients:
            del self._gateways[name]

    def try_again(self, type_url: str, is_worth_it: Callable[[str], bool]) -> None:
        """Send once more, unchanged, what clients refused for such a reason."""
        for client in self:
            if client.stream.try_again(type_url, is_worth_it):
                client.changed.set()

    def status(self) -> tuple[ClientStatus, ...]:
        """All that are connected, by gateway and node id."""
        statuses = [client.status() for client in self if not client.silent]
        self.settle_later()
        return tuple(sorted(statuses, key=lambda status: (status.gateway, status.node_id)))

    def asked(self, type_url: str) -> frozenset[str]:
        """The names of that type that anybody asks for, on a stream of its own too."""
        statuses = (client.stream.status().of(type_url) for client in self)
        return frozenset(name for status in statuses if status is not None for name in status.subscribed)

    def count(self, response: Response) -> None:
        """A response goes out."""
        before = self._pushed.get(response.type_url, Pushed(0, 0, 0))
        self._pushed[response.type_url] = Pushed(
            before.responses + 1, before.resources + response.resources, before.bytes + response.size
        )

    @property
    def pushed(self) -> Mapping[str, Pushed]:
        """What was sent so far, by type URL."""
        return dict(self._pushed)

    def settle_later(self) -> None:
        """Let go, in a while, of what was worked out for clients that catch up."""
        if self._forgetting is None and not self.shared.is_empty:
            self._forgetting = asyncio.get_running_loop().call_later(_FORGET_SECONDS, self._settle)

    def _settle(self) -> None:
        self._forgetting = None
        self.shared.forget()

    def close(self) -> None:
        """Nobody is served any more."""
        if self._forgetting is not None:
            self._forgetting.cancel()
            self._forgetting = None
