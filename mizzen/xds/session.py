"""What one client holds of one resource type, and the next thing to tell it. Both protocols share it.

The theory: `acked` is what the client has confirmed, `unanswered` what was sent after that and is not judged
yet; both together are what it will have if all goes well, and the difference to the snapshot is the next
update. Updates may overtake the judgement on earlier ones: Envoy confirms clusters only when they are warm.

A refused update counts as not delivered. Envoy takes the good listeners and clusters of a refused response,
but none at all if one of them breaks a validation rule. So each resource of it is sent again, alone.
What is refused alone is the culprit: that version is not sent again, and the client keeps the one before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mizzen.xds.resource_type import Absence, ResourceType
from mizzen.xds.snapshot import NOTHING, Entry, entry
from mizzen.xds.status import Rejection, SyncState, TypeStatus

_REMOVAL = ""  # stands for the version of a resource that shall not be


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


class TypeSession:
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
        # The last differences, with the resources they were taken against; by `removals`.
        self._known: dict[bool, tuple[Mapping[str, Entry], Update]] = {}

    def resume(self, versions: Mapping[str, str]) -> None:
        """The client comes back and tells what it still holds."""
        self.acked.update(versions)
        self._known.clear()

    def subscribe(self, names: set[str]) -> None:
        """The client asks for these, for the first time on this stream."""
        self.names |= names
        self._owed |= names
        self._known.clear()

    def unsubscribe(self, names: set[str]) -> None:
        """The client lets go of these. Under a wildcard it still learns whether they exist."""
        self.forget(names)
        self.names -= names
        self._owed = self._owed | names if self.wildcard else self._owed - names

    def forget(self, names: set[str]) -> None:
        """The client may no longer have these: they are sent again to who still wants them."""
        for name in names:
            self.acked.pop(name, None)
            self.rejected.pop(name, None)
        for nonce, sent in self.unanswered.items():
            kept = sent.update.only(sent.update.names - names)
            self.unanswered[nonce] = Sent(update=kept, is_single=sent.is_single)
        self._suspects -= names
        self._known.clear()

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
            self._known.clear()
        if not self.unanswered and not self.rejected and not self._suspects:
            self.last_error = ""

    def _refuse(self, sent: Sent, error: str) -> None:
        self.last_error = error
        self._known.clear()
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
        self._known.clear()
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
        self._owed -= names
        self._suspects -= names
        self._known.clear()

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
        known = self._known.get(removals)
        if known is None or known[0] is not available:
            known = (available, self._difference(available, removals))
            self._known[removals] = known
        return known[1]

    def _difference(self, available: Mapping[str, Entry], removals: bool) -> Update:
        expected = self.expected()
        has = {name: version for name, version in expected.items() if name not in self._suspects}
        may_have = expected.keys() | self._suspects
        changed: dict[str, Entry] = {}
        for name in sorted(available.keys() | self.names if self.wildcard else self.names):
            wanted = available.get(name) or self._placeholder(name, name in may_have, removals)
            if wanted and wanted.version not in (has.get(name), self._refused(name)):
                changed[name] = wanted
        gone: set[str] = set()
        if self.kind.empty is None:
            gone |= self._owed - may_have - available.keys()
        if removals and self.kind.absence is Absence.REMOVE:
            gone |= may_have - available.keys()
        return Update(changed=changed, removed=frozenset(n for n in gone if self._refused(n) != _REMOVAL))

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
            rejections=MappingProxyType(rejections),
            last_error=self.last_error,
        )
