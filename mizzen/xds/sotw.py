"""State-of-the-world xDS, for clients that ask for it (`api_type: GRPC`).

A response names listeners or clusters in full: what it leaves out is gone. Of the other types it may carry
only what changed. The version of a response is a hash over all that the client will then hold, so a client
that comes back with the version of an unchanged snapshot is sent nothing.
"""

import hashlib
from collections.abc import Mapping

from mizzen._api import pb
from mizzen.xds.resource_type import Absence, ResourceType, resource_type
from mizzen.xds.session import TypeSession, Update
from mizzen.xds.snapshot import Entry
from mizzen.xds.stream import Stream, error_text

_EVERYTHING = "*"


class SotwSession(TypeSession):
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


class SotwStream(Stream[SotwSession]):
    """One client on one state-of-the-world ADS stream."""

    def receive(self, request: pb.DiscoveryRequest) -> None:
        """Take in one request."""
        url = request.type_url
        if url not in self._sessions:
            self._sessions[url] = SotwSession(resource_type(url))
        self._sessions[url].receive(request)

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


def _set_version(versions: Mapping[str, str]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for name, version in sorted(versions.items()):
        digest.update(f"{len(name)}:{name}={version};".encode())
    return digest.hexdigest()
