"""What differs between two sets of objects: which objects, and which of their fields, as their authors would name them.

Each difference can be put back, which is how it is found out what it does (`causes`).
"""

import copy
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.resources.decode import identify
from mizzen.resources.kubernetes.metadata import LAST_APPLIED, asked
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.yaml.places import child

Path = tuple[str | int, ...]
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """One field. `path` leads to it in the new object; where the field went, to where it was."""

    path: Path
    before: Any = field(default=_ABSENT, repr=False)  # may be a key
    after: Any = field(default=_ABSENT, repr=False)

    @property
    def name(self) -> str:
        """As its author would write it, `spec.http[0].timeout`: down to the only field of what came or went whole. Of an item
        that went, its list: in its place may be another one now."""
        text, path = "", self.path
        if self.after is _ABSENT and isinstance(path[-1], int):
            path = path[:-1]
        for step in (*path, *_only(self.after if self.before is _ABSENT else self.before, self)):
            text = f"{text}[{step}]" if isinstance(step, int) else child(text, step)
        return text

    def put_back(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The new object, with this field as it was."""
        changed = copy.deepcopy(data)
        *way, last = self.path
        place: Any = changed
        for step in way:
            place = place[step]
        if isinstance(place, list):
            assert isinstance(last, int)
            if self.before is _ABSENT:
                del place[last]
            elif self.after is _ABSENT:
                place.insert(last, copy.deepcopy(self.before))
            else:
                place[last] = copy.deepcopy(self.before)
        elif self.before is _ABSENT:
            del place[last]
        else:
            place[last] = copy.deepcopy(self.before)
        return dict(changed)


def _only(value: Any, of: FieldDifference) -> Iterator[str]:
    """The way to the only field of a value that came or went as a whole."""
    if isinstance(of.path[-1], int) or (of.before is not _ABSENT and of.after is not _ABSENT):
        return
    while isinstance(value, Mapping) and len(value) == 1:
        key = next(iter(value))
        yield str(key)
        value = value[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDifference:
    """One object that came, went or differs. Several of one name count as one."""

    ref: ResourceRef
    before: tuple[RawObject, ...] = ()
    after: tuple[RawObject, ...] = ()
    fields: tuple[FieldDifference, ...] = ()  # that differ; () where the object as a whole came or went


def _difference(
    ref: ResourceRef, before: tuple[RawObject, ...], after: tuple[RawObject, ...]
) -> ObjectDifference:
    is_one = len(before) == len(after) == 1
    fields = tuple(_of_mappings(said(before[0].data), said(after[0].data), ())) if is_one else ()
    return ObjectDifference(ref=ref, before=before, after=after, fields=fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """`objects`: the new ones; those that say the same as before are the very same objects as before."""

    objects: tuple[RawObject, ...]
    changed: tuple[ObjectDifference, ...]


def differences(before: Iterable[RawObject], after: Iterable[RawObject], namespace: str) -> Differences:
    """What differs. `namespace`: of objects that name none."""
    old, new = _by_ref(before, namespace), _by_ref(after, namespace)
    objects: list[RawObject] = []
    changed: list[ObjectDifference] = []
    for ref, raws in new.items():
        earlier = old.get(ref, ())
        if _is_same(earlier, raws):
            objects += earlier
        else:
            objects += raws
            changed.append(_difference(ref, earlier, raws))
    for ref, raws in old.items():
        if ref not in new:
            changed.append(ObjectDifference(ref=ref, before=raws))
    return Differences(objects=tuple(objects), changed=tuple(changed))


def _by_ref(objects: Iterable[RawObject], namespace: str) -> dict[ResourceRef, tuple[RawObject, ...]]:
    found: dict[ResourceRef, tuple[RawObject, ...]] = {}
    for raw in objects:
        ref = identify(raw, namespace)
        found[ref] = (*found.get(ref, ()), raw)
    return found


def _is_same(one: tuple[RawObject, ...], other: tuple[RawObject, ...]) -> bool:
    return len(one) == len(other) and all(
        a.unread == b.unread and bool(a.aside) == bool(b.aside) and said(a.data) == said(b.data)
        for a, b in zip(one, other, strict=True)
    )


def said(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object without what an API server keeps in it."""
    metadata = data.get("metadata")
    if not isinstance(metadata, Mapping):
        return data
    kept = asked(metadata, LAST_APPLIED)
    return data if kept is metadata else {**data, "metadata": kept}


# --- fields -----------------------------------------------------------------------------------------


def _of_values(before: Any, after: Any, path: Path) -> Iterator[FieldDifference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif before != after or type(before) is not type(after):
        yield FieldDifference(path=path, before=before, after=after)


def _of_mappings(
    before: Mapping[str, Any], after: Mapping[str, Any], path: Path
) -> Iterator[FieldDifference]:
    for key in dict.fromkeys((*after, *before)):
        here = (*path, key)
        if key not in after:
            yield FieldDifference(path=here, before=before[key])
        elif key not in before:
            yield FieldDifference(path=here, after=after[key])
        else:
            yield from _of_values(before[key], after[key], here)


def _of_lists(before: list[Any], after: list[Any], path: Path) -> Iterator[FieldDifference]:
    """Items that are the same stand beside one another; of others those in the same place. Another order is one difference."""
    if before != after and sorted(_texts(before)) == sorted(_texts(after)):
        yield FieldDifference(path=path, before=before, after=after)
        return
    if len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _of_values(old, new, (*path, index))
        return
    matcher = difflib.SequenceMatcher(None, _texts(before), _texts(after), autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        both = min(i_end - i, j_end - j)
        for step in range(both):
            yield from _of_values(before[i + step], after[j + step], (*path, j + step))
        for index in range(j + both, j_end):
            yield FieldDifference(path=(*path, index), after=after[index])
        for index in range(i + both, i_end):
            yield FieldDifference(path=(*path, j + both), before=before[index])


def _texts(items: list[Any]) -> list[str]:
    return [json.dumps(item, sort_keys=True, default=repr) for item in items]


def with_data(raw: RawObject, data: Mapping[str, Any], seal: str) -> RawObject:
    """The object, saying something else. `seal`: what tells it from all others."""
    return replace(raw, data=data, digest=f"{raw.digest}/{seal}")
