"""Keeps HTTPS records in the zones of name servers (RFC 2136): a task for each zone, which waits for no other.

What is to go goes first. What a server does not take is tried again, later and later. Every name that is written is noted
down before, for the process that comes next; what is in DNS says itself whose it is (`mizzen.dns.registry`), and nothing
else is touched.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, Protocol

from mizzen.dns.justified import host_of, in_order
from mizzen.dns.record import Record, Unnameable
from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.model.dns import Keeper, TsigKey
from mizzen.plane.dns_records import KeptZone, ZoneKey
from mizzen.plane.name_server import NameServer, Outcome, Unanswered, canonical

CATALOGUE = {
    "DNS-003": "A name server does not take the HTTPS records that are kept there; it is tried again.",
    "DNS-004": "A host has HTTPS records that somebody else has written; they are left as they are.",
    "DNS-005": "An HTTPS record cannot stand at the name of a host: it has no records there, is an alias, or is too long.",
    "DNS-007": "HTTPS records that were written stay in DNS: the key to remove them is not known any more.",
}
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0  # while a server does not take them; doubled each time
AGAIN_SECONDS = 60.0  # until a name is tried again that cannot be written
LOOK_SECONDS = 300.0  # how often it is looked whether DNS still says what it was told

_log = logging.getLogger(__name__)


class NotesUnread(Exception):
    """What was noted down cannot be read now; it is there. The message says why."""


class NotesUnwritten(Exception):
    """What is to be written into DNS cannot be noted down now. The message says why."""


class Notes(Protocol):
    """Where it is noted down which names were written."""

    async def load(self) -> Any:
        """What was noted down; None when there is nothing. NotesUnread."""

    async def save(self, value: Any) -> None:
        """Note this down instead. NotesUnwritten: what was noted before stays."""


@dataclass(slots=True)
class _Zone:
    """One zone: what shall be there, and what is."""

    key: ZoneKey
    keeper: Keeper
    wanted: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    is_wanted: bool = False  # a policy has it kept
    # What it was told of a name; None: there may be something.
    there: dict[str, tuple[Record, ...] | None] = field(default_factory=dict)
    # Names that are not wanted, and where nothing of ours is: an earlier process may have written what nobody noted down.
    absent: set[str] = field(default_factory=set)
    refused: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # name -> code, why, remedy
    again: dict[str, float] = field(default_factory=dict)  # when a refused name is tried again
    trouble: str = ""
    task: "asyncio.Task[None] | None" = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def todo(self, now: float) -> list[str]:
        """The names that are not as they should be: those that go before those that come."""
        going = [name for name in self.there if name not in self.wanted]
        coming = [
            name
            for name, records in self.wanted.items()
            if self.there.get(name) != records
            and self.again.get(name, now) <= now
            and not (name in self.unknown and name not in self.there)
        ]
        return sorted(going, key=in_order) + sorted(coming, key=in_order)


class DnsKeeper:
    """All zones. `key_of`: the key in a Secret ("NAMESPACE/NAME"), for what no policy speaks of any more."""

    def __init__(
        self, notes: Notes, key_of: Callable[[str], TsigKey | None], on_change: Callable[[], object]
    ) -> None:
        self._notes, self._key_of, self._on_change = notes, key_of, on_change
        self._zones: dict[ZoneKey, _Zone] = {}
        self._is_loaded = False
        self._noted: Any = None

    async def want(self, zones: Mapping[ZoneKey, KeptZone]) -> None:
        """From now on the zones hold these records of ours, and no others. NotesUnread: nothing is done."""
        if not self._is_loaded:
            await self._load()
        for key, kept in zones.items():
            zone = self._zones.setdefault(key, _Zone(key=key, keeper=kept.keeper))
            zone.is_wanted = True
            self._set(zone, kept)
        for key, zone in self._zones.items():
            if key not in zones and zone.is_wanted:
                zone.is_wanted = False
                self._set(zone, KeptZone(keeper=zone.keeper))
        for zone in self._zones.values():
            if zone.task is None or zone.task.done():
                zone.task = asyncio.create_task(self._follow(zone))

    async def stop(self) -> None:
        """Nothing is written any more. What was written stays, and is read again by the next `want`."""
        tasks = [zone.task for zone in self._zones.values() if zone.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # By then somebody else may have noted down something else.
        self._zones, self._is_loaded, self._noted = {}, False, None

    @property
    def is_idle(self) -> bool:
        """Is there nothing to keep, as far as is known?"""
        return self._is_loaded and not self._zones

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for zone in self._zones.values() for problem in _problems(zone))

    def _set(self, zone: _Zone, kept: KeptZone) -> None:
        new = kept.absent - zone.absent - zone.there.keys()
        zone.there |= dict.fromkeys(new)
        if zone.keeper != kept.keeper:
            zone.keeper, zone.trouble = kept.keeper, ""
        elif not new and (zone.wanted, zone.unknown) == (kept.records, kept.unknown):
            return
        zone.wanted, zone.unknown = kept.records, kept.unknown
        zone.refused = {name: why for name, why in zone.refused.items() if name in kept.records}
        zone.again = {name: at for name, at in zone.again.items() if name in kept.records}
        zone.wake.set()

    # --- one zone ----------------------------------------------------------------------------------

    async def _follow(self, zone: _Zone) -> None:
        """Until nothing is to be kept, and nothing of ours is left."""
        retry, looked = RETRY_SECONDS, asyncio.get_running_loop().time()
        while True:
            zone.wake.clear()
            now = asyncio.get_running_loop().time()
            before = (zone.trouble, dict(zone.refused))
            try:
                if now - looked >= LOOK_SECONDS:
                    await self._look(zone)
                    looked = now
                await self._settle(zone, now)
            except (Unanswered, NotesUnwritten) as error:
                zone.trouble, wait = str(error), retry
                retry = min(retry * 2, LONGEST_RETRY_SECONDS)
            except Exception:  # noqa: BLE001  # a fault of ours is one zone's alone
                _log.exception("the records of %s cannot be kept", zone.key.zone)
                zone.trouble, wait = "a fault of mizzen", LONGEST_RETRY_SECONDS
            else:
                zone.trouble, retry, wait = "", RETRY_SECONDS, self._next(zone, looked)
            if before != (zone.trouble, zone.refused):
                self._on_change()
            if not (zone.wanted or zone.there or zone.is_wanted):
                self._zones.pop(zone.key, None)
                self._on_change()
                return
            await _until(zone, wait, is_patient=bool(zone.trouble))

    def _next(self, zone: _Zone, looked: float) -> float:
        now = asyncio.get_running_loop().time()
        at = min((looked + LOOK_SECONDS, *(zone.again[name] for name in zone.refused if name in zone.again)))
        return max(0.05, at - now)

    async def _settle(self, zone: _Zone, now: float) -> None:
        """Make the zone what it should be; once something else is wanted, begin with what is to go."""
        while todo := zone.todo(now):
            server = self._server(zone)
            await self._note(zone, todo)
            for name in todo:
                await self._one(zone, server, name, now)
                if zone.wake.is_set():
                    zone.wake.clear()
                    break
            else:
                break
        await self._save()

    def _server(self, zone: _Zone) -> NameServer:
        keeper = zone.keeper
        key = keeper.key
        if key is None and keeper.secret and (key := self._key_of(keeper.secret)) is None:
            raise Unanswered(f"the key in the Secret {keeper.secret} is not to be had")
        return NameServer(address=keeper.server, port=keeper.port, key=key, is_guarded=True)

    async def _one(self, zone: _Zone, server: NameServer, name: str, now: float) -> None:
        records, owner = zone.wanted.get(name), zone.key.owner
        zone.absent.discard(name)
        if records is None:
            try:
                outcome = await server.remove(zone.key.zone, name, owner)
            except Unnameable:
                outcome = Outcome.ABSENT
            del zone.there[name]
            zone.absent.add(name)
            if outcome is Outcome.REMOVED:
                _log.info("%s: the HTTPS record of %s is removed", server, name)
            return
        try:
            outcome = await server.write(zone.key.zone, f"{host_of(records[0])}.", records, owner)
            refused = await _refusal(outcome, server, name, f"{host_of(records[0])}.")
        except Unnameable as error:
            refused = ("DNS-005", str(error), "Print the record with 'mizzen dns', and write it by hand.")
        if refused is None:
            zone.there[name] = records
            zone.refused.pop(name, None)
            zone.again.pop(name, None)
            _log.info("%s: the HTTPS record of %s is written", server, name)
        else:
            zone.there.pop(name, None)
            zone.refused[name], zone.again[name] = refused, now + AGAIN_SECONDS

    async def _look(self, zone: _Zone) -> None:
        """What DNS does not say as it was told is told anew."""
        names = [name for name, records in zone.there.items() if records is not None and name in zone.wanted]
        said = await self._server(zone).said(names) if names else {}
        for name in names:
            records = zone.there.get(name)
            if records is not None and set(said[name]) != set(map(canonical, records)):
                zone.there[name] = None

    # --- what is noted down ------------------------------------------------------------------------

    async def _load(self) -> None:
        for key, names in _noted(await self._notes.load()):
            keeper = Keeper(
                policy=ResourceRef(kind="Zone", name=key.zone),
                owner=key.owner,
                server=key.server,
                port=key.port,
                zone=key.zone,
                secret=key.secret,
            )
            self._zones[key] = _Zone(key=key, keeper=keeper, there=dict.fromkeys(names))
        self._is_loaded = True

    async def _note(self, zone: _Zone, names: Iterable[str]) -> None:
        """That there may be something of ours at these names."""
        for name in names:
            if name in zone.wanted:
                zone.there.setdefault(name, None)
        await self._save()

    async def _save(self) -> None:
        value = [_note_of(zone) for _, zone in sorted(self._zones.items()) if zone.there]
        if value != self._noted:
            await self._notes.save(value)
            self._noted = value


async def _until(zone: _Zone, seconds: float, *, is_patient: bool) -> None:
    """Wait so long, or until something else is wanted. A server that is in trouble is left in peace until then, unless
    it shall be spoken to in another way."""
    ends = asyncio.get_running_loop().time() + seconds
    keeper = zone.keeper
    while (left := ends - asyncio.get_running_loop().time()) > 0:
        try:
            async with asyncio.timeout(left):
                await zone.wake.wait()
        except TimeoutError:
            return
        if not is_patient or zone.keeper != keeper:
            return
        zone.wake.clear()


async def _refusal(outcome: Outcome, server: NameServer, name: str, host: str) -> tuple[str, str, str] | None:
    """Code, reason and remedy, where a name cannot be written."""
    match outcome:
        case Outcome.OTHERS:
            owner = await server.owner(name)
            whose = f"of {owner}, as their registration says" if owner else "of somebody else"
            remedy = "Remove it, and mizzen writes its own; or take the host out of the policy."
            return "DNS-004", f"{name} has an HTTPS record {whose}", remedy
        case Outcome.NO_NAME:
            why = f"{host} has no record of its own: one of type HTTPS would hide what a wildcard says of it"
            return "DNS-005", why, f"Give {host} its address records."
        case Outcome.ALIAS:
            why = f"{host} is an alias (CNAME), and nothing may stand beside one"
            return (
                "DNS-005",
                why,
                "Write the record at the name that it leads to, or give it address records.",
            )
    return None


def _problems(zone: _Zone) -> Iterable[Problem]:
    policy = zone.keeper.policy
    field = "spec.dns" if policy.kind != "Zone" else ""
    if zone.trouble and zone.is_wanted:
        yield Problem(
            code="DNS-003",
            resource=policy,
            field=f"{field}.server",
            message=f"HTTPS records are not kept as they should be: {zone.trouble}",
            hint=f"It is tried again, at the latest after {LONGEST_RETRY_SECONDS:g} s.",
        )
    elif zone.trouble:
        names = ", ".join(sorted(zone.there)[:5])
        yield Problem(
            code="DNS-007",
            resource=policy,
            message=f"HTTPS records that mizzen wrote stay in {zone.key.zone} ({names}): {zone.trouble}",
            hint=f"Remove them by hand, with what stands at _mizzen below each; or give the policy back for a while "
            f"(owner: {zone.key.owner}).",
        )
    for name in sorted(zone.refused, key=in_order):
        code, why, hint = zone.refused[name]
        yield Problem(
            severity=Severity.WARNING, code=code, resource=policy, field=field, message=why, hint=hint
        )


def _note_of(zone: _Zone) -> dict[str, Any]:
    key = zone.key
    return {
        "server": key.server,
        "port": key.port,
        "zone": key.zone,
        "owner": key.owner,
        "secret": key.secret,
        "names": sorted(zone.there),
    }


def _noted(value: Any) -> list[tuple[ZoneKey, list[str]]]:
    """What `_note_of` made. What is none of ours counts as nothing: DNS says itself whose its records are."""
    found = []
    for one in value if isinstance(value, list) else ():
        try:
            server, zone, owner, secret = (str(one[part]) for part in ("server", "zone", "owner", "secret"))
            key = ZoneKey(server, int(one["port"]), zone, owner, secret)
            found.append((key, [str(name) for name in one["names"]]))
        except (KeyError, TypeError, ValueError):
            _log.warning("what was written into DNS before is not all known: %r", one)
    return found
