"""What of a message nobody but its owner may see, by what Envoy's API says of its fields (`udpa.annotations.sensitive`).

As Envoy does it in its own config_dump (utility.cc, MessageUtil::redact): texts and bytes of such a field, or anywhere within a
message that is one, are replaced; numbers are left out.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.messages.merging import unpacked
from mizzen.redaction import REDACTED


def without_secrets(message: Message) -> Message:
    """A copy with whatever is sensitive replaced, in what Any holds too."""
    out = type(message)()
    out.CopyFrom(message)
    _redact(out, sensitive=False)
    return out


@cache
def _mark() -> Any:
    return descriptor_pool.Default().FindExtensionByName("udpa.annotations.sensitive")


@cache
def _is_sensitive(declared: FieldDescriptor) -> bool:
    options = declared.GetOptions()
    return bool(options.HasExtension(_mark()) and options.Extensions[_mark()])


@cache
def _may_hold_secrets(kind: Descriptor) -> bool:
    """May a message of this type hold anything sensitive? Most may not, and are not looked into."""
    seen, left = {kind}, [kind]
    while left:
        for declared in left.pop().fields:
            inner: Any = declared.message_type
            if _is_sensitive(declared) or (inner is not None and inner.full_name == "google.protobuf.Any"):
                return True
            if inner is not None and inner not in seen:
                seen.add(inner)
                left.append(inner)
    return False


def _redact(message: Message, *, sensitive: bool) -> None:
    if isinstance(message, pb.Any):
        inner = unpacked(message)
        if inner is not None and (sensitive or _may_hold_secrets(inner.DESCRIPTOR)):
            url = message.type_url
            _redact(inner, sensitive=sensitive)
            message.Pack(inner, deterministic=True)
            message.type_url = url
        return
    if not sensitive and not _may_hold_secrets(message.DESCRIPTOR):
        return
    for declared, value in message.ListFields():
        _redact_field(message, declared, value, sensitive=sensitive or _is_sensitive(declared))


def _redact_field(message: Message, declared: FieldDescriptor, value: Any, *, sensitive: bool) -> None:
    kind: Any = declared.message_type
    if kind is not None and kind.GetOptions().map_entry:
        of_values = kind.fields_by_name["value"]
        for key in list(value):
            if of_values.message_type is not None:
                _redact(value[key], sensitive=sensitive)
            elif sensitive and (shown := _shown(of_values)) is not None:
                value[key] = shown
    elif kind is not None:
        for item in value if declared.is_repeated else (value,):
            _redact(item, sensitive=sensitive)
    elif sensitive:
        shown = _shown(declared)
        if declared.is_repeated:
            value[:] = [] if shown is None else [shown] * len(value)
        elif shown is None:
            message.ClearField(declared.name)
        else:
            setattr(message, declared.name, shown)


def _shown(declared: FieldDescriptor) -> str | bytes | None:
    if declared.type == FieldDescriptor.TYPE_STRING:
        return REDACTED
    return REDACTED.encode() if declared.type == FieldDescriptor.TYPE_BYTES else None
