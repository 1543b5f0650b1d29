"""What stands in YAML or JSON -> one of Envoy's messages, of any type that the pinned Envoy has.

The mapping is protobuf's own (ProtoJSON), with fields in snake_case or camelCase, and durations as Go has them. It is strict: what the pinned Envoy would not
understand is a mistake at its place, however small, and all mistakes are told, not the first alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import timedelta
from functools import cache
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from mizzen._api import others, pb
from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.resources.declaring.compile import nearest
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.declaring.values import duration
from mizzen.resources.yaml.places import child

# Messages of protobuf's own that have a JSON of their own.
_OWN_JSON: Mapping[str, str] = {
    f"google.protobuf.{name}": wanted
    for name, wanted in (
        ("Struct", "a mapping"),
        ("Value", "a value of JSON"),
        ("ListValue", "a list"),
        ("Duration", "a duration such as 5s, 1m30s or 100ms"),
        ("Timestamp", "a time (RFC 3339)"),
        ("FieldMask", "paths of fields, separated by commas"),
        ("BoolValue", "true or false"),
        ("BytesValue", "base64"),
        ("DoubleValue", "a number"),
        ("FloatValue", "a number"),
        ("Int32Value", "a whole number of 32 bits"),
        ("Int64Value", "a whole number of 64 bits"),
        ("StringValue", "a text"),
        ("UInt32Value", "a whole number of 32 bits, not below 0"),
        ("UInt64Value", "a whole number of 64 bits, not below 0"),
    )
}
_MOST_NAMES = 12  # of an enum that a message lists
_VALUE = "google.protobuf.Value"
_ANY = "google.protobuf.Any"
_TYPED_STRUCTS = frozenset({"udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct"})
_PREFIX = "type.googleapis.com/"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What cannot be understood: where, what is wrong, and what to do. `unknown`: another Envoy may well
    understand it."""

    at: str
    message: str
    hint: str = ""
    unknown: bool = False


@dataclass(slots=True)
class _Reader:
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, at: str, message: str, hint: str = "") -> None:
        self.mistakes.append(Mistake(at, message, hint))

    # --- messages ----------------------------------------------------------------------------------

    def fill(self, out: Message, value: Any, at: str) -> None:
        """Set the fields of `out` as `value` says. Where that is a mistake, they stay as they are."""
        name = out.DESCRIPTOR.full_name
        if name in _OWN_JSON:
            if not _parsed(out, value) and not _is_go_duration(out, value):
                self.wrong(at, f"{_shown(value)} is not {_OWN_JSON[name]}")
        elif not isinstance(value, Mapping):
            self.wrong(at, f"a {out.DESCRIPTOR.name} is a mapping of its fields, not {_shown(value)}")
        elif name == _ANY:
            assert isinstance(out, pb.Any)
            self._any(out, value, at)
        else:
            self._fields(out, value, at)

    def _fields(self, out: Message, value: Mapping[Any, Any], at: str) -> None:
        known = _fields_of(out.DESCRIPTOR)
        chosen: dict[str, str] = {}
        for key, part in value.items():
            here = child(at, str(key))
            declared = known.get(str(key))
            if declared is None:
                what = f"{out.DESCRIPTOR.full_name} has no field {str(key)!r}"
                self.mistakes.append(Mistake(here, what, _near(str(key), known), unknown=True))
                continue
            if part is None and not _takes_null(declared):
                continue  # as if it were not there (ProtoJSON)
            choice = declared.containing_oneof
            if choice is not None and choice.name in chosen:
                self.wrong(here, f"{key} and {chosen[choice.name]} exclude each other")
                continue
            if choice is not None:
                chosen[choice.name] = str(key)
            self._field(out, declared, part, here)

    def _field(self, out: Message, declared: FieldDescriptor, part: Any, at: str) -> None:
        kind: Any = declared.message_type
        if kind is not None and kind.GetOptions().map_entry:
            self._map(out, declared, part, at)
        elif kind is None:
            self._scalar(out, declared, part, at)
        elif declared.is_repeated:
            if not isinstance(part, list):
                self.wrong(at, f"{declared.name} is a list, not {_shown(part)}")
                return
            for index, item in enumerate(part):
                self.fill(getattr(out, declared.name).add(), item, f"{at}[{index}]")
        else:
            inner = getattr(out, declared.name)
            inner.SetInParent()
            self.fill(inner, part, at)

    def _map(self, out: Message, declared: FieldDescriptor, part: Any, at: str) -> None:
        if not isinstance(part, Mapping):
            self.wrong(at, f"{declared.name} is a mapping, not {_shown(part)}")
            return
        entry: Any = declared.message_type
        if entry.fields_by_name["value"].message_type is None:
            self._scalar(out, declared, part, at)
            return
        for key, item in part.items():
            self.fill(getattr(out, declared.name)[str(key)], item, child(at, str(key)))

    def _scalar(self, out: Message, declared: FieldDescriptor, part: Any, at: str) -> None:
        """Numbers, texts, enums, and lists and maps of them."""
        alone = type(out)()
        if not _parsed(alone, {declared.name: part}):
            is_bytes = declared.type == FieldDescriptor.TYPE_BYTES  # which may be secret
            self.wrong(at, f"{'the value' if is_bytes else _shown(part)} is not {_wanted(declared)}")
            return
        out.MergeFrom(alone)
        if declared.has_presence and not declared.is_repeated:  # also where it is the default
            setattr(out, declared.name, getattr(alone, declared.name))

    # --- what may be of any type -------------------------------------------------------------------

    def _any(self, out: pb.Any, value: Mapping[Any, Any], at: str) -> None:
        if not value:
            return
        url = value.get("@type")
        if not isinstance(url, str) or not url:
            self.wrong(at, "@type is missing: it says which message this is", f'Write "@type": {_PREFIX}...')
            return
        rest = {key: part for key, part in value.items() if key != "@type"}
        name = url.rpartition("/")[2]
        if name in _TYPED_STRUCTS:
            self._typed_struct(out, rest, at)
        elif (kind := self._kind(name, child(at, "@type"))) is not None:
            whole = rest
            if name in _OWN_JSON or name == _ANY:
                at, whole = child(at, "value"), rest.get("value")  # type: ignore[assignment]
            self._packed(out, kind, whole, at)

    def _typed_struct(self, out: pb.Any, value: Mapping[Any, Any], at: str) -> None:
        """Its message with its own type: Envoy would do the same, and only so can it be merged into another."""
        url = value.get("type_url", value.get("typeUrl"))
        here = child(at, "typeUrl" if "typeUrl" in value else "type_url")
        for key in value.keys() - {"type_url", "typeUrl", "value"}:
            self.wrong(child(at, str(key)), f"a TypedStruct has no field {str(key)!r}")
        if not isinstance(url, str) or not url:
            self.wrong(at, "type_url is missing: it says which message this is")
        elif (kind := self._kind(url.rpartition("/")[2], here)) is not None:
            inner = value.get("value")
            self._packed(out, kind, {} if inner is None else inner, child(at, "value"))

    def _packed(self, out: pb.Any, kind: type[Message], value: Any, at: str) -> None:
        inner = kind()
        self.fill(inner, value, at)
        out.Pack(inner, deterministic=True)

    def _kind(self, name: str, at: str) -> type[Message] | None:
        kind = others.class_of(name)
        if kind is None:
            hint = "Use the type of Envoy's v3 API." if ".v2" in name else ""
            if name.startswith(("istio.", "io.istio.", "stats.", "envoy.tcp.metadataexchange.")):
                hint = "It is of Istio's own build of Envoy: leave the patch out."
            self.wrong(at, f"this Envoy has no message {name}", hint)
        return kind


def read(kind: type[Message], value: Any, at: str = "") -> tuple[Message, tuple[Mistake, ...]]:
    """The message that `value` says, and every mistake in it. `at`: the path of `value`.

    What Any holds is of the type that it says itself; a TypedStruct in one is replaced by the message that it describes.
    """
    reader, out = _Reader(), kind()
    reader.fill(out, value, at)
    return out, tuple(reader.mistakes)


@cache
def _fields_of(kind: Descriptor) -> Mapping[str, FieldDescriptor]:
    """The fields of a message by both of their names."""
    return {name: one for one in kind.fields for name in (one.json_name, one.name)}


def _takes_null(declared: FieldDescriptor) -> bool:
    kind: Any = declared.message_type
    return kind is not None and kind.full_name == _VALUE


def _near(key: str, known: Mapping[str, FieldDescriptor]) -> str:
    near = nearest(key, tuple(known))
    return f"Did you mean {near}?" if near else ""


def _shown(value: Any) -> str:
    names: Mapping[type, Callable[[Any], str]] = {dict: lambda _: "a mapping", list: lambda _: "a list"}
    return names.get(type(value), lambda one: repr(one)[:80])(value)


def _parsed(out: Message, value: Any) -> bool:
    try:
        json_format.ParseDict(value, out)
    except (json_format.ParseError, TypeError, ValueError, AttributeError, OverflowError):
        return False
    return True


def _is_go_duration(out: Message, value: Any) -> bool:
    """Durations as Go writes them: istiod takes them, though ProtoJSON has seconds alone."""
    if not isinstance(out, pb.Duration):
        return False
    read_as_go = duration(value, "", Findings(ResourceRef(kind="")))
    if isinstance(read_as_go, timedelta):
        out.FromTimedelta(read_as_go)
        return True
    return False


_SCALARS: Mapping[int, str] = {
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_FLOAT: "a number",
    FieldDescriptor.CPPTYPE_INT32: "a whole number of 32 bits",
    FieldDescriptor.CPPTYPE_INT64: "a whole number of 64 bits",
    FieldDescriptor.CPPTYPE_UINT32: "a whole number of 32 bits, not below 0",
    FieldDescriptor.CPPTYPE_UINT64: "a whole number of 64 bits, not below 0",
}


def _wanted(declared: FieldDescriptor) -> str:
    """What a field of no message takes."""
    if declared.enum_type is not None:
        names = list(declared.enum_type.values_by_name)
        shown = ", ".join(names[:_MOST_NAMES])
        one = f"one of {shown}{' ...' if len(names) > _MOST_NAMES else ''}"
    else:
        is_bytes = declared.type == FieldDescriptor.TYPE_BYTES
        one = "base64" if is_bytes else _SCALARS.get(declared.cpp_type, "a text")
    kind: Any = declared.message_type
    if kind is not None:
        return "a mapping of the right type"
    return f"a list, each of it {one}" if declared.is_repeated else one
