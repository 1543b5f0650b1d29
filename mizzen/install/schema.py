"""A declaration of resources -> a structural OpenAPI v3 schema, as a CustomResourceDefinition has it.

It refuses nothing that the decoder takes: what only some values of several fields make wrong is left to the
validating webhook, which knows it better.
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Union, get_args, get_origin

from mizzen.inject.container import Manifest
from mizzen.resources.compile import DeclaredField, declared_fields
from mizzen.resources.declare import Range, Text

# As Go reads durations, and the decoder (values.duration).
_DURATION = r"^[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$"
_PLAIN: Mapping[Any, Manifest] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number"},
    bytes: {"type": "string", "format": "byte"},
    timedelta: {"type": "string", "pattern": _DURATION},
    datetime: {"type": "string", "format": "date-time"},
}
_WIDEST = 2**53  # what every reader of JSON has exactly; a bound beyond it is no bound
ANYTHING: Manifest = {"x-kubernetes-preserve-unknown-fields": True}


def object_schema(declaration: type) -> Manifest:
    """Of a mapping that `declaration` describes. A field that is null counts as absent, so it may be."""
    fields = declared_fields(declaration)
    properties: dict[str, Manifest] = {}
    for declared in fields:
        schema = field_schema(declared)
        properties |= dict.fromkeys((declared.key, *declared.also), schema)
    required = [declared.key for declared in fields if declared.required and not declared.also]
    return {
        "type": "object",
        **_described(inspect.getdoc(declaration) if _has_own_words(declaration) else ""),
        "properties": dict(sorted(properties.items())),
        **({"required": sorted(required)} if required else {}),
    }


def field_schema(declared: DeclaredField) -> Manifest:
    """Of one field: its type, its limits, and what is said of it."""
    schema = dict(ANYTHING) if declared.loose else _of_type(declared.type)
    if declared.limits:
        schema |= _limits(declared.limits)
    if not declared.required:
        schema.setdefault("nullable", True)
    return {**_described(declared.doc), **schema} if declared.doc else schema


def _of_type(hint: Any) -> Manifest:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return _annotated(arguments)
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if hint is Any:
        return dict(ANYTHING)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return object_schema(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _of_type(arguments[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _of_type(arguments[1])}
    if origin in (Union, types.UnionType):
        return _of_union(arguments)
    raise TypeError(f"no schema for {hint!r}")


def _annotated(arguments: tuple[Any, ...]) -> Manifest:
    kind, *notes = arguments
    if any(isinstance(note, Text) for note in notes):
        return dict(ANYTHING)
    schema = _of_type(kind)
    for note in notes:
        if isinstance(note, Range):
            schema |= _limits(note)
    return schema


def _of_union(arguments: tuple[Any, ...]) -> Manifest:
    some = tuple(one for one in arguments if one is not types.NoneType)
    schema = {"x-kubernetes-int-or-string": True} if set(some) == {int, str} else _of_type(some[0])
    return {**schema, "nullable": True} if len(some) < len(arguments) else schema


def _limits(limits: Range) -> Manifest:
    bounds = {"minimum": limits.low, "maximum": limits.high}
    return {name: _number(bound) for name, bound in bounds.items() if abs(bound) <= _WIDEST}


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _has_own_words(declaration: type) -> bool:
    """A dataclass without a docstring gets its signature for one."""
    return not (declaration.__doc__ or "").startswith(f"{declaration.__name__}(")


def _described(text: str | None) -> Manifest:
    return {"description": text} if text else {}
