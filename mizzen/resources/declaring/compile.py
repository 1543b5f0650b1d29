"""Decoders made of declarations: a dataclass -> a function that reads it from a mapping."""

import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Union, get_args, get_origin

from mizzen.lazy import dataclass
from mizzen.resources.declaring import values
from mizzen.resources.declaring.declare import HeaderText, Key, Least, Range, Text, Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.declaring.values import BAD, Decoder
from mizzen.resources.yaml.places import child

# Never read from YAML: the decoder says them.
_SPOKEN = frozenset({"at", "meta", "ref"})
_BY_TYPE: dict[Any, Decoder] = {
    Any: values.as_written,
    str: values.text,
    bool: values.boolean,
    int: values.integer,
    float: values.number,
    bytes: values.encoded,
    timedelta: values.span(negative=False),
    datetime: values.timestamp,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredField:
    """One field of a declaration, as the decoder, the schemas and the table of fields see it."""

    name: str  # in Python
    key: str  # in YAML
    also: tuple[str, ...]  # other spellings that are accepted
    type: Any  # without Annotated around it
    limits: Range | None
    loose: bool
    header: bool  # it becomes the value of a header
    doc: str
    required: bool


@functools.cache
def declared_fields(declaration: type) -> tuple[DeclaredField, ...]:
    """The fields of a declaration that are read from YAML, in the order in which they are declared."""
    hints = typing.get_type_hints(declaration, include_extras=True)
    return tuple(
        _declared(field, hints[field.name])
        for field in dataclasses.fields(declaration)
        if field.name not in _SPOKEN
    )


def _declared(field: "dataclasses.Field[Any]", hint: Any) -> DeclaredField:
    kind, notes = _unwrap(hint)
    if least := next((note for note in notes if isinstance(note, Least)), None):
        kind = typing.Annotated[kind, least]  # of what must be given too
    key = next((note for note in notes if isinstance(note, Key)), Key(camel(field.name)))
    no_default = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return DeclaredField(
        name=field.name,
        key=key.name,
        also=key.also,
        type=kind,
        limits=next((note for note in notes if isinstance(note, Range)), None),
        loose=any(isinstance(note, Text) for note in notes),
        header=any(isinstance(note, HeaderText) for note in notes),
        doc=next((note for note in notes if isinstance(note, str)), ""),
        required=no_default,
    )


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is typing.Annotated:
        kind, *notes = get_args(hint)
        return kind, tuple(notes)
    return hint, ()


def camel(name: str) -> str:
    """The name in YAML of a field that is spelt in snake case."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


@functools.cache
def decoder_of(declaration: type, unknown: Unknown) -> Decoder:
    """The function that reads `declaration` from a mapping. `unknown`: what to say of other fields."""
    read = reader_of(declaration, unknown)
    has_at = any(field.name == "at" for field in dataclasses.fields(declaration))

    def make(value: Any, at: str, found: Findings) -> Any:
        given = read(value, at, found)
        if given is BAD:
            return BAD
        if has_at:
            given["at"] = at
        return declaration(**given)

    return make


@functools.cache
def reader_of(declaration: type, unknown: Unknown) -> Decoder:
    """Like `decoder_of`, but gives the arguments of the declaration (a dict) instead of an instance."""
    unknown = getattr(declaration, "UNKNOWN_FIELDS", None) or unknown
    fields = declared_fields(declaration)
    keys = tuple(declared.key for declared in fields)
    required = tuple((declared.name, declared.key) for declared in fields if declared.required)
    plan: dict[str, tuple[str, Decoder]] = {}
    for declared in fields:
        decode = _compiled(declared, unknown)
        plan |= dict.fromkeys((declared.key, *declared.also), (declared.name, decode))
    # Left out, these are read from nothing: so they, too, know where they would stand.
    nested = tuple(
        (declared.name, declared.key, decoder_of(declared.type, unknown))
        for declared in fields
        if isinstance(declared.type, type)
        and dataclasses.is_dataclass(declared.type)
        and not declared.required
    )

    def read(value: Any, at: str, found: Findings) -> Any:
        if not isinstance(value, dict):
            return values.mismatch("a mapping", value, at, found)
        given: dict[str, Any] = {}
        good = True
        for key, item in value.items():
            entry = plan.get(key)
            if entry is None:
                _undeclared(declaration, key, child(at, key), keys, unknown, found)
            elif item is not None:  # null is as good as absent
                name, decode = entry
                given[name] = decoded = decode(item, f"{at}.{key}" if at else key, found)
                if decoded is BAD:
                    good = False
        for name, key in required:
            if name not in given:
                found.error("FLD-003", child(at, key), f"{key} is missing")
                good = False
        if not good:
            return BAD
        for name, key, decode in nested:
            if name not in given:
                given[name] = decode({}, child(at, key), found)
        return given

    return read


def _compiled(declared: DeclaredField, unknown: Unknown) -> Decoder:
    if declared.loose:
        return values.loose_text
    if declared.header:
        return values.header_text
    inner = _compile(declared.type, unknown)
    return values.within(inner, declared.limits) if declared.limits else inner


def _compile(hint: Any, unknown: Unknown) -> Decoder:
    kind, notes = _unwrap(hint)
    if any(isinstance(note, Text) for note in notes):
        return values.loose_text
    for note in notes:
        if isinstance(note, Range):
            return values.within(_compile(kind, unknown), note)
        if isinstance(note, Least):
            return values.span(negative=True)  # the validators tell what is too short
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return decoder_of(kind, unknown)  # at once: declarations do not contain themselves
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return values.one_of(arguments)
    if origin is tuple:
        return values.sequence(_compile(arguments[0], unknown))
    if origin is Mapping:
        return values.mapping(_compile(arguments[1], unknown))
    if origin in (Union, types.UnionType):
        return _compile_union(arguments, unknown)
    raise TypeError(f"a field cannot be declared as {hint!r}")


def _compile_union(arguments: tuple[Any, ...], unknown: Unknown) -> Decoder:
    some = tuple(argument for argument in arguments if argument is not types.NoneType)
    inner: Decoder
    if set(some) == {int, str}:
        inner = values.integer_or_name
    elif len(some) == 1:
        inner = _compile(some[0], unknown)
    else:
        raise TypeError(f"a field cannot be declared as one of {some!r}")
    return values.optional(inner) if len(some) < len(arguments) else inner


def _undeclared(
    declaration: type, key: str, at: str, keys: tuple[str, ...], unknown: Unknown, found: Findings
) -> None:
    """Report a field that is not declared: what the declaration says of it, else that nobody knows it."""
    name = camel(key)
    if instead := getattr(declaration, "RETIRED", {}).get(name):
        found.warning("VAL-102", at, f"{key} was retired: it has no effect", instead)
    elif why := getattr(declaration, "IDLE", {}).get(key):
        found.info("FLD-005", at, f"the field {key!r} has no effect in mizzen: {why}")
    elif missed := getattr(declaration, "MISSED", {}).get(key):
        why, what_to_do = missed
        found.warning("FLD-005", at, f"the field {key!r} has no effect in mizzen: {why}", what_to_do)
    elif instead := getattr(declaration, "SUCCEEDED", {}).get(name):
        found.error("FLD-001", at, f"{key} was retired: there is no such field", instead)
    else:
        _unknown_field(key, at, keys, unknown, found)


def _unknown_field(key: str, at: str, keys: tuple[str, ...], unknown: Unknown, found: Findings) -> None:
    like = "" if found.is_full else nearest(key, keys)
    hint = f"Did you mean {like}?" if like else ""
    if unknown is Unknown.REFUSE:
        found.error("FLD-001", at, f"there is no field {key!r} here", hint or _listed(keys))
    elif unknown is Unknown.WARN:
        found.warning("FLD-005", at, f"the field {key!r} has no effect in mizzen", hint)
    elif like and _same_letters(key, like):
        found.warning("FLD-001", at, f"there is no field {key!r} here", hint)


def _listed(keys: tuple[str, ...]) -> str:
    return f"The fields here are {', '.join(sorted(keys))}." if len(keys) <= 12 else ""


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The known word that was probably meant, or ""."""
    for other in known:
        if _same_letters(word, other):
            return other
    return next(iter(difflib.get_close_matches(word[:80], known, n=1, cutoff=0.7)), "")


def _same_letters(one: str, other: str) -> bool:
    def bare(word: str) -> str:
        return word.lower().replace("_", "").replace("-", "")

    return bare(one) == bare(other)
