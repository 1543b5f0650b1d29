"""Which fields of an object are to blame: what an object says, cut into what can be left out of it. Pure."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mizzen.resources.closing import is_guard
from mizzen.resources.raw_objects import RawObject

_STEP = re.compile(r"\.?([A-Za-z0-9_-]+)|\[([0-9]+)\]")
_SIDES = (("from", "source"), ("to", "operation"))

Steps = tuple[str | int, ...]


def finer(raw: RawObject, fields: tuple[str, ...]) -> tuple[str, ...]:
    """The fields to choose between where one of these is wrong; () where there is no choice.

    The conditions of a policy's rules are told apart: what stands for a policy that is set aside keeps the others.
    """
    rules = [found for field in fields for found in _conditions(raw, field)] if is_guard(raw.ref) else []
    if rules:
        return tuple(dict.fromkeys(rules))
    return fields if len(fields) > 1 else ()


def _conditions(raw: RawObject, field: str) -> Iterator[str]:
    rule = _value(raw.data, steps(field))
    if not isinstance(rule, Mapping) or not field.startswith("spec.rules["):
        return
    for side, inner in _SIDES:
        for index, one in enumerate(_items(rule.get(side))):
            given = one.get(inner) if isinstance(one, Mapping) else None
            for key in given if isinstance(given, Mapping) else ():
                yield f"{field}.{side}[{index}].{inner}.{key}"
    for index, _ in enumerate(_items(rule.get("when"))):
        yield f"{field}.when[{index}]"


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def steps(field: str) -> Steps:
    """`spec.rules[0].to` -> ("spec", "rules", 0, "to")."""
    return tuple(int(index) if index else name for name, index in _STEP.findall(field))


def _value(data: Any, path: Steps) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def pruned(raw: RawObject, fields: Collection[str]) -> RawObject:
    """The object less these fields, for a trial."""
    if not fields:
        return raw
    data = _pruned(raw.data, (), frozenset(map(steps, fields)))
    seal = hashlib.blake2b(repr(sorted(fields)).encode(errors="replace"), digest_size=8).hexdigest()
    return replace(raw, data=data, digest=f"{raw.digest}/without/{seal}")


def _pruned(value: Any, path: Steps, gone: frozenset[Steps]) -> Any:
    if not any(one[: len(path)] == path for one in gone):
        return value
    if isinstance(value, Mapping):
        return {
            key: _pruned(inner, (*path, key), gone)
            for key, inner in value.items()
            if (*path, key) not in gone
        }
    if isinstance(value, list):
        return [
            _pruned(inner, (*path, index), gone)
            for index, inner in enumerate(value)
            if (*path, index) not in gone
        ]
    return value
