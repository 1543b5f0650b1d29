"""The sessions in their plainest form: each looks at all it knows, each time. What the real ones are measured against.

Slow, and easy to see through. Only what is sent and told is compared.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mizzen._api import pb
from mizzen.xds.collection import collection_of
from mizzen.xds.resource_type import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SCOPED_ROUTES,
    SEND_ORDER,
    Absence,
    ResourceType,
    resource_type,
)
from mizzen.xds.snapshot import NOTHING, Entry, Snapshot, entry
from mizzen.xds.status import Rejection, StreamStatus, SyncState, TypeStatus
from mizzen.xds.stream import error_text
from mizzen.xds.update import endpoints_name

_REMOVAL = ""  # stands for the version of a resource that shall not be
_EVERYTHING = "*"
_USERS_OF_CLUSTERS = (LISTENER, SCOPED_ROUTES, ROUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one response changes at the client."""

    changed: Mapping[str, Entry] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()

    @property
    def names(self) -> set[str]:
        return set(self.changed) | self.removed

    def only(self, names: set[str]) -> "Update":
        """The part of it that concerns these resources."""
        return Update(
            changed={name: held for name, held in self.changed.items() if name in names},
            removed=self.removed & names,
        )

    def version(self, name: str) -> str:
        """The version it gives that resource; "" if it removes it."""
        return self.changed[name].version if name in self.changed else _REMOVAL

    def __bool__(self) -> bool:
        return bool(self.changed or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A response under way."""

    update: Update
    is_single: bool  # it changed one resource: if it is refused, that one is to blame


class PlainSession:
    """One resource type on one stream. No socket, no clock, no lock."""

    def __init__(self, kind: ResourceType) -> None:
        self.kind = kind
        self.wildcard = False
        self.names: set[str] = set()
        self.acked: dict[str, str] = {}
        self.unanswered: dict[str, Sent] = {}  # by nonce, oldest first
        self.rejected: dict[str, Rejection] = {}
        self.sent = 0
        self.last_error = ""
        self._owed: set[str] = set()  # names owed an answer, even "there is no such thing"
        # Names of a refused response: what the client has of them is not known, each is sent alone.
        self._suspects: set[str] = set()
        self.available: Mapping[str, Entry] = {}  # when the client last asked for something

    def resume(self, versions: Mapping[str, str]) -> None:
        """The client comes back and tells what it still holds."""
        self.acked.update(versions)

    def subscribe(self, names: set[str]) -> None:
        """The client asks for these, for the first time on this stream."""
        self.names |= names
        # Who comes back with members of a collection has had its answer.
        known = {collection_of(name) for name in self._known() & self.available.keys()} - {""}
        self._owed |= names - known

    def unsubscribe(self, names: set[str]) -> None:
        """The client lets go of these. Under a wildcard it still learns whether they exist."""
        self.forget(names)
        self.names -= names
        self._owed = self._owed | names if self.wildcard else self._owed - names

    def _known(self) -> set[str]:
        sent = {name for sent in self.unanswered.values() for name in sent.update.names}
        return sent | self.acked.keys() | self.rejected.keys() | self._suspects

    def forget(self, names: set[str]) -> None:
        """The client may no longer have these: they are sent again to who still wants them."""
        names = names | {name for name in self._known() if collection_of(name) in names & self.names}
        for name in names:
            self.acked.pop(name, None)
            self.rejected.pop(name, None)
        for nonce, sent in self.unanswered.items():
            kept = sent.update.only(sent.update.names - names)
            self.unanswered[nonce] = Sent(update=kept, is_single=sent.is_single)
        self._suspects -= names

    def judge(self, nonce: str, error: str) -> bool:
        """The client confirmed (no error) or refused a response. False if that nonce awaits no judgement."""
        sent = self.unanswered.pop(nonce, None)
        if sent is None:
            return False
        if error:
            self._refuse(sent, error)
        else:
            self._confirm(sent.update)
        return True

    def _confirm(self, update: Update) -> None:
        for name in update.removed:
            self.acked.pop(name, None)
        self.acked |= {name: held.version for name, held in update.changed.items()}
        for name in update.names & self.rejected.keys():
            del self.rejected[name]
        if not self.unanswered and not self.rejected and not self._suspects:
            self.last_error = ""

    def _refuse(self, sent: Sent, error: str) -> None:
        self.last_error = error
        if sent.is_single:
            for name in sent.update.names:
                self.rejected[name] = Rejection(version=sent.update.version(name), reason=error)
        else:
            overtaken = {name for later in self.unanswered.values() for name in later.update.names}
            self._suspects |= sent.update.names - overtaken

    def try_again(self, is_worth_it: Callable[[str], bool]) -> bool:
        """Forget the refusals with such a reason: what was refused is sent once more. True if there was any."""
        names = [name for name, rejection in self.rejected.items() if is_worth_it(rejection.reason)]
        for name in names:
            del self.rejected[name]
        return bool(names)

    def next(self, available: Mapping[str, Entry], *, removals: bool = True) -> Update | None:
        """The update that brings the client up to date; None if it is, or if a judgement is awaited.

        Without `removals`, all but what takes something away: that waits until nothing uses it.
        """
        if not self.wildcard and not self.names and not self._owed:
            return None
        update = self.difference(available, removals=removals)
        if suspects := self._suspects & update.names:
            return None if self.unanswered else update.only({min(suspects)})
        if update or self._owes_an_empty_answer():
            return update
        return None

    def _owes_an_empty_answer(self) -> bool:
        """A client that asks for everything waits for an answer, even if there is nothing."""
        return self.wildcard and not self.sent and not self.acked

    def record(self, nonce: str, update: Update) -> None:
        """The update has been sent under that nonce."""
        names = update.names
        self.unanswered[nonce] = Sent(update=update, is_single=len(names) == 1)
        self.sent += 1
        self._owed -= names | set(map(collection_of, names))
        self._suspects -= names

    def expected(self) -> dict[str, str]:
        """Name -> version that the client will have if it confirms all that is under way."""
        versions = dict(self.acked)
        for sent in self.unanswered.values():
            for name in sent.update.removed:
                versions.pop(name, None)
            versions |= {name: held.version for name, held in sent.update.changed.items()}
        return versions

    def difference(self, available: Mapping[str, Entry], *, removals: bool = True) -> Update:
        """All in which the client differs from the snapshot, but for what it refused alone."""
        return self._difference(available, removals)

    def _difference(self, available: Mapping[str, Entry], removals: bool) -> Update:
        expected = self.expected()
        sent = {name for sent in self.unanswered.values() for name in sent.update.names}
        doubtful = self._suspects | (self.rejected.keys() - sent if self.kind.keeps_refused else set())
        has = {name: version for name, version in expected.items() if name not in doubtful}
        may_have = expected.keys() | self._suspects
        changed: dict[str, Entry] = {}
        for name in sorted(self.names | {name for name in available if self._asks_by_star(name)}):
            wanted = available.get(name) or self._placeholder(name, name in may_have, removals)
            if wanted and wanted.version not in (has.get(name), self._refused(name)):
                changed[name] = wanted
        gone: set[str] = set()
        members = set(map(collection_of, available))
        if self.kind.empty is None:
            gone |= self._owed - may_have - available.keys() - members
        if removals and self.kind.absence is Absence.REMOVE:
            # A collection that is gone as a whole stays until the client lets go of it.
            lingering = set() if self.wildcard else self.names - members
            gone |= {name for name in may_have - available.keys() if collection_of(name) not in lingering}
        return Update(changed=changed, removed=frozenset(n for n in gone if self._refused(n) != _REMOVAL))

    def _asks_by_star(self, name: str) -> bool:
        return self.wildcard or collection_of(name) in self.names

    def _placeholder(self, name: str, is_held: bool, removals: bool) -> Entry | None:
        """What stands for a name that nobody knows; None if nothing does, or if the last good one stays."""
        if self.kind.empty is None or (is_held and not (removals and self.kind.absence is Absence.EMPTY)):
            return None
        return entry(self.kind.empty(name))

    def _refused(self, name: str) -> str | None:
        """The version of it that was refused alone; None if there is none."""
        rejection = self.rejected.get(name)
        return rejection.version if rejection else None

    def rejections(self, available: Mapping[str, Entry]) -> dict[str, Rejection]:
        """What the client refused and still shall hold. A refusal of what nobody wants is none."""
        return {
            name: rejection
            for name, rejection in self.rejected.items()
            if available.get(name, Entry(_REMOVAL, b"")).version == rejection.version
        }

    def is_waiting(self, available: Mapping[str, Entry]) -> bool:
        """Has the client still to be told, or to confirm, something that was added or changed?"""
        return bool(self.unanswered or self.difference(available, removals=False))

    def is_settled(self, available: Mapping[str, Entry]) -> bool:
        """Has the client confirmed exactly what it shall hold, refusals and all?"""
        return not (self.unanswered or self.difference(available) or self.rejections(available))

    def _waiting(self, available: Mapping[str, Entry]) -> tuple[str, ...]:
        rejections = self.rejections(available)
        names = sorted(
            name
            for name, wanted in available.items()
            if (name in self.names or self._asks_by_star(name))
            and self.acked.get(name) != wanted.version
            and not (name in rejections and rejections[name].version == wanted.version)
        )
        return tuple(names[:3])

    def status(self, available: Mapping[str, Entry] = NOTHING) -> TypeStatus:
        """Where this type stands, given what the client shall hold."""
        rejections = self.rejections(available)
        if rejections:
            state = SyncState.ERROR
        elif self.is_settled(available):
            state = SyncState.SYNCED if self.sent or self.acked else SyncState.NOT_SENT
        else:
            state = SyncState.STALE
        return TypeStatus(
            type_url=self.kind.url,
            short=self.kind.short,
            state=state,
            sent=self.sent,
            unanswered=tuple(self.unanswered),
            subscribed=frozenset(self.names),
            wildcard=self.wildcard,
            acked=MappingProxyType(dict(self.acked)),
            waiting=self._waiting(available),
            rejections=MappingProxyType(rejections),
            last_error=self.last_error,
        )


class PlainDelta(PlainSession):
    """One type on one delta stream."""

    def __init__(self, kind: ResourceType) -> None:
        super().__init__(kind)
        self._started = False

    def receive(self, request: pb.DeltaDiscoveryRequest) -> None:
        """Take in a request: a judgement on a response, a change of what is asked for, or both."""
        wanted = set(request.resource_names_subscribe)
        left = set(request.resource_names_unsubscribe)
        if request.response_nonce:
            self.judge(request.response_nonce, error_text(request))
        if not self._started:
            self._started = True
            # No names in the first request is the old way of asking for everything.
            self.wildcard = self.kind.wildcard and not wanted
            self.resume(request.initial_resource_versions)
        else:  # who subscribes again may have forgotten what it had
            self.forget(wanted - {_EVERYTHING})
        self.wildcard = (self.wildcard or _EVERYTHING in wanted) and _EVERYTHING not in left
        if wanted:
            self.subscribe(wanted - {_EVERYTHING})
        if left:
            self.unsubscribe(left - {_EVERYTHING})


class PlainSotw(PlainSession):
    """One type on one state-of-the-world stream."""

    def __init__(self, kind: ResourceType) -> None:
        super().__init__(kind)
        self._started = False
        self._claimed = ""  # the version that a client coming back says it has
        self._good: dict[str, Entry] = {}  # what was confirmed, with its bytes: it has to be repeated

    def receive(self, request: pb.DiscoveryRequest) -> None:
        """Take in a request: the names are all that the client wants from now on."""
        names = set(request.resource_names) - {_EVERYTHING}
        is_judgement = self.judge(request.response_nonce, error_text(request))
        if not self._started:
            self._started = True
            self._claimed = request.version_info
            self.wildcard = self.kind.wildcard and not names
        elif not (is_judgement or self.unanswered) and names == self.names:
            self.forget(names)  # it asks for what it was sent before: it may have forgotten
        self.wildcard = self.wildcard or _EVERYTHING in request.resource_names
        if left := self.names - names:
            self.unsubscribe(left)
        if added := names - self.names:
            self.subscribe(added)

    def _confirm(self, update: Update) -> None:
        super()._confirm(update)
        self._good = {n: held for n, held in self._good.items() if n in self.acked} | dict(update.changed)

    def next(self, available: Mapping[str, Entry], *, removals: bool = True) -> Update | None:
        self._recognise(available)
        if self._is_whole and self.unanswered:
            return None  # it would repeat what is not judged yet, and share its blame
        return super().next(available, removals=removals)

    def _recognise(self, available: Mapping[str, Entry]) -> None:
        """If the version that the client claims is that of this snapshot, it holds all of it."""
        claimed, self._claimed = self._claimed, ""
        if not claimed:
            return
        update = self.difference(available)
        if claimed == _set_version({name: held.version for name, held in update.changed.items()}):
            self._good |= update.changed
            self._owed -= update.names
            self.resume({name: held.version for name, held in update.changed.items()})

    def _difference(self, available: Mapping[str, Entry], removals: bool) -> Update:
        update = super()._difference(available, removals)
        # A name that nobody knows is left out; there is no word for "there is none".
        return update if self._is_whole else Update(changed=update.changed)

    def content(self, update: Update) -> Mapping[str, Entry]:
        """What the response for this update, just recorded, carries."""
        if not self._is_whole:
            return update.changed
        held = self._good | dict(update.changed)
        return {name: kept for name, kept in held.items() if name not in update.removed}

    @property
    def _is_whole(self) -> bool:
        """Does a response name all there is, so that what it leaves out is gone?"""
        return self.kind.absence is Absence.REMOVE

    def set_version(self) -> str:
        """The version of all that the client will hold."""
        return _set_version(self.expected())


def _set_version(versions: Mapping[str, str]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for name, version in sorted(versions.items()):
        digest.update(f"{len(name)}:{name}={version};".encode())
    return digest.hexdigest()


class PlainStream:
    """The order of things on one stream, whatever the protocol. `nonces` names the responses."""

    def __init__(self, nonces: Iterator[int]) -> None:
        self._nonces = nonces
        self._snapshot: Snapshot | None = None
        self._sessions: dict[str, Any] = {}
        self._patient = True
        self._warming: set[str] = set()  # names of endpoints that changed clusters wait for

    def offer(self, snapshot: Snapshot) -> None:
        """From now on the client shall hold this. Before the first offer it is told nothing."""
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self._patient = True

    def _receive(self, session: Any, request: Any) -> None:
        refused = set(session.rejected)
        session.receive(request)
        if session.kind.keeps_refused and refused - session.rejected.keys():
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
            session.difference(self._available(session.kind))
            for session in self._sessions.values()
            if session.kind in _USERS_OF_CLUSTERS
        )

    def status(self) -> StreamStatus:
        """What the client holds, waits for, and refused."""
        return StreamStatus(
            types=tuple(session.status(self._available(session.kind)) for session in self._ordered())
        )

    def _next(self) -> tuple[Any, Update, str] | None:
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

    def _ordered(self) -> list[Any]:
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


class PlainDeltaStream(PlainStream):
    """One client on one delta ADS stream: `offer` and `receive` put in, `next_response` takes out."""

    def receive(self, request: pb.DeltaDiscoveryRequest) -> None:
        """Take in one request."""
        url = request.type_url
        if url not in self._sessions:
            self._sessions[url] = PlainDelta(resource_type(url))
        self._sessions[url].available = self._available(self._sessions[url].kind)
        self._receive(self._sessions[url], request)

    def next_response(self) -> pb.DeltaDiscoveryResponse | None:
        """What is to be sent now; None if the client is up to date or has to answer first."""
        sending = self._next()
        return _response(*sending) if sending else None


def _response(session: PlainDelta, update: Update, nonce: str) -> pb.DeltaDiscoveryResponse:
    out = pb.DeltaDiscoveryResponse(type_url=session.kind.url, nonce=nonce)
    for name, held in update.changed.items():
        resource = out.resources.add(name=name, version=held.version)
        resource.resource.type_url = session.kind.url
        resource.resource.value = held.body
    out.removed_resources.extend(sorted(update.removed))
    return out


class PlainSotwStream(PlainStream):
    """One client on one state-of-the-world ADS stream."""

    def receive(self, request: pb.DiscoveryRequest) -> None:
        """Take in one request."""
        url = request.type_url
        if url not in self._sessions:
            self._sessions[url] = PlainSotw(resource_type(url))
        self._sessions[url].available = self._available(self._sessions[url].kind)
        self._receive(self._sessions[url], request)

    def next_response(self) -> pb.DiscoveryResponse | None:
        """What is to be sent now; None if the client is up to date or has to answer first."""
        sending = self._next()
        if sending is None:
            return None
        session, update, nonce = sending
        out = pb.DiscoveryResponse(type_url=session.kind.url, nonce=nonce, version_info=session.set_version())
        for held in session.content(update).values():
            out.resources.add(type_url=session.kind.url, value=held.body)
        return out
