"""What one client holds of one resource type, as a value: each event makes the next one, and costs what it touches.

The theory: `acked` is what the client has confirmed, `unanswered` what was sent after that and is not judged
yet; both together are what it will have if all goes well, and the difference to what it shall hold (`available`) is
the next update. Updates may overtake the judgement on earlier ones: Envoy confirms clusters only when they are warm.

A refused update counts as not delivered. Envoy takes the good listeners and clusters of a refused response,
but none at all if one of them breaks a validation rule. So each resource of it is sent again, alone.
What is refused alone is the culprit: that version is not sent again, and the client keeps the one before.

What differs is kept name by name (`differs`, `differs_at_last`, ...): an event looks anew at the names that it is about,
and at no others. Nothing here is ever changed, so that clients at the same point of the same conversation can have
one state between them (`mizzen.xds.shared`).
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, cast

from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap
from mizzen.xds.collection import Collections, collection_of, is_collection
from mizzen.xds.facts import (
    NO_DIFFERENCES,
    NO_NAMES,
    NO_REJECTIONS,
    Differences,
    Facts,
    Names,
    kept,
    less,
    marked,
    unordered_hash,
)
from mizzen.xds.snapshot import NOTHING, Entry
from mizzen.xds.status import SHOWN, Rejection, SyncState, TypeStatus, Versions
from mizzen.xds.update import REMOVAL, Sent, Update


@dataclass(frozen=True, eq=False, kw_only=True)
class State(Facts):
    """One resource type at one client. Two states are the same only if they are one object."""

    # What happens.

    def offered(self, available: PersistentMap[str, Entry]) -> "State":
        """From now on the client shall hold this."""
        step = available.difference(self.available)
        collections = self.collections.following(step) if self.collections else None
        touched = step.changed.keys() | step.removed
        if collections is not None:
            wholes = set(filter(None, map(collection_of, touched)))
            # What is left of a collection that comes back is to be told of.
            back = {one for one in wholes if collections.members(one) and not self.members(one)}
            touched |= wholes.union(self.with_members(back) if back else ())
        elif not self.wildcard:
            touched = {name for name in touched if name in self.names or self.knows(name)}
        return self._next(touched, available=available, collections=collections)

    def resumed(self, versions: Mapping[str, str]) -> "State":
        """The client comes back and tells what it still holds."""
        held = {name: self._held(name, version) for name, version in versions.items()}
        return self._next(held, acked=self.acked.updated(held))

    def _held(self, name: str, version: str) -> Entry:
        known = self.available.get(name)
        return known if known is not None and known.version == version else Entry(version, b"")

    def recognised(self, update: Update) -> "State":
        """The client has what this update says."""
        acked = self.acked.updated(update.changed)
        return self._next(update.names, acked=acked, owed=less(self.owed, update.names, NO_NAMES))

    def with_wildcard(self, wildcard: bool) -> "State":
        """The client asks for everything there is, or does so no more."""
        if wildcard == self.wildcard:
            return self
        return self._next({*self.available, *self.acked, *self.names}, wildcard=wildcard)

    def subscribed(self, names: Collection[str]) -> "State":
        """The client asks for these, for the first time on this stream."""
        state, added = self._with_collections(names), dict.fromkeys(names)
        # Who comes back with members of a collection has had its answer.
        owed = {name: None for name in names if not any(map(state.knows, state.members(name)))}
        return state._next(
            state.with_members(names),
            names=state.names.updated(added),
            names_hash=state.names_hash ^ unordered_hash(name for name in added if name not in state.names),
            owed=state.owed.updated(owed),
        )

    def unsubscribed(self, names: Collection[str]) -> "State":
        """The client lets go of these. Under a wildcard it still learns whether they exist."""
        state = self._with_collections(names).forgotten(names)
        owed = (
            state.owed.updated(dict.fromkeys(names)) if self.wildcard else less(state.owed, names, NO_NAMES)
        )
        return state._next(
            state.with_members(names),
            names=less(state.names, names, NO_NAMES),
            names_hash=state.names_hash ^ unordered_hash(name for name in names if name in state.names),
            owed=owed,
        )

    def forgotten(self, names: Collection[str]) -> "State":
        """The client may no longer have these: they are sent again to who still wants them."""
        if self.is_new:
            return self
        let_go = self.with_members([name for name in names if name in self.names])
        known = {name for name in (*names, *let_go) if self.knows(name)}
        if not known:
            return self
        doubtful = {name: self.acked[name] for name in known if self.names_all and name in self.acked}
        return self._next(
            known,
            acked=less(self.acked, known, NOTHING),
            rejected=less(self.rejected, known, NO_REJECTIONS),
            unanswered=tuple(sent.without(known) for sent in self.unanswered),
            suspects=self.suspects - known,
            doubtful=self.doubtful.updated(doubtful),
        )

    def sent(self, update: Update) -> "State":
        """What `next` gave has been sent: if all goes well, the client differs no more in what it is about."""
        names = update.names
        collections = {name for name in map(collection_of, names) if name in self.owed}
        return self._next(
            collections,
            unanswered=(*self.unanswered, Sent(update=update, is_single=len(names) == 1)),
            owed=less(self.owed, names | collections, NO_NAMES),
            suspects=self.suspects - names if self.suspects else self.suspects,
            differs=less(self.differs, names, NO_DIFFERENCES),
            differs_at_last=less(self.differs_at_last, names, NO_DIFFERENCES),
        )

    def judged(self, index: int, error: str) -> "State":
        """The client confirmed (no error) or refused one of the unanswered responses."""
        sent = self.unanswered[index]
        left = self.unanswered[:index] + self.unanswered[index + 1 :]
        return self._refused(sent, left, error) if error else self._confirmed(sent.update, left)

    def _confirmed(self, update: Update, left: tuple[Sent, ...]) -> "State":
        rejected = less(self.rejected, update.names, NO_REJECTIONS)
        acked = self.acked.updated(update.changed, update.removed)
        as_sent: frozenset[str] = frozenset()
        if rejected is self.rejected and left == self.unanswered[1:]:
            # The oldest, as it is answered in good order: what the client will have is as before.
            as_sent = frozenset(name for name, held in update.changed.items() if self._is_wanted(name, held))
        return self._next(
            update.names - as_sent,
            unanswered=left,
            acked=acked if acked else NOTHING,
            rejected=rejected,
            last_error=self.last_error if left or rejected or self.suspects else "",
            doubtful=NOTHING,
            unconfirmed=less(self.unconfirmed, as_sent, NO_NAMES),
            others=less(self.others, as_sent, NO_NAMES),
        )

    def _is_wanted(self, name: str, held: Entry) -> bool:
        """Is that what is available and asked for?"""
        return self.available.get(name) is held and (name in self.names or self.asks_by_star(name))

    def _refused(self, sent: Sent, left: tuple[Sent, ...], error: str) -> "State":
        names = sent.update.names
        if sent.is_single:
            new = {name: Rejection(version=sent.update.version(name), reason=error) for name in names}
            rejected, suspects = self.rejected.updated(new), self.suspects
        else:
            overtaken = frozenset().union(*(later.update.names for later in left))
            rejected, suspects = self.rejected, self.suspects | (names - overtaken)
        return self._next(names, unanswered=left, rejected=rejected, suspects=suspects, last_error=error)

    def tried_again(self, is_worth_it: Callable[[str], bool]) -> "State":
        """Forget the refusals with such a reason: what was refused is sent once more."""
        names = [name for name, rejection in self.rejected.items() if is_worth_it(rejection.reason)]
        return self._next(names, rejected=less(self.rejected, names, NO_REJECTIONS)) if names else self

    def with_names(self, names: Names) -> "State":
        """The same, with another object for the same names."""
        return self if names is self.names else replace(self, names=names)

    def at_rest(self) -> "State":
        """The same; what is held is the map of what is available, when that says the same."""
        is_equal = self.is_at_rest and not self.others and len(self.acked) == len(self.available)
        return replace(self, acked=self.available) if is_equal and self.acked is not self.available else self

    # What it comes to.

    @cached_property
    def is_waiting(self) -> bool:
        """Has the client still to be told, or to confirm, something that was added or changed?"""
        return bool(self.unanswered or self.differs)

    @cached_property
    def is_open(self) -> bool:
        """Does the client differ from what it shall hold?"""
        return bool(self.differs or self.differs_at_last)

    @cached_property
    def is_settled(self) -> bool:
        """Has the client confirmed exactly what it shall hold, refusals and all?"""
        return not (self.unanswered or self.differs_at_last or self.rejections)

    @property
    def is_at_rest(self) -> bool:
        """Is nothing open: is it told by what is available, asked for, and held besides?"""
        return not (
            self.unanswered
            or self.differs
            or self.differs_at_last
            or self.unconfirmed
            or self.rejected
            or self.suspects
            or self.owed
            or self.doubtful
        )

    @cached_property
    def rejections(self) -> dict[str, Rejection]:
        """What the client refused and still shall hold. A refusal of what nobody wants is none."""
        return {
            name: rejection
            for name, rejection in self.rejected.items()
            if self.available.get(name, _GONE).version == rejection.version
        }

    @cached_property
    def waiting(self) -> tuple[str, ...]:
        """The first few names that the client shall hold and has neither confirmed nor finally refused."""
        return tuple(heapq.nsmallest(SHOWN, self.unconfirmed) if self.unconfirmed else ())

    def status(self, sent: int, nonces: tuple[str, ...]) -> TypeStatus:
        """Where this type stands. `sent`: how many responses there were, `nonces`: of those that are unanswered."""
        if self.rejections:
            sync = SyncState.ERROR
        elif self.is_settled:
            sync = SyncState.SYNCED if sent or self.acked else SyncState.NOT_SENT
        else:
            sync = SyncState.STALE
        return TypeStatus(
            type_url=self.kind.url,
            short=self.kind.short,
            state=sync,
            sent=sent,
            unanswered=nonces,
            subscribed=self.names,
            wildcard=self.wildcard,
            acked=Versions(self.acked),
            available=self.available,
            waiting=self.waiting,
            rejections=MappingProxyType(self.rejections),
            last_error=self.last_error,
        )

    def update(self, *, removals: bool) -> Update:
        """All in which the client differs from what it shall hold, but for what it refused alone."""
        return self._update_at_last if removals else self._update

    @cached_property
    def _update(self) -> Update:
        return _update(self.differs)

    @cached_property
    def _update_at_last(self) -> Update:
        return self._update if self.differs_at_last == self.differs else _update(self.differs_at_last)

    def next(self, *, removals: bool) -> Update | None:
        """What to send now; None if there is nothing, or if a judgement is awaited.

        Without `removals`, all but what takes something away: that waits until nothing uses it.
        """
        differs = self.differs_at_last if removals else self.differs
        if not differs or not (self.wildcard or self.names or self.owed):
            return None
        if self.names_all and self.unanswered:
            return None  # it would repeat what is not judged yet, and share its blame
        suspects = [name for name in self.suspects if name in differs]
        if not suspects:
            return self.update(removals=removals)
        return None if self.unanswered else _update({(name := min(suspects)): differs[name]})

    def content(self, update: Update) -> Mapping[str, Entry]:
        """What a response for this update, just sent, carries."""
        if not self.names_all:
            return update.changed
        held = {**self.acked, **self.doubtful, **update.changed}
        return {name: held[name] for name in sorted(held) if name not in update.removed}

    def expected(self) -> dict[str, str]:
        """Name -> version that the client will have if it confirms all that is under way."""
        versions = {name: held.version for name, held in self.acked.items()}
        for sent in self.unanswered:
            for name in sent.update.removed:
                versions.pop(name, None)
            versions |= {name: held.version for name, held in sent.update.changed.items()}
        return versions

    # How the next one is made.

    def _next(self, touched: Iterable[str], **changes: Any) -> "State":
        """The state with these changes; what is derived is looked at anew for the names that they touch."""
        state = replace(self, **changes)
        if state.wildcard and state.is_new and not (state.names or state.owed):
            told = cast(Differences, state.available)
            return replace(
                state, differs=told, differs_at_last=told, unconfirmed=cast(Names, told), others=NO_NAMES
            )
        looks = {name: state.look(name) for name in touched}
        if not looks:
            return state
        return replace(
            state,
            differs=kept(state.differs, {n: look.differs for n, look in looks.items()}),
            differs_at_last=kept(
                state.differs_at_last, {n: look.differs_at_last for n, look in looks.items()}
            ),
            unconfirmed=marked(state.unconfirmed, {n: look.is_unconfirmed for n, look in looks.items()}),
            others=marked(state.others, {n: look.is_other for n, look in looks.items()}),
        )

    def _with_collections(self, names: Iterable[str]) -> "State":
        if self.collections is not None or not any(map(is_collection, names)):
            return self
        return replace(self, collections=Collections.of(self.available))


_GONE: Final = Entry(REMOVAL, b"")


def _update(differs: Mapping[str, Entry | None]) -> Update:
    return Update(
        changed={name: held for name, held in differs.items() if held is not None},
        removed=frozenset(name for name, held in differs.items() if held is None),
    )
