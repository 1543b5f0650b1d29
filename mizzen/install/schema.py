"""A declaration of resources -> a structural OpenAPI v3 schema, as a CustomResourceDefinition has it.

It refuses nothing that the decoder and the validators take; what it cannot say is left to the validating webhook,
which knows it better. Three rules of API servers shape it (found with Kubernetes 1.37, and older than that):

* What is not declared is pruned, and kubectl, which asks for strict validation, refuses it.
* A rule in CEL is refused when it could be dear, and without `maxItems` everything below a list is taken for dear.
  So "only one of" stands where no list or map is around it, "at least 1ms" below one of them.
* A field that is null counts as absent, as for the decoder, but a word of an enumeration cannot be null: there the
  API server drops it by itself, save in a server-side apply, which it refuses.
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Union, get_args, get_origin

from mizzen.inject.container import Manifest
from mizzen.resources.declaring.compile import DeclaredField, declared_fields
from mizzen.resources.declaring.declare import Least, Range, Text, Unknown

# As Go reads durations, and the decoder (values.duration).
_DURATION = r"^[-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$"
_PLAIN: Mapping[Any, Manifest] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number"},
    bytes: {"type": "string"},  # `format: byte` takes no line feeds, which base64 may have
    timedelta: {"type": "string", "pattern": _DURATION},
    datetime: {"type": "string", "format": "date-time"},
}
_WIDEST = 2**53  # what every reader of JSON has exactly; a bound beyond it is no bound
ANYTHING: Manifest = {"x-kubernetes-preserve-unknown-fields": True}
# Below how many lists and maps rules in CEL may stand.
_DEEPEST_EXCLUSION, _DEEPEST_DURATION = 0, 1
# Where a second spelling of a field stands: its rules would be counted with those of the first.
_TOO_DEEP = 2


def object_schema(declaration: type, depth: int = 0) -> Manifest:
    """Of a mapping that `declaration` describes, below `depth` lists and maps.

    Raises:
        TypeError: a field is declared in a way for which there is no schema.
    """
    fields = declared_fields(declaration)
    properties: dict[str, Manifest] = {}
    for declared in fields:
        properties[declared.key] = field_schema(declared, depth)
        properties |= dict.fromkeys(declared.also, field_schema(declared, _TOO_DEEP))
    required = [declared.key for declared in fields if declared.required and not declared.also]
    is_open = getattr(declaration, "UNKNOWN_FIELDS", None) in (Unknown.PASS, Unknown.WARN)
    return {
        "type": "object",
        **_described(inspect.cleandoc(declaration.__doc__ or "")),
        "properties": dict(sorted(properties.items())),
        **({"required": sorted(required)} if required else {}),
        **(ANYTHING if is_open else {}),
        **(_exclusions(declaration) if depth <= _DEEPEST_EXCLUSION else {}),
    }


def field_schema(declared: DeclaredField, depth: int = 0) -> Manifest:
    """Of one field: its type, its limits, and what is said of it."""
    schema = dict(ANYTHING) if declared.loose else _of_type(declared.type, depth)
    if declared.limits:
        schema |= _limits(declared.limits)
    if "enum" in schema:
        schema.pop("nullable", None)
    elif not declared.required:
        schema.setdefault("nullable", True)
    return {**schema, **_described(declared.doc)} if declared.doc else schema


def _of_type(hint: Any, depth: int) -> Manifest:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return _annotated(arguments, depth)
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if hint is Any:
        return dict(ANYTHING)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return object_schema(hint, depth)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _of_type(arguments[0], depth + 1)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _of_type(arguments[1], depth + 1)}
    if origin in (Union, types.UnionType):
        return _of_union(arguments, depth)
    raise TypeError(f"no schema for {hint!r}")


def _annotated(arguments: tuple[Any, ...], depth: int) -> Manifest:
    kind, *notes = arguments
    if any(isinstance(note, Text) for note in notes):
        return dict(ANYTHING)
    schema = _of_type(kind, depth)
    for note in notes:
        if isinstance(note, Range):
            schema |= _limits(note)
        if isinstance(note, Least) and depth <= _DEEPEST_DURATION:
            schema |= _at_least(note)
    return schema


def _of_union(arguments: tuple[Any, ...], depth: int) -> Manifest:
    some = tuple(one for one in arguments if one is not types.NoneType)
    schema = {"x-kubernetes-int-or-string": True} if set(some) == {int, str} else _of_type(some[0], depth)
    return {**schema, "nullable": True} if len(some) < len(arguments) else schema


def _at_least(least: Least) -> Manifest:
    shortest = f"{least.duration // timedelta(milliseconds=1)}ms"
    rule = f"duration(self) >= duration('{shortest}')"
    message = f"must be a duration of at least {shortest}"
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


def _exclusions(declaration: type) -> Manifest:
    groups: tuple[tuple[str, ...], ...] = getattr(declaration, "AT_MOST_ONE", ())
    rules = [
        {
            "rule": " + ".join(f"(has(self.{key}) ? 1 : 0)" for key in group) + " <= 1",
            "message": f"only one of {' and '.join(group)} can be given",
        }
        for group in groups
    ]
    return {"x-kubernetes-validations": rules} if rules else {}


def _limits(limits: Range) -> Manifest:
    bounds = {"minimum": limits.low, "maximum": limits.high}
    return {name: _number(bound) for name, bound in bounds.items() if abs(bound) <= _WIDEST}


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _described(text: str) -> Manifest:
    return {"description": text} if text else {}
