"""The objects that are set aside because Envoy refused what they ask for, or died of it. Pure.

Whoever is set aside has an error like any other (`RawObject.aside`): its last good version stays in force, else what
stands in its place closes. It is known by its content, wherever that stands: it comes back as soon as it says something
else, and what it said is not tried a second time.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace
from typing import Any

import msgspec

from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.resources.decode import identify
from mizzen.resources.raw_objects import RawObject

CODES = {
    "XDS-002": "Envoy refuses what an object asks for, or dies of it: the object is set aside, all else is served.",
}
_MOST = 1_000  # entries; the oldest goes
_LONGEST_REASON = 2_000  # characters
_NAMES = ("kind", "group", "namespace", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One version of an object that is set aside."""

    ref: ResourceRef
    content: str  # see `content_of`
    reason: str  # what Envoy said of it, or how it ended
    fields: tuple[str, ...] = ()  # where in the object, where that is known
    died: bool = False  # Envoy died of it
    envoy: str = ""  # the version of Envoy that did; "" where it is not known


def content_of(raw: RawObject) -> str:
    """What an object says, wherever it stands: the same text at another line is the same."""
    try:
        content = msgspec.json.encode(raw.data, order="deterministic")
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        return raw.digest  # YAML has numbers that JSON has not
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All that is set aside."""

    default_namespace: str = "default"
    entries: tuple[Entry, ...] = ()  # the oldest first
    _by_ref: Mapping[ResourceRef, Mapping[str, Entry]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _marked: dict[str, RawObject] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )  # by digest

    def __post_init__(self) -> None:
        found: dict[ResourceRef, dict[str, Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.ref, {})[entry.content] = entry
        object.__setattr__(self, "_by_ref", found)

    def with_entries(self, entries: Iterable[Entry]) -> "Ledger":
        """The same with some more."""
        known = {(one.ref, one.content): one for one in (*self.entries, *entries)}
        return replace(self, entries=tuple(known.values())[-_MOST:])

    def of_envoys(self, versions: Collection[str]) -> "Ledger":
        """What holds for these versions of Envoy: another one may take what this one refused."""
        kept = tuple(one for one in self.entries if not one.envoy or one.envoy in versions)
        return self if len(kept) == len(self.entries) else replace(self, entries=kept)

    def entry(self, raw: RawObject) -> Entry | None:
        """The entry of what an object says now; None for one that takes part."""
        if not self._by_ref:
            return None
        versions = self._by_ref.get(identify(raw, self.default_namespace))
        return versions.get(content_of(raw)) if versions else None

    def listed(self, objects: Iterable[RawObject]) -> dict[str, tuple[Problem, ...]]:
        """Those of the objects that are set aside, by digest, and what is told of each."""
        if not self._by_ref:
            return {}
        names = {(ref.kind, ref.name) for ref in self._by_ref}
        some = (raw for raw in objects if (raw.kind, raw.name) in names)
        return {raw.digest: told for raw in some if (told := self.problems_of(raw))}

    def problems_of(self, raw: RawObject) -> tuple[Problem, ...]:
        """What is told of an object that is set aside; () of one that takes part."""
        return self.applied_to(raw).aside if self.entry(raw) is not None else ()

    def applied_to(self, raw: RawObject) -> RawObject:
        """The object, marked if it is set aside."""
        entry = self.entry(raw)
        if entry is None:
            return raw
        if raw.digest not in self._marked:  # the same one each time: what follows from it is remembered
            self._marked[raw.digest] = set_aside(raw, entry, self.default_namespace)
        return self._marked[raw.digest]

    def to_json(self) -> dict[str, Any]:
        """As JSON values, for the control plane that comes after this one."""
        return {"entries": [_stored(entry) for entry in self.entries]}

    def restored(self, stored: Any) -> "Ledger":
        """The ledger with what `to_json` gave.

        Raises:
            ValueError: this was not written by `to_json`.
        """
        try:
            return self.with_entries([_restored(one) for one in stored["entries"]])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no ledger: {error}") from error


def set_aside(raw: RawObject, entry: Entry, default_namespace: str) -> RawObject:
    """The object, with its entry as an error of it."""
    told = problems(entry, identify(raw, default_namespace))
    seal = hashlib.blake2b(repr(told).encode(errors="replace"), digest_size=8).hexdigest()
    return replace(raw, aside=told, digest=f"{raw.digest}/aside/{seal}")


def without(
    objects: tuple[RawObject, ...],
    entries: Mapping[ResourceRef, Entry],
    earlier: Mapping[ResourceRef, RawObject],
    default_namespace: str,
) -> tuple[RawObject, ...]:
    """The objects as they would be with these set aside: each in its earlier version, if it has one, else marked."""
    if not entries:
        return objects
    made = []
    for raw in objects:
        entry = entries.get(identify(raw, default_namespace))
        if entry is None or raw.aside:
            made.append(raw)
        else:
            made.append(earlier.get(entry.ref) or set_aside(raw, entry, default_namespace))
    return tuple(made)


def problems(entry: Entry, ref: ResourceRef) -> tuple[Problem, ...]:
    """What is told of an object that is set aside: of each field. `ref` knows where it stands."""
    what = "Envoy ends when it gets what this asks for" if entry.died else "Envoy refuses what this asks for"
    return tuple(
        Problem(
            code="XDS-002",
            resource=ref,
            field=at,
            message=f"{what}: {entry.reason}; the object is set aside, all else is served",
            hint="What it said before stays in force, if it was served; a new guard refuses what it may be for. It comes "
            "back as soon as it is changed.",
        )
        for at in entry.fields or ("",)
    )


def _stored(entry: Entry) -> dict[str, Any]:
    ref = {name: getattr(entry.ref, name) for name in _NAMES}
    return {
        "ref": ref,
        "content": entry.content,
        "reason": entry.reason,
        "fields": list(entry.fields),
        "died": entry.died,
        "envoy": entry.envoy,
    }


def _restored(stored: Mapping[str, Any]) -> Entry:
    kind, group, namespace, name = (str(stored["ref"][one]) for one in _NAMES)
    return Entry(
        ref=ResourceRef(kind=kind, group=group, namespace=namespace, name=name),
        content=str(stored["content"]),
        reason=str(stored["reason"])[:_LONGEST_REASON],
        fields=tuple(map(str, stored["fields"])),
        died=bool(stored["died"]),
        envoy=str(stored["envoy"]),
    )
