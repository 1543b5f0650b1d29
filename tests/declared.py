"""Objects made of the declarations of kinds: with every field, or with one part set out to be looked at."""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Union, get_args, get_origin

from mizzen.errors import ResourceRef
from mizzen.install.crds import crds
from mizzen.resources.declaring.compile import DeclaredField, declared_fields
from mizzen.resources.declaring.declare import Range
from mizzen.resources.decode import Decoded, decode
from mizzen.resources.kinds import KINDS, Kind
from mizzen.resources.raw_objects import RawObject

Json = dict[str, Any]

# What is served from a definition, and declared.
DEFINED = tuple(
    KINDS[name] for name in sorted(crd["spec"]["names"]["kind"] for crd in crds()) if name in KINDS
)
_PLAIN: Mapping[Any, Any] = {
    Any: "a",
    str: "a",
    bool: True,
    int: 1,
    float: 1.5,
    bytes: "YQ==",
    timedelta: "1m30s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One element within the objects of a kind."""

    kind: Kind
    path: str  # as a schema has it: spec.http[].match[].uri
    declaration: type
    whole: Callable[[Json], Json]  # the element (with what is required filled in) -> an object that has it


def parts() -> Iterator[Part]:
    """Every element of every kind that is served."""
    for kind in DEFINED:
        for declared in declared_fields(kind.declaration):
            if declared.key == "spec":

                def whole(spec: Json, kind: Kind = kind) -> Json:
                    return object_of(kind, spec)

                yield from _parts(kind, "spec", declared.type, whole)


def object_of(kind: Kind, spec: Any) -> Json:
    metadata = {"name": kind.kind.lower(), "namespace": "default"}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec}


def full(declaration: type) -> Json:
    """With every field, but of those that exclude each other with the first alone."""
    groups: tuple[tuple[str, ...], ...] = getattr(declaration, "AT_MOST_ONE", ())
    without = {key for group in groups for key in group[1:]}
    fields = [one for one in declared_fields(declaration) if one.key not in without]
    return {one.key: value_of(one.type, one.limits, with_all=True) for one in fields}


def least(declaration: type) -> Json:
    """With what is required alone."""
    fields = [one for one in declared_fields(declaration) if one.required]
    return {one.key: value_of(one.type, one.limits) for one in fields}


def value_of(hint: Any, limits: Range | None = None, *, with_all: bool = False) -> Any:
    """Something that a field of this type may hold; the greatest number that it may."""
    bare, notes = _bare(hint)
    limits = limits or next((note for note in notes if isinstance(note, Range)), None)
    if limits and bare in (int, float):
        return int(min(limits.high, 2**53))
    if bare in _PLAIN:
        return _PLAIN[bare]
    if dataclasses.is_dataclass(bare) and isinstance(bare, type):
        return full(bare) if with_all else least(bare)
    origin, arguments = get_origin(bare), get_args(bare)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return [value_of(arguments[0], with_all=with_all)]
    assert origin is Mapping
    return {"a": value_of(arguments[1], with_all=with_all)}


def judge(written: Json) -> Decoded:
    """What the decoder and the validators say of an object."""
    meta = written["metadata"]
    return decode(
        RawObject(
            kind=written["kind"],
            api_version=written["apiVersion"],
            namespace=meta["namespace"],
            name=meta["name"],
            data=written,
            ref=ResourceRef(kind=written["kind"], namespace=meta["namespace"], name=meta["name"]),
            digest="",
        )
    )


def bare_type(declared: DeclaredField) -> Any:
    return _bare(declared.type)[0]


def _parts(kind: Kind, path: str, hint: Any, whole: Callable[[Any], Json]) -> Iterator[Part]:
    bare, _ = _bare(hint)
    origin, arguments = get_origin(bare), get_args(bare)
    if origin is tuple:
        yield from _parts(kind, f"{path}[]", arguments[0], lambda item: whole([item]))
    elif origin is Mapping:
        yield from _parts(kind, f"{path}{{}}", arguments[1], lambda item: whole({"a": item}))
    elif isinstance(bare, type) and dataclasses.is_dataclass(bare):
        yield Part(
            kind=kind,
            path=path,
            declaration=bare,
            whole=lambda given: whole({**least(bare), **given}),
        )
        for declared in declared_fields(bare):

            def above(value: Any, key: str = declared.key) -> Json:
                return whole({**least(bare), key: value})

            yield from _parts(kind, f"{path}.{declared.key}", declared.type, above)


def _bare(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without what may be absent, and without its notes."""
    notes: tuple[Any, ...] = ()
    while True:
        if get_origin(hint) is typing.Annotated:
            hint, *more = get_args(hint)
            notes += tuple(more)
        elif get_origin(hint) in (Union, types.UnionType):
            hint = next(one for one in get_args(hint) if one is not types.NoneType)
        else:
            return hint, notes
