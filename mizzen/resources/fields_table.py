"""The table of all declared fields, as Markdown: what docs/fields.md holds."""

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, get_args, get_origin

from mizzen.lazy import dataclass
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


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is done with a field."""

    status: str  # read, warned of, not for a gateway, retired
    becomes: str  # in Envoy, in words or as MESSAGE.FIELD; of a retired field: what is written instead


Meanings = Mapping[str, Mapping[str, Meaning]]  # by `name_of` a declaration and the name of a field in YAML
_UNKNOWN = Meaning("read", "")
_HEAD = """\
# The fields

What is done with each field, and what it becomes in Envoy: a text, or fields of Envoy's messages (`RouteAction.timeout`).

- **read**: it does what Istio's API says.
- **warned of**: it has no effect, or is refused; `analyze` says so at its place.
- **noted**: it has no effect, and nobody misses it; `analyze` says so as a note.
- **not for a gateway**: it is read, and concerns sidecars, installing or Kubernetes.
- **retired**: Istio has taken it out of its API; a warning says what is written instead, and the object takes part (but where
  the field may have guarded something).

Any other field of Istio's kinds is an error (FLD-001), as an API server says it; of the settings of the mesh and of
installing it is a warning (FLD-005)."""


def fields_table(meanings: Meanings) -> str:
    """One section for each kind, one line for each field."""
    parts = [_HEAD, ""]
    for name in sorted(KINDS):
        kind = KINDS[name]
        parts += [f"## {name} ({kind.api_version})", ""]
        parts += ["| field | value | | | in Envoy |", "|---|---|---|---|---|"]
        parts += [
            f"| `{path}` | {value} | {doc} | {meaning.status} | {meaning.becomes} |"
            for path, value, doc, meaning in _rows(kind.declaration, "", meanings)
        ]
        parts.append("")
    return "\n".join(parts)


def declarations() -> Mapping[str, type]:
    """Every declaration of a kind and of its parts, by name."""
    found: dict[str, type] = {}
    for kind in KINDS.values():
        _gather(kind.declaration, found)
    return found


def name_of(declaration: type) -> str:
    """MODULE.CLASS: some classes of two modules have one name."""
    return f"{declaration.__module__.rpartition('.')[2]}.{declaration.__name__}"


def _gather(declaration: type, found: dict[str, type]) -> None:
    if found.setdefault(name_of(declaration), declaration) is not declaration:
        raise ValueError(f"two declarations are called {name_of(declaration)}")
    for declared in declared_fields(declaration):
        inner = _shape(declared.type)[0]
        if dataclasses.is_dataclass(inner) and isinstance(inner, type) and name_of(inner) not in found:
            _gather(inner, found)


def _rows(declaration: type, above: str, meanings: Meanings) -> Iterator[tuple[str, str, str, Meaning]]:
    known = dict(meanings.get(name_of(declaration), {}))
    for declared in declared_fields(declaration):
        path = f"{above}.{declared.key}" if above else declared.key
        inner, suffix, word = _shape(declared.type)
        meaning = known.pop(declared.key, _UNKNOWN)
        yield path + suffix, word + _limits(declared), _remarks(declared), meaning
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from _rows(inner, path + suffix, meanings)
    for key, meaning in known.items():
        yield f"{above}.{key}" if above else key, "", "", meaning


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
