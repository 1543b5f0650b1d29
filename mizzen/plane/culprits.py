"""The search for the objects that an Envoy does not take: in trials where these show the fault, else at the proxy itself.

In trials the resources are cut first, until a piece is left that is not taken by itself (no object is needed for that):
few have written it. Then these are set aside, one half after the other, and the piece is tried as it would be without them.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import TypeVar

from google.protobuf.message import Message

from mizzen.blame.authors import Authors
from mizzen.blame.fields import finer, pruned
from mizzen.blame.ledger import Entry, content_of, without
from mizzen.blame.pieces import Bodies, Name, Piece, chosen, cut, cut_routes, cut_to, members, routes
from mizzen.blame.search import Search
from mizzen.blame.suspects import Accusation, Suspects, ranked, suspects
from mizzen.envoy.config import CLUSTERS
from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.plane.case import Case, Desk
from mizzen.proxy.trial import Outcome, Verdict
from mizzen.redaction import hidden_text
from mizzen.resources.decode import identify
from mizzen.resources.raw_objects import RawObject

ANSWER_SECONDS = 5.0  # for an Envoy to take or refuse what it is told in a search
_MOST_PIECES = 32  # of one case; what is more comes with the next refusal, or is searched among all
_LONGEST_REASON = 2_000  # characters
_MOST_FIELDS = 20  # that are named of one object
_NOT_THERE = Verdict(outcome=Outcome.REFUSED, why="the gateway would not be there")
_TAKEN = Verdict(outcome=Outcome.TAKEN)

Entries = Mapping[ResourceRef, Entry]
Test = Callable[[Entries], Awaitable[Verdict]]
T = TypeVar("T")


class Undecided(Exception):
    """A trial could not be made."""


@dataclass(slots=True)
class Culprits:
    """The search in one case."""

    desk: Desk
    case: Case
    _objects: dict[ResourceRef, RawObject] = field(default_factory=dict)  # that take part
    _tried: dict[bytes, Verdict] = field(default_factory=dict)  # by what was tried
    _made: tuple[tuple[RawObject, ...], Bodies | None] | None = None  # the last candidate

    async def find(self, *, is_shown: bool = False) -> Entries:
        """Who is to be set aside; nobody if that is not found. `is_shown`: a trial has shown the fault.

        Raises:
            Undecided: trials cannot be made, or the proxy does not answer.
        """
        named = ((identify(raw, self.desk.default_namespace), raw) for raw in self.desk.objects())
        self._objects = {ref: raw for ref, raw in named if not raw.aside}
        found = suspects(self._accusation(), self.case.may_be_blamed(self._objects))
        if is_shown or await self._is_shown():
            return await self._by_pieces(found) or await self._by_rows(found, self._test)
        if self.case.died or not self.case.told.is_trusted:
            return {}
        return await self._by_rows(found, self._test_by_serving)

    def _accusation(self) -> Accusation:
        case = self.case
        return Accusation(
            model=case.told.model,
            refused=case.refused or dict.fromkeys(self._all_names(), case.why),
            messages=chosen(case.told.bodies, case.names) if case.names else {},
            confirmed=case.before.model if case.before else None,
            changed=case.changed,
            everybody=tuple(self._objects),
        )

    def _all_names(self) -> list[Name]:
        return [(url, name) for url, named in self.case.told.bodies.items() for name in named]

    # --- trials ----------------------------------------------------------------------------------

    async def _try(self, resources: Mapping[Name, Message], bodies: Bodies) -> Verdict:
        if not resources:
            return _TAKEN
        seal = _sealed(resources)
        if seal not in self._tried:
            verdict = await self.desk.try_resources(resources, bodies.get(CLUSTERS, {}))
            if verdict.outcome is Outcome.UNKNOWN:
                raise Undecided(verdict.why)
            self._tried[seal] = verdict
        return self._tried[seal]

    async def verdict(self) -> Verdict:
        """What a trial says of the resources in question as they are.

        Raises:
            Undecided: it cannot be made.
        """
        return await self._try(chosen(self.case.told.bodies, self.case.names), self.case.told.bodies)

    async def _is_shown(self) -> bool:
        """Does a trial show the fault, and nothing that is none?"""
        case = self.case
        try:
            verdict = await self.verdict()
        except Undecided:
            if case.died:
                raise
            return False
        if verdict.outcome is not Outcome.REFUSED:
            return not verdict.is_taken
        if not case.died and any(verdict.why in why for why in case.refused.values()):
            return True
        if case.before is None or case.names is None:
            return case.died
        # Envoy gives another reason: what it is known to take must pass, too.
        types = case.before.snapshot.types
        held = {url: {name: entry.body for name, entry in named.items()} for url, named in types.items()}
        return (await self._try(chosen(held, case.names), held)).is_taken

    async def _candidate(self, objects: tuple[RawObject, ...]) -> Bodies | None:
        if self._made is None or self._made[0] != objects:
            self._made = (objects, await self.desk.candidate(self.case.told.key, objects))
        return self._made[1]

    def _without(self, entries: Entries) -> tuple[RawObject, ...]:
        return without(self.desk.objects(), entries, self.case.earlier, self.desk.default_namespace)

    async def _test(self, entries: Entries) -> Verdict:
        """What an Envoy says of the resources in question with these objects set aside."""
        bodies = await self._candidate(self._without(entries))
        return await self._try(chosen(bodies, self.case.names), bodies) if bodies is not None else _NOT_THERE

    async def _test_piece(self, piece: Piece, objects: tuple[RawObject, ...]) -> Verdict:
        """The same of one piece."""
        bodies = await self._candidate(objects)
        if bodies is None:
            return _NOT_THERE
        left = {
            name: part
            for name, message in chosen(bodies, [piece.name]).items()
            if (part := cut_to(message, piece.where)) is not None
        }
        return await self._try(left, bodies)

    async def _test_by_serving(self, entries: Entries) -> Verdict:
        """The same, asked of the proxy itself: what it refuses does not change what it serves."""
        ledger = self.desk.ledger
        await self.desk.serve(ledger.with_entries(entries.values()), self.case.earlier)
        try:
            refused = await self._answer()
        finally:
            await self.desk.serve(ledger, {})
        return Verdict(outcome=Outcome.REFUSED, why=refused) if refused else _TAKEN

    async def _answer(self) -> str:
        """Why the proxy refuses the resources in question as they are served now; "" if it takes them."""
        names = self.case.names or frozenset()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    told = self.desk.proxy(self.case.proxy)
                    if told is None or told.client is None:
                        raise Undecided(f"{self.case.proxy} is gone")
                    refused = [why for name, why in told.refused().items() if name in names]
                    if refused:
                        return refused[0]
                    if all(map(told.holds, names)):
                        return ""
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise Undecided(f"{self.case.proxy} does not answer") from None

    # --- piece by piece --------------------------------------------------------------------------

    async def _by_pieces(self, found: Suspects) -> Entries:
        entries: dict[ResourceRef, Entry] = {}
        bodies: Bodies | None = self.case.told.bodies
        for _ in range(_MOST_PIECES):
            piece = await self._piece(bodies, found) if bodies is not None else None
            if piece is None:
                return entries if bodies is not None else {}
            blamed = await self._authors_of(piece, entries)
            if not blamed:
                return {}
            entries |= blamed
            bodies = await self._candidate(self._without(entries))
        return {}

    async def _piece(self, bodies: Bodies, found: Suspects) -> Piece | None:
        """What is not taken by itself; None if all is well. First what the proxy had not confirmed before is looked at."""
        resources = chosen(bodies, self.case.names)
        likely = {
            name: cut(message, found.members[name]) if name in found.members and members(message) else message
            for name, message in resources.items()
        }
        verdict = await self._try(likely, bodies)
        if verdict.is_taken:
            likely = resources
            verdict = await self._try(resources, bodies)
            if verdict.is_taken:
                return None

        async def is_ill(names: Sequence[Name]) -> bool:
            return not (await self._try({name: likely[name] for name in names}, bodies)).is_taken

        name = await _ill(sorted(likely), is_ill)
        return await self._cut(Piece(name=name, why=verdict.why), likely[name], bodies) if name else None

    async def _cut(self, piece: Piece, message: Message, bodies: Bodies) -> Piece:
        """The smallest part of it that is not taken by itself."""

        async def is_ill(names: Sequence[str]) -> bool:
            return not (await self._try({piece.name: cut(message, names)}, bodies)).is_taken

        async def is_ill_route(numbers: Sequence[int]) -> bool:
            return not (await self._try({piece.name: cut_routes(message, numbers)}, bodies)).is_taken

        if (member := await _ill(members(message), is_ill)) is None:
            return await self._worded(piece, message, bodies)
        message = cut(message, [member])
        where: tuple[str, ...] = (member,)
        if (number := await _ill(range(routes(message)), is_ill_route)) is not None:
            where = (member, str(number))
            message = cut_routes(message, [number])
        return await self._worded(replace(piece, where=where), message, bodies)

    async def _worded(self, piece: Piece, message: Message, bodies: Bodies) -> Piece:
        """With Envoy's words for this piece, which may be others than for all of it."""
        verdict = await self._try({piece.name: message}, bodies)
        return piece if verdict.is_taken else replace(piece, why=verdict.why)

    async def _authors_of(self, piece: Piece, known: Entries) -> Entries:
        """Who is to blame for a piece, beside those that are known; nobody if it is none of its authors."""
        parts = [
            part
            for part in Authors(self.case.told.model).parts(*piece.name)
            if not piece.where
            or part.everywhere
            or part.where[: len(piece.where)] == piece.where
            or part.where[:1] == piece.where
        ]
        authors = [part.author for part in parts if part.author in self._objects and part.author not in known]
        row = ranked(self.case.may_be_blamed(dict.fromkeys(authors)))

        async def test(entries: Entries) -> Verdict:
            return await self._test_piece(piece, self._without({**known, **entries}))

        culprits = await self._search(row, test, piece.why)
        at = {ref: tuple(dict.fromkeys(part.at for part in parts if part.author == ref)) for ref in culprits}
        entries = {ref: self._entry(ref, why) for ref, why in culprits.items()}
        for ref in entries:
            fields = await self._fields(piece, ref, at[ref], {**known, **entries})
            told = {**entries, ref: replace(entries[ref], fields=fields)}
            if fields and (await test(told)).is_taken:  # a guard is closed less where its fields are known
                entries = told
        return entries

    async def _fields(
        self, piece: Piece, ref: ResourceRef, at: tuple[str, ...], entries: Entries
    ) -> tuple[str, ...]:
        """The fields of an object without which the piece would be taken, of those that went into it."""
        raw, at = self._objects[ref], tuple(filter(None, at))
        if not (choice := finer(raw, at)):
            return at
        objects = self._without({one: entry for one, entry in entries.items() if one != ref})
        search = Search.over(choice)
        while (left_out := search.next()) is not None:
            tried = tuple(pruned(raw, left_out) if one is raw else one for one in objects)
            search = search.hear(is_well=(await self._test_piece(piece, tried)).is_taken)
        return search.blamed or (at if len(at) <= _MOST_FIELDS else ())

    # --- row by row ------------------------------------------------------------------------------

    async def _by_rows(self, found: Suspects, test: Test) -> Entries:
        for row in found.rows:
            if culprits := await self._search(row, test, self.case.why):
                entries = {ref: self._entry(ref, why) for ref, why in culprits.items()}
                told = {
                    ref: replace(entry, fields=found.at[ref])
                    if 0 < len(found.at.get(ref, ())) <= _MOST_FIELDS
                    else entry
                    for ref, entry in entries.items()
                }
                return told if told != entries and (await test(told)).is_taken else entries
        return {}

    async def _search(self, row: tuple[ResourceRef, ...], test: Test, why: str) -> dict[ResourceRef, str]:
        """The culprits among these and Envoy's reason for each; nobody if they do not explain it."""
        search, culprits = Search.over(row), dict[ResourceRef, str]()
        while (aside := search.next()) is not None:
            verdict = await test({ref: self._entry(ref, "under suspicion") for ref in aside})
            why = why if verdict.is_taken else verdict.why
            after = search.hear(is_well=verdict.is_taken)
            culprits |= dict.fromkeys(after.blamed[len(search.blamed) :], why)
            search = after
        return culprits if search.is_explained else {}

    def _entry(self, ref: ResourceRef, why: str) -> Entry:
        return entry_of(self.case, ref, self._objects[ref], why)


def entry_of(case: Case, ref: ResourceRef, raw: RawObject, why: str) -> Entry:
    """What an object says now, set aside."""
    client = case.told.client
    return Entry(
        ref=ref,
        content=content_of(raw),
        reason=hidden_text(why)[:_LONGEST_REASON],  # Envoy quotes what it refuses
        died=case.died,
        envoy=client.version if client else "",
    )


def _sealed(resources: Mapping[Name, Message]) -> bytes:
    seal = hashlib.blake2b(digest_size=16)
    for _, message in sorted(resources.items(), key=lambda item: item[0]):
        body = message.SerializeToString(deterministic=True)
        seal.update(len(body).to_bytes(8, "big") + body)
    return seal.digest()


async def _ill(items: Sequence[T], is_ill: Callable[[Sequence[T]], Awaitable[bool]]) -> T | None:
    """One that is ill by itself. All of them together are ill; what is tried halves each time."""
    left = items
    while len(left) > 1:
        half = left[: len(left) // 2]
        left = half if await is_ill(half) else left[len(half) :]
    one = next(iter(left), None)
    return one if one is not None and (len(items) < 2 or await is_ill([one])) else None
