"""One client on one aggregated stream: which type may be told what, and when.

Make before break. Clusters and endpoints go first; listeners and routes wait until the client has confirmed
the clusters (Envoy does so when they are warm, so a route never points at a cluster that cannot serve yet).
Clusters and endpoints are taken away last, when the client has confirmed the listeners and routes that no
longer use them. While it refuses a listener or a route it still serves the one before: then nothing is taken
away.

A cluster that changed warms anew and waits for its endpoints, but Envoy does not ask for them again: they are
sent again after it.

Waiting for clusters has a limit, since a name that does not resolve keeps its cluster cold for long: who has
the clock calls `stop_holding` when `is_holding` has been true for too long.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from mizzen._api import pb
from mizzen.xds.refusal import reason
from mizzen.xds.resource_type import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SCOPED_ROUTES,
    SEND_ORDER,
    ResourceType,
)
from mizzen.xds.session import TypeSession, Update
from mizzen.xds.snapshot import NOTHING, Entry, Snapshot
from mizzen.xds.status import StreamStatus

SessionT = TypeVar("SessionT", bound=TypeSession)

_USERS_OF_CLUSTERS = (LISTENER, SCOPED_ROUTES, ROUTES)


def error_text(request: pb.DeltaDiscoveryRequest | pb.DiscoveryRequest) -> str:
    """Why the client refuses the response that the request answers; "" if it confirms it."""
    if not request.HasField("error_detail"):
        return ""
    return reason(request.error_detail.message) or f"refused with code {request.error_detail.code}"


def endpoints_name(cluster: Entry) -> str:
    """The name under which this cluster asks for its endpoints."""
    message = pb.Cluster.FromString(cluster.body)
    return message.eds_cluster_config.service_name or message.name


class Stream(Generic[SessionT]):
    """The order of things on one stream, whatever the protocol. `nonces` names the responses."""

    def __init__(self, nonces: Iterator[int]) -> None:
        self._nonces = nonces
        self._snapshot: Snapshot | None = None
        self._sessions: dict[str, SessionT] = {}
        self._patient = True
        self._warming: set[str] = set()  # names of endpoints that changed clusters wait for

    def offer(self, snapshot: Snapshot) -> None:
        """From now on the client shall hold this. Before the first offer it is told nothing."""
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self._patient = True

    def try_again(self, type_url: str, is_worth_it: Callable[[str], bool]) -> bool:
        """Send once more what was refused for a reason that may be gone by itself. True if there was any."""
        session = self._sessions.get(type_url)
        return session is not None and session.try_again(is_worth_it)

    def stop_holding(self) -> None:
        """Send listeners and routes although clusters are not confirmed; until the next offer."""
        self._patient = False

    @property
    def is_holding(self) -> bool:
        """Do listeners or routes wait for clusters?"""
        return self._must_wait_for_clusters() and any(
            session.difference(self._available(session.kind))
            for session in self._sessions.values()
            if session.kind in _USERS_OF_CLUSTERS
        )

    def status(self) -> StreamStatus:
        """What the client holds, waits for, and refused."""
        return StreamStatus(
            types=tuple(session.status(self._available(session.kind)) for session in self._ordered())
        )

    def _next(self) -> tuple[SessionT, Update, str] | None:
        """The next response: recorded as sent, still to be written."""
        if self._snapshot is None:
            return None
        self._repeat_endpoints()
        for session in self._ordered():
            if session.kind in _USERS_OF_CLUSTERS and self._must_wait_for_clusters():
                continue
            update = session.next(self._available(session.kind), removals=self._may_remove(session.kind))
            if update is not None:
                nonce = str(next(self._nonces))
                if session.kind is CLUSTER:
                    self._warming |= {endpoints_name(held) for held in update.changed.values()}
                session.record(nonce, update)
                return session, update, nonce
        return None

    def _repeat_endpoints(self) -> None:
        if endpoints := self._sessions.get(ENDPOINTS.url):
            endpoints.forget(self._warming & endpoints.names)
            self._warming.clear()

    def _available(self, kind: ResourceType) -> Mapping[str, Entry]:
        return self._snapshot.of(kind.url) if self._snapshot else NOTHING

    def _ordered(self) -> list[SessionT]:
        known = [self._sessions[kind.url] for kind in SEND_ORDER if kind.url in self._sessions]
        return known + [session for session in self._sessions.values() if session.kind not in SEND_ORDER]

    def _must_wait_for_clusters(self) -> bool:
        clusters = self._sessions.get(CLUSTER.url)
        return self._patient and clusters is not None and clusters.is_waiting(self._available(CLUSTER))

    def _may_remove(self, kind: ResourceType) -> bool:
        """Clusters go when nothing uses them any more, endpoints when their clusters had time to go."""
        if kind is CLUSTER:
            return all(self._is_settled(user) for user in _USERS_OF_CLUSTERS)
        if kind is ENDPOINTS:
            return self._is_settled(CLUSTER) and all(self._is_settled(user) for user in _USERS_OF_CLUSTERS)
        return True

    def _is_settled(self, kind: ResourceType) -> bool:
        """A type that the client has not asked for yet, and has resources, is not settled: it comes back
        after a cut, and what it still uses is not known."""
        session = self._sessions.get(kind.url)
        available = self._available(kind)
        return session.is_settled(available) if session else not available
