"""Whose fault a change is: found out by trying.

What an object says now is put back to what it said before, field by field, and all of it is built again. Where the part that
the change follows from is then another, that field was it. So no rule of any kind of object is told here a second time. Where
no single difference is enough to undo it (two objects that would each have done it), each is tried alone on what was.
Where very many objects differ it is asked who wrote the parts (`blame.authors`) instead.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace

from mizzen.blame.authors import Authors, Part
from mizzen.envoy.config import LISTENERS, ROUTES
from mizzen.errors import Place, ResourceRef
from mizzen.lazy import dataclass
from mizzen.plan.differences import FieldDifference, ObjectDifference, said, with_data
from mizzen.plan.effects import Because, Change, Facet
from mizzen.plan.surface import BY_NAME, Surface
from mizzen.resources.raw_objects import RawObject

# So many objects are tried one by one, and fields of one object.
MOST_OBJECTS, MOST_FIELDS = 150, 40
_MOST_CAUSES = 10  # of one change that are told

Surfaces = Mapping[str, Surface]  # by the key of the proxy
Built = Callable[[tuple[RawObject, ...]], Surfaces]  # objects -> what is told then
Key = tuple[str, Facet]  # of which gateway (its proxy's key), which part
Caused = dict[Key, dict[Because, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was and what is to be, and how to find out what something else would be."""

    old_objects: tuple[RawObject, ...]
    new_objects: tuple[RawObject, ...]
    old: Surfaces
    new: Surfaces
    changed: tuple[ObjectDifference, ...]
    built: Built
    busy: set[ResourceRef] = field(
        default_factory=set
    )  # found to do something, though nothing is to be undone by it alone


def causes(trial: Trial, wanted: Iterable[Key]) -> Caused:
    """What each part follows from, of those that differ."""
    keys = tuple(dict.fromkeys(wanted))
    found: Caused = {}
    left = keys
    tried = trial.changed
    if len(trial.changed) > MOST_OBJECTS:
        _by_authors(trial, keys, found)
        left = tuple(key for key in keys if key not in found)
        known = {cause.resource for some in found.values() for cause in some}
        tried = tuple(one for one in trial.changed if one.ref not in known)[:MOST_OBJECTS]
    if left:
        _by_trying(trial, tried, left, found)
    return found


def _by_trying(trial: Trial, tried: Iterable[ObjectDifference], keys: tuple[Key, ...], found: Caused) -> None:
    idle = []
    for one in tried:
        without = trial.built(_without(trial.new_objects, one))
        touched = _touched(keys, trial.new, without)
        if not touched:
            idle.append(one)
            if _differ(trial.new, without):
                trial.busy.add(one.ref)
        for key, because in _by_fields(trial, one, touched) if touched else ():
            found.setdefault(key, {})[because] = None
    needed = frozenset(found)
    for one in idle:
        for key in _touched(keys, trial.old, trial.built(_with(trial.old_objects, one))):
            trial.busy.add(one.ref)
            for because in _reasons(one) if key not in needed else ():
                found.setdefault(key, {})[because] = None
    for key in keys:
        if key not in found and trial.changed:  # only together
            some = trial.changed[:_MOST_CAUSES]
            found[key] = dict.fromkeys(because for one in some for because in _reasons(one))


def _differ(one: Surfaces, other: Surfaces) -> bool:
    """Is any Envoy told something else?"""
    return one.keys() != other.keys() or any(
        one[key].config.bodies != other[key].config.bodies for key in one
    )


def _touched(keys: Iterable[Key], one: Surfaces, other: Surfaces) -> tuple[Key, ...]:
    """The parts that two states do not have alike."""
    return tuple(key for key in keys if _value(one, key) != _value(other, key))


def _value(surfaces: Surfaces, key: Key) -> object:
    surface = surfaces.get(key[0])
    return surface.facet(key[1]) if surface is not None else None


def _without(objects: tuple[RawObject, ...], one: ObjectDifference) -> tuple[RawObject, ...]:
    """As if the object were still what it was."""
    after = set(map(id, one.after))
    return (*(raw for raw in objects if id(raw) not in after), *one.before)


def _with(objects: tuple[RawObject, ...], one: ObjectDifference) -> tuple[RawObject, ...]:
    """As if the object alone had changed."""
    before = set(map(id, one.before))
    return (*(raw for raw in objects if id(raw) not in before), *one.after)


def _by_fields(trial: Trial, one: ObjectDifference, keys: tuple[Key, ...]) -> Iterator[tuple[Key, Because]]:
    """Which fields of an object it is, of which is known that it is one of these."""
    fields = one.fields
    known: set[Key] = set()
    for number, differing in enumerate(fields) if 1 < len(fields) <= MOST_FIELDS else ():
        [raw] = one.after
        data = differing.put_back(said(raw.data))
        instead = replace(one, before=(with_data(raw, data, f"plan/{number}"),))
        for key in _touched(keys, trial.new, trial.built(_without(trial.new_objects, instead))):
            known.add(key)
            yield key, _because(one, differing)
    for key in keys:
        if key not in known:
            yield from ((key, because) for because in _reasons(one))


def _reasons(one: ObjectDifference) -> tuple[Because, ...]:
    """All that differs of an object, as far as it is told."""
    if not one.fields:
        return (_because(one, None),)
    return tuple(_because(one, field) for field in one.fields[:_MOST_CAUSES])


def _because(one: ObjectDifference, field: FieldDifference | None) -> Because:
    """Where it is written now; what went, where it was."""
    raw = (one.after or one.before)[-1]
    path = field.name if field is not None else ""
    return Because(resource=one.ref, field=path, origin=_place(raw, path))


def _place(raw: RawObject, path: str) -> Place:
    return raw.ref.place(path)


# --- by who wrote it --------------------------------------------------------------------------------


def _by_authors(trial: Trial, keys: tuple[Key, ...], found: Caused) -> None:
    changed = {one.ref: one for one in trial.changed}
    authors = {
        id(one): Authors(one.gateway.model) for some in (trial.old, trial.new) for one in some.values()
    }
    index = {
        id(one): dict(_parts(one, authors[id(one)]))
        for some in (trial.old, trial.new)
        for one in some.values()
    }
    for key in keys:
        for some in (trial.new, trial.old):
            surface = some.get(key[0])
            parts = _parts_of(surface, authors[id(surface)], index[id(surface)], key[1]) if surface else ()
            for part in parts:
                one = changed.get(part.author)
                for because in _of_part(one, part) if one is not None else ():
                    found.setdefault(key, {})[because] = None
            if key in found:
                break


def _of_part(one: ObjectDifference, part: Part) -> tuple[Because, ...]:
    fields = one.fields
    near = [field for field in fields if field.name.startswith(part.at)]
    if not fields:
        return (_because(one, None),)
    return tuple(_because(one, field) for field in (near or fields)[:_MOST_CAUSES])


def _parts(surface: Surface, authors: Authors) -> Iterator[tuple[Facet, list[Part]]]:
    """The parts of chains and of hosts, by what they are called."""
    found: dict[Facet, list[Part]] = {}
    for url, kind in ((LISTENERS, "chain"), (ROUTES, "host")):
        for name in surface.config.bodies[LISTENERS] if url == LISTENERS else surface.tables:
            for part in authors.parts(url, name):
                found.setdefault((kind, name, *part.where[:1]), []).append(part)
    yield from found.items()


def _parts_of(
    surface: Surface, authors: Authors, index: Mapping[Facet, list[Part]], facet: Facet
) -> Iterable[Part]:
    kind, *names = facet
    if kind in BY_NAME:
        return authors.parts(BY_NAME[kind], names[0])
    if kind == "host":
        host = surface.hosts(names[0]).get(names[1])
        return index.get(("host", host.table, host.name), ()) if host is not None else ()
    if kind == "chain":
        listener = surface.listeners.get(names[0])
        chain = listener.taking(names[1]) if listener is not None else None
        return index.get(("chain", names[0], chain.name), ()) if chain is not None else ()
    return ()


def attributed(change: Change, key: str, caused: Caused) -> Change:
    """The change with what it follows from."""
    because: dict[Because, None] = {}
    for facet in sorted(change.facets):
        because |= caused.get((key, facet), {})
    ordered = sorted(because, key=lambda one: (one.origin, str(one.resource), one.field))
    return replace(change, because=tuple(ordered[:_MOST_CAUSES]))


def of_nothing(trial: Trial, caused: Caused) -> tuple[Because, ...]:
    """Objects that differ, and do nothing; where nothing happens at all, all of them."""
    if not caused:
        return tuple(because for one in trial.changed for because in _reasons(one))
    known = trial.busy | {cause.resource for some in caused.values() for cause in some}
    return tuple(because for one in trial.changed if one.ref not in known for because in _reasons(one))
