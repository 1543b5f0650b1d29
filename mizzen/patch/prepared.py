"""Patches with their messages, and what is noted while they are applied."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from functools import lru_cache
from typing import Any, TypeVar

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.lazy import dataclass
from mizzen.messages.merging import CannotMerge, merge, merge_packed
from mizzen.messages.targets import MESSAGE_OF
from mizzen.model.patch import Operation, Patch, Side, Target

_FILTERS = frozenset({Target.NETWORK_FILTER, Target.HTTP_FILTER, Target.LISTENER_FILTER})
MERGING = frozenset({Operation.MERGE, Operation.MERGE_AND_REPLACE_LIST})
T = TypeVar("T")
Filter = TypeVar("Filter", pb.Filter, pb.HttpFilter, pb.ListenerFilter)


@lru_cache(maxsize=1_000)
def value_of(patch: Patch) -> Any:
    """The message of a patch. It is shared: copy it into what is patched."""
    return MESSAGE_OF[patch.target].FromString(patch.value)


@dataclass(slots=True)
class Work:
    """The patches of one kind of resource, and what became of them while one resource was patched."""

    patches: tuple[Patch, ...]
    hits: set[Patch] = field(default_factory=set)  # that changed something, or whose place is here
    failed: dict[Patch, str] = field(default_factory=dict)  # and why

    def of(self, target: Target, *operations: Operation) -> Iterator[Patch]:
        """Those of a target (and some operations), in their order."""
        return (
            one
            for one in self.patches
            if one.target is target and (not operations or one.operation in operations)
        )

    def merge(self, into: Message, patch: Patch) -> None:
        """Merge the message of a patch; where that cannot be, it is noted."""
        try:
            merge(into, value_of(patch), replace_lists=patch.operation is Operation.MERGE_AND_REPLACE_LIST)
        except CannotMerge as error:
            self.failed[patch] = str(error)

    def merge_filter(self, into: Filter, patch: Patch, *, is_named: bool = True) -> None:
        """Merge a filter: its name, where the patch has one, and its configuration by type. One without any, as is told apart
        (ECDS), is left alone; so is one of another type, where the patch does not name it."""
        value = value_of(patch)
        if not into.HasField("typed_config"):
            return
        if not is_named and value.typed_config.type_url not in ("", into.typed_config.type_url):
            return
        self.hits.add(patch)
        if value.HasField("typed_config"):
            try:
                merge_packed(into.typed_config, value.typed_config)
            except CannotMerge as error:
                self.failed[patch] = str(error)
                return
        if value.name:
            into.name = value.name


def is_for_side(patch: Patch, *, inbound: bool) -> bool:
    """Is a patch for traffic of that direction? Patches for another kind of proxy do not come here."""
    return patch.side in (Side.ANY, Side.GATEWAY, Side.INBOUND if inbound else Side.OUTBOUND)


def replaced(items: Any, made: Iterable[Message]) -> None:
    """Let a repeated field hold these."""
    kept = [_copy(one) for one in made]
    del items[:]
    items.extend(kept)


def _copy(message: Message) -> Message:
    out = type(message)()
    out.CopyFrom(message)
    return out


def place(items: list[T], new: T, operation: Operation, is_anchor: Callable[[T], bool] | None) -> bool:
    """Put `new` among `items` as an operation says; `is_anchor`: None where the patch names none.

    The first item that fits is the anchor. Gives whether there was a place for it.
    """
    if operation is Operation.INSERT_FIRST or (operation is Operation.INSERT_BEFORE and is_anchor is None):
        items.insert(0, new)
        return True
    if operation is Operation.ADD or (operation is Operation.INSERT_AFTER and is_anchor is None):
        items.append(new)
        return True
    at = next((index for index, one in enumerate(items) if is_anchor is not None and is_anchor(one)), None)
    if at is None:
        return False
    if operation is Operation.REPLACE:
        items[at] = new
    else:
        items.insert(at + (operation is Operation.INSERT_AFTER), new)
    return True
