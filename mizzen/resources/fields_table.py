"""The table of all declared fields, as Markdown: what docs/fields.md holds."""

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, get_args, get_origin

from mizzen.resources.declaring.compile import DeclaredField, declared_fields
from mizzen.resources.kinds import KINDS

_WORDS: dict[Any, str] = {
    Any: "anything",
    str: "text",
    bool: "true or false",
    int: "integer",
    float: "number",
    bytes: "base64",
    timedelta: "duration",
    datetime: "time",
}


def fields_table() -> str:
    """One section for each kind, one line for each field that is read."""
    parts = ["# The fields that are read", ""]
    for name in sorted(KINDS):
        kind = KINDS[name]
        parts += [f"## {name} ({kind.api_version})", "", "| field | value | |", "|---|---|---|"]
        parts += [f"| `{path}` | {value} | {doc} |" for path, value, doc in _rows(kind.declaration, "")]
        parts.append("")
    return "\n".join(parts)


def _rows(declaration: type, above: str) -> Iterator[tuple[str, str, str]]:
    for declared in declared_fields(declaration):
        path = f"{above}.{declared.key}" if above else declared.key
        inner, suffix, word = _shape(declared.type)
        yield path + suffix, word + _limits(declared), _remarks(declared)
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from _rows(inner, path + suffix)


def _limits(declared: DeclaredField) -> str:
    return f", {declared.limits.low:.10g} to {declared.limits.high:.10g}" if declared.limits else ""


def _remarks(declared: DeclaredField) -> str:
    return "; ".join(filter(None, ("required" if declared.required else "", declared.doc)))


def _shape(hint: Any) -> tuple[Any, str, str]:
    """The innermost type, what stands behind the field's path, and the type in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return _shape(arguments[0])
    if origin is Literal:
        return hint, "", ", ".join(word or '""' for word in arguments)
    if origin is tuple:
        inner, suffix, word = _shape(arguments[0])
        return inner, f"[]{suffix}", f"list of {word}"
    if origin is Mapping:
        inner, suffix, word = _shape(arguments[1])
        return inner, f".KEY{suffix}", f"mapping to {word}"
    if origin in (typing.Union, types.UnionType):
        some = [argument for argument in arguments if argument is not types.NoneType]
        if len(some) == 1:
            return _shape(some[0])
        return hint, "", " or ".join(_WORDS.get(argument, "") for argument in some)
    return hint, "", _WORDS.get(hint, "object")
