"""Finds out which object Envoy refused, or died of, and has it set aside. All else is served meanwhile, or again.

Who does not know what to make of a refusal is told here: the culprit is searched among those who may be to blame
(`mizzen.blame.suspects`), in an Envoy of its own that serves nobody (`mizzen.proxy.trial`); where such a trial does not show
the fault, by serving one half after the other: an Envoy that refuses keeps what it has.

An Envoy that died of a fault of its own, and comes back, gets what it had lived with before (nothing, if that is not known),
until a trial has survived what it was told, or the culprit is set aside.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import field, replace

from mizzen.blame.confirmed import STAND_SECONDS, Confirmations, Confirmed, changed_since
from mizzen.blame.pieces import Name, chosen
from mizzen.errors import ResourceRef
from mizzen.guard import words_of
from mizzen.lazy import dataclass
from mizzen.plane.case import Case, Desk, Told
from mizzen.plane.culprits import Culprits, Entries, Undecided, entry_of
from mizzen.proxy.trial import Outcome
from mizzen.resources.decode import identify
from mizzen.resources.raw_objects import RawObject
from mizzen.serve.ads import ClientStatus
from mizzen.xds.snapshot import Snapshot

_MOST_ENVOYS = 1_000  # of one name
_MOST_VAIN = 10_000
_SEEN = 4  # states whose objects are remembered
_CUTS = 2  # see `_has_died`
_NOBODY = ResourceRef(kind="Configuration")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Proxy:
    """What is known of one proxy. Times are those of `Inquiry.hear`."""

    confirmations: Confirmations = field(default_factory=Confirmations)
    starts: dict[str, int] = field(
        default_factory=dict
    )  # the number of the last start of each of its Envoys, by node
    version: str = ""  # of its Envoy
    started: float = 0.0
    left: float = 0.0  # when its connection ended last
    cuts: int = 0  # connections in a row that ended while something was unanswered
    deaths: int = 0  # in a row, of what no trial showed
    # While it is inquired what it died of: what it is told (None in it: nothing at all).
    held: tuple[Snapshot | None] | None = None


@dataclass(slots=True)
class Inquiry:
    """One for a control plane. `hear` and `told` are for its event loop; `run` is its task."""

    desk: Desk
    proxies: dict[str, _Proxy] = field(default_factory=dict)
    _vain: set[tuple[str, str, str]] = field(
        default_factory=set
    )  # (type URL, name, version): nobody was found
    _seen: tuple[tuple[RawObject, ...], ...] = ()  # what was served lately, the newest at the end
    _is_outdated: bool = False  # the ledger has lost entries that are still applied
    _wanted: dict[str, None] = field(default_factory=dict)  # proxies to look at, in their order
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)  # replaced whenever something was heard

    # --- what is heard of proxies -------------------------------------------------------------------

    def told(self, name: str, snapshot: Snapshot) -> Snapshot | None:
        """What a proxy is to be told where `snapshot` is what it should hold; None: nothing yet."""
        known = self.proxies.get(name)
        return known.held[0] if known is not None and known.held is not None else snapshot

    def hear(self, client: ClientStatus, now: float) -> None:
        """A proxy connected, left, confirmed or refused something. Called before it is told anything."""
        if not client.is_proven:
            return  # anybody may say that in its name
        name = client.gateway
        known = self.proxies.setdefault(name, _Proxy())
        self._heard.set()
        self._heard = asyncio.Event()
        told = self.desk.proxy(name)
        self._note_version(known, client)
        if not client.is_connected:
            known.left = now
            known.cuts += client.is_unanswered
        elif self._has_died(known, client, now) and told is not None:
            self._hold(name, known, told, now)
        if told is None and not client.is_connected:
            self.forget(name)
        if told is None or known.held is not None:
            return
        if told.is_confirmed():
            known.cuts = 0
            state = Confirmed(snapshot=told.snapshot, model=told.model, objects=self.desk.objects())
            known.confirmations = known.confirmations.confirm(state, now)
        elif self._open(told):
            self._want(name)

    def on_refused(self, name: str) -> None:
        """A proxy has refused a resource that came alone."""
        if name in self.proxies:
            self._want(name)

    def on_build(self, objects: tuple[RawObject, ...]) -> None:
        """From now on these objects are served."""
        if not self._seen or self._seen[-1] is not objects:
            self._seen = (*self._seen[1 - _SEEN :], objects)

    def forget(self, name: str) -> None:
        """A proxy is served no more."""
        self.proxies.pop(name, None)

    def _note_version(self, known: _Proxy, client: ClientStatus) -> None:
        """Another version of Envoy may take what the one before it refused."""
        if client.is_connected and client.version and client.version != known.version:
            known.version = client.version
            if self.desk.of_envoys({one.version for one in self.proxies.values() if one.version}):
                self._is_outdated = True
                self._wake.set()

    def _has_died(self, known: _Proxy, client: ClientStatus, now: float) -> bool:
        """Is this the first word of an Envoy whose predecessor may have died of what it was told?

        It says so itself where it is started by us. Of another one only this is known: twice in a row its connection was cut
        before it had answered.
        """
        number, before = client.start.number, known.starts.get(client.node_id)
        if number == before:
            if known.cuts < _CUTS or client.start.number:
                return False
            known.cuts = 0
            return True
        known.starts[client.node_id] = number
        if len(known.starts) > _MOST_ENVOYS:
            del known.starts[next(iter(known.starts))]
        died = bool(before is not None and number > before and client.start.after)
        lived = known.left - known.started if known.started else STAND_SECONDS
        known.started = now
        if lived >= 2 * STAND_SECONDS:
            known.deaths = 0
        stood = known.confirmations.trusted(known.left or now)
        told = self.desk.proxy(client.gateway)
        is_old = stood is not None and told is not None and stood.snapshot is told.snapshot
        # When nothing had changed for long it died of something else; not so if it dies again at once.
        return died and not (is_old and lived >= STAND_SECONDS)

    def _hold(self, name: str, known: _Proxy, told: Told, now: float) -> None:
        """Tell it what it has lived with; nothing, where that is not known."""
        stood = known.confirmations.trusted(known.left or now)
        is_old = stood is not None and stood.snapshot is told.snapshot
        known.held = (None if stood is None or is_old else stood.snapshot,)
        known.confirmations = (
            Confirmations(((now - STAND_SECONDS, stood),)) if stood and not is_old else Confirmations()
        )
        _log.warning("the Envoy of %s died soon after a change: what it may have died of is searched", name)
        self.desk.publish(name)
        self._want(name)

    def _want(self, name: str) -> None:
        self._wanted[name] = None
        self._wake.set()

    def _open(self, told: Told) -> dict[Name, str]:
        """Refusals that nobody has been blamed for, and that have not been inquired in vain."""
        return {
            (url, name): why
            for (url, name), why in told.refused().items()
            if (url, name, told.snapshot.of(url)[name].version) not in self._vain
        }

    # --- the inquiry --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled: one case after the other."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._is_outdated:
                self._is_outdated = False
                await self.desk.serve(self.desk.ledger, {})
            while self._wanted:
                name = next(iter(self._wanted))
                del self._wanted[name]
                await self._look(name)

    async def _look(self, name: str) -> None:
        known, told = self.proxies.get(name), self.desk.proxy(name)
        if known is None or told is None:
            return
        try:
            if known.held is not None:
                await self._of_death(name, known, told)
            elif refused := self._open(told):
                await self._of_refusals(name, known, told, refused)
        except Undecided as error:
            _log.warning("it cannot be found out what %s does not take: %s", name, error)
        except Exception as error:  # noqa: BLE001  # a fault of ours leaves things as they are
            _log.exception("it cannot be found out what %s does not take: %s", name, words_of(error, _NOBODY))
        finally:
            if known.held is not None:
                known.held = None
                self.desk.publish(name)

    async def _of_refusals(self, name: str, known: _Proxy, told: Told, refused: Mapping[Name, str]) -> None:
        case = self._case(name, told, refused, known.confirmations.last)
        if entries := await Culprits(self.desk, case).find():
            await self._set_aside(case, entries)
            return
        if len(self._vain) > _MOST_VAIN:
            self._vain.clear()
        self._vain |= {(url, of, told.snapshot.of(url)[of].version) for url, of in refused}
        _log.warning("nobody is to blame for what %s refuses: %s", name, sorted(of for _, of in refused))

    async def _of_death(self, name: str, known: _Proxy, told: Told) -> None:
        stood = known.confirmations.last
        names = _changed(stood.snapshot, told.snapshot) if stood else ()
        for some in (names, None) if names else (None,):
            refused = dict.fromkeys(chosen(told.bodies, some), "") if some is not None else {}
            case = self._case(name, told, refused, stood, died=True)
            if entries := await self._deadly(case):
                known.deaths = 0
                await self._set_aside(case, entries)
                return
        known.deaths += 1
        case = self._case(name, told, {}, stood, died=True)
        if known.deaths > 1 and told.is_trusted and case.changed:
            # Whichever of them it was: all that changed since it was well.
            why = f"no trial shows which of {len(case.changed)} objects that changed last it died of"
            objects = {identify(raw, self.desk.default_namespace): raw for raw in self.desk.objects()}
            blamed = case.may_be_blamed(case.changed)
            await self._set_aside(case, {ref: entry_of(case, ref, objects[ref], why) for ref in blamed})

    async def _deadly(self, case: Case) -> Entries:
        """Who wrote what a trial dies of, too."""
        culprits = Culprits(self.desk, case)
        try:
            verdict = await culprits.verdict()
            if verdict.is_taken:
                return {}
            culprits.case = replace(case, why=verdict.why)
            return await culprits.find(is_shown=verdict.outcome is Outcome.DEADLY)
        except Undecided as error:
            _log.warning("no trial can be made of what %s died of: %s", case.proxy, error)
            return {}

    def _case(
        self,
        proxy: str,
        told: Told,
        refused: Mapping[Name, str],
        before: Confirmed | None,
        *,
        died: bool = False,
    ) -> Case:
        objects = self.desk.objects()
        changed, earlier = changed_since(before, objects, self.desk.default_namespace)
        if not died:  # the last one may have been well, too, and was not confirmed as a whole
            earlier = {**self._served_lately(frozenset(changed), objects), **earlier}
        return Case(
            proxy=proxy,
            told=told,
            refused=refused,
            why=next(iter(refused.values()), ""),
            before=before,
            changed=changed if before else (),
            earlier=earlier,
            died=died,
        )

    def _served_lately(
        self, changed: frozenset[ResourceRef], objects: tuple[RawObject, ...]
    ) -> dict[ResourceRef, RawObject]:
        """The last other versions of these."""
        namespace = self.desk.default_namespace
        now = {ref: raw for raw in objects if (ref := identify(raw, namespace)) in changed}
        found: dict[ResourceRef, RawObject] = {}
        for raw in (raw for one in self._seen for raw in one):
            ref = identify(raw, namespace)
            if (
                ref in now
                and not raw.aside
                and raw.digest != now[ref].digest
                and not self.desk.ledger.entry(raw)
            ):
                found[ref] = raw
        return found

    async def _set_aside(self, case: Case, entries: Entries) -> None:
        """From now on. Who has changed meanwhile takes part as he is now."""
        if entries:
            await self.desk.serve(self.desk.ledger.with_entries(entries.values()), case.earlier)


def _changed(before: Snapshot, now: Snapshot) -> frozenset[Name]:
    """The resources that are new or other than before."""
    return frozenset(
        (url, name)
        for url, named in now.types.items()
        if named is not before.of(url)
        for name, entry in named.items()
        if (known := before.of(url).get(name)) is None or known.version != entry.version
    )
