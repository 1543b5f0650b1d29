"""One message merged into another, as Istio does it (pkg/proto/merge, util.MergeAnyWithAny).

Fields that are set take the place of those there; messages are merged field by field, a Duration is replaced as a whole; what is in a
list is appended; an entry of a map takes the place of the one of its key.
"""

from typing import Any

from google.protobuf.message import Message

from mizzen._api import others, pb

_REPLACED = frozenset({"google.protobuf.Duration"})


class CannotMerge(ValueError):
    """The two are of different types."""


def merge(into: Message, value: Message, *, replace_lists: bool = False) -> None:
    """Merge `value` into a message of the same type. `replace_lists`: a list takes the place of the one there.

    Raises:
        CannotMerge: they are not of one type.
    """
    if into.DESCRIPTOR is not value.DESCRIPTOR:
        raise CannotMerge(
            f"a {value.DESCRIPTOR.full_name} cannot be merged into a {into.DESCRIPTOR.full_name}"
        )
    for declared, part in value.ListFields():
        kind: Any = declared.message_type
        if kind is not None and kind.GetOptions().map_entry:
            _merge_map(
                getattr(into, declared.name), part, is_message=kind.fields_by_name["value"].message_type
            )
        elif declared.is_repeated:
            held = getattr(into, declared.name)
            if replace_lists:
                del held[:]
            held.extend(part)
        elif kind is None:
            setattr(into, declared.name, part)
        elif kind.full_name in _REPLACED:
            getattr(into, declared.name).CopyFrom(part)
        else:
            inner = getattr(into, declared.name)
            inner.SetInParent()
            merge(inner, part, replace_lists=replace_lists)


def _merge_map(into: Any, value: Any, *, is_message: Any) -> None:
    for key, item in value.items():
        if is_message is None:
            into[key] = item
        else:
            into[key].CopyFrom(item)


def merge_packed(into: pb.Any, value: pb.Any) -> None:
    """Merge what is in one Any into what is in another, of the same type.

    Raises:
        CannotMerge: they are not of one type, or of one that the pinned Envoy has not.
    """
    held, given = unpacked(into), unpacked(value)
    if held is None or given is None:
        raise CannotMerge(f"the type {(value if given is None else into).type_url} is not known")
    merge(held, given)
    url = into.type_url
    into.Pack(held, deterministic=True)
    into.type_url = url


def unpacked(packed: pb.Any) -> Message | None:
    """What is in an Any; None where the pinned Envoy has no such message."""
    kind = others.class_of(packed.type_url.rpartition("/")[2])
    return None if kind is None else kind.FromString(packed.value)
