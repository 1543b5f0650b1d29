"""State-of-the-world xDS, for clients that ask for it (`api_type: GRPC`).

A response names listeners or clusters in full: what it leaves out is gone. Of the other types it may carry
only what changed. The version of a response is a hash over all that the client will then hold, so a client
that comes back with the version of an unchanged snapshot is sent nothing.
"""

import hashlib
from collections.abc import Mapping

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.xds.resource_type import Absence, ResourceType
from mizzen.xds.session import TypeSession
from mizzen.xds.shared import Shared
from mizzen.xds.snapshot import Entry
from mizzen.xds.state import State
from mizzen.xds.stream import Stream, error_text
from mizzen.xds.update import Update

_EVERYTHING = "*"


class SotwSession(TypeSession):
    """One type on one state-of-the-world stream."""

    def __init__(self, kind: ResourceType, available: PersistentMap[str, Entry], shared: Shared) -> None:
        names_all = kind.absence is Absence.REMOVE
        # A name that nobody knows is left out of what does not name all; there is no word for "there is none".
        state = State(kind=kind, available=available, names_all=names_all, tells_removals=names_all)
        super().__init__(shared.start(state), shared)
        self._started = False
        self._claimed = ""  # the version that a client coming back says it has

    def receive(self, request: pb.DiscoveryRequest) -> None:
        """Take in a request: the names are all that the client wants from now on."""
        names = frozenset(request.resource_names) - {_EVERYTHING}
        is_judgement = self.judge(request.response_nonce, error_text(request))
        wildcard = self.state.wildcard
        is_same = len(names) == len(self.state.names) and all(name in self.state.names for name in names)
        if not self._started:
            self._started = True
            self._claimed = request.version_info
            wildcard = self.kind.wildcard and not names
        elif not (is_judgement or self.state.unanswered) and is_same:
            self.forget(names)  # it asks for what it was sent before: it may have forgotten
        self.ask_for_everything(wildcard or _EVERYTHING in request.resource_names)
        if not is_same:
            held = frozenset(self.state.names)
            self.unsubscribe(held - names)
            self.subscribe(names - held)

    @property
    def has_nothing(self) -> bool:
        """See `TypeSession.has_nothing`."""
        return not self._claimed and super().has_nothing

    def next(self, *, removals: bool = True) -> Update | None:
        """See `TypeSession.next`."""
        self._recognise()
        return super().next(removals=removals)

    def _recognise(self) -> None:
        """If the version that the client claims is that of this snapshot, it holds all of it."""
        claimed, self._claimed = self._claimed, ""
        if not claimed:
            return
        state, update = self.state, self.state.update(removals=True)
        if claimed == _set_version({name: held.version for name, held in update.changed.items()}):
            self._step("recognise", lambda: state.recognised(update))


class SotwStream(Stream[SotwSession, pb.DiscoveryRequest]):
    """One client on one state-of-the-world ADS stream."""

    def _session(self, kind: ResourceType, available: PersistentMap[str, Entry]) -> SotwSession:
        return SotwSession(kind, available, self._shared)

    def _body(self, session: SotwSession, update: Update) -> bytes:
        state = session.state  # the update is under way in it: who shares the update need not share the state
        return self._shared.response(state, lambda: _serialised(state, update))


def _serialised(state: State, update: Update) -> bytes:
    url = state.kind.url
    out = pb.DiscoveryResponse(type_url=url, version_info=_set_version(state.expected()))
    for held in state.content(update).values():
        out.resources.add(type_url=url, value=held.body)
    return out.SerializeToString()


def _set_version(versions: Mapping[str, str]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for name, version in sorted(versions.items()):
        digest.update(f"{len(name)}:{name}={version};".encode())
    return digest.hexdigest()
