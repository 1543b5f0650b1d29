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

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.xds.refusal import reason
from mizzen.xds.resource_type import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    SEND_ORDER,
    USERS_OF_CLUSTERS,
    ResourceType,
    resource_type,
)
from mizzen.xds.session import Response, TypeSession
from mizzen.xds.shared import Shared
from mizzen.xds.snapshot import NOTHING, Entry, Snapshot
from mizzen.xds.status import StreamStatus
from mizzen.xds.update import Update

SessionT = TypeVar("SessionT", bound=TypeSession)
RequestT = TypeVar("RequestT", pb.DeltaDiscoveryRequest, pb.DiscoveryRequest)


def error_text(request: pb.DeltaDiscoveryRequest | pb.DiscoveryRequest) -> str:
    """Why the client refuses the response that the request answers; "" if it confirms it."""
    if not request.HasField("error_detail"):
        return ""
    return reason(request.error_detail.message) or f"refused with code {request.error_detail.code}"


def _turn(session: TypeSession) -> int:
    return SEND_ORDER.index(session.kind) if session.kind in SEND_ORDER else len(SEND_ORDER)


class Stream(Generic[SessionT, RequestT]):
    """The order of things on one stream, whatever the protocol. `nonces` names the responses, in short.

    `shared`: what is worked out once for all streams that are given the same one.
    """

    def __init__(self, nonces: Iterator[int], shared: Shared | None = None) -> None:
        self._nonces = nonces
        self._shared = shared or Shared()
        self._snapshot: Snapshot | None = None
        self._sessions: dict[str, SessionT] = {}
        self._ordered: tuple[SessionT, ...] = ()  # as they are sent
        self._patient = True
        self._warming: tuple[frozenset[str], ...] = ()  # names of endpoints that changed clusters wait for

    @abstractmethod
    def _session(self, kind: ResourceType, available: PersistentMap[str, Entry]) -> SessionT:
        """The beginning of a conversation about one type."""

    @abstractmethod
    def _body(self, session: SessionT, update: Update) -> bytes:
        """A response, serialised but for its nonce, after it was recorded as sent."""

    def offer(self, snapshot: Snapshot) -> None:
        """From now on the client shall hold this. Before the first offer it is told nothing."""
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self._patient = True
            for session in self._ordered:
                session.offer(snapshot.of(session.kind.url))

    def receive(self, request: RequestT) -> None:
        """Take in one request."""
        url = request.type_url
        session = self._sessions.get(url)
        if session is None:
            kind = resource_type(url)
            session = self._sessions[url] = self._session(kind, self._available(kind))
            self._ordered = tuple(sorted(self._sessions.values(), key=_turn))
        refused = session.state.rejected
        session.receive(request)
        if session.kind.keeps_refused and any(name not in session.state.rejected for name in refused):
            # Listeners may have been refused for what their client kept, and not for what is in them.
            self.try_again(LISTENER.url, lambda _: True)

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
            session.state.differs_at_last for session in self._ordered if session.uses_clusters
        )

    def status(self) -> StreamStatus:
        """What the client holds, waits for, and refused."""
        return StreamStatus(types=tuple(session.status() for session in self._ordered))

    @property
    def has_nothing(self) -> bool:
        """Is there certainly nothing to send? (What there is may still have to wait.)"""
        if self._snapshot is None:
            return True
        return not self._warming and all(session.has_nothing for session in self._ordered)

    def next_response(self) -> Response | None:
        """What is to be sent now, recorded as sent; None if the client is up to date or has to answer first."""
        if self._snapshot is None:
            return None
        self._repeat_endpoints()
        for session in self._ordered:
            kind = session.kind
            if session.has_nothing or (session.uses_clusters and self._must_wait_for_clusters()):
                continue
            update = session.next(removals=self._may_remove(kind))
            if update is not None:
                nonce = str(next(self._nonces))
                if kind is CLUSTER:
                    self._warming = (*self._warming, update.endpoints)
                session.record(nonce, update)
                body = self._body(session, update)
                return Response(type_url=kind.url, nonce=nonce, resources=len(update.names), shared=body)
        return None

    def _repeat_endpoints(self) -> None:
        if self._warming and (endpoints := self._sessions.get(ENDPOINTS.url)):
            for names in self._warming:
                endpoints.repeat(names)
            self._warming = ()

    def _available(self, kind: ResourceType) -> PersistentMap[str, Entry]:
        return self._snapshot.of(kind.url) if self._snapshot else NOTHING

    def _must_wait_for_clusters(self) -> bool:
        clusters = self._sessions.get(CLUSTER.url)
        return self._patient and clusters is not None and clusters.state.is_waiting

    def _may_remove(self, kind: ResourceType) -> bool:
        """Clusters go when nothing uses them any more, endpoints when their clusters had time to go."""
        if kind is CLUSTER:
            return all(self._is_settled(user) for user in USERS_OF_CLUSTERS)
        if kind is ENDPOINTS:
            return self._is_settled(CLUSTER) and all(self._is_settled(user) for user in USERS_OF_CLUSTERS)
        return True

    def _is_settled(self, kind: ResourceType) -> bool:
        """A type that the client has not asked for yet, and has resources, is not settled: it comes back
        after a cut, and what it still uses is not known."""
        session = self._sessions.get(kind.url)
        return session.state.is_settled if session else not self._available(kind)
