"""What Envoy would refuse of a message before it looks at what it means: its own declared rules.

Envoy's API declares limits in its descriptors (`validate.rules`, protoc-gen-validate): lengths, ranges, patterns,
what must be there. Envoy checks them when a resource arrives and refuses the whole resource for one value.
The generated messages keep those rules, so they can be checked here, before anything is sent.

Beyond the rules: every Duration must be 0 or more and fit into 64 bits of nanoseconds (Envoy's DurationUtil).
"""

import functools
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any, TypeVar

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from mizzen._api.validate import validate_pb2
from mizzen.envoy.rules import Judge, judge_of
from mizzen.lazy import dataclass

Violation = tuple[str, str]  # (path inside the message, what is wrong there)
_LONGEST_SECONDS = 9_223_372_036  # Envoy: seconds below what 64 bits of nanoseconds hold
# Retries, which most routes have alike, are looked at once.
_REMEMBERED = frozenset({"envoy.config.route.v3.RetryPolicy"})
_MOST_REMEMBERED = 100_000
_clean: dict[str, set[bytes]] = {name: set() for name in _REMEMBERED}  # digests; changes no result


class RefusedByEnvoy(ValueError):
    """Envoy would refuse a message, and all that is sent with it."""


M = TypeVar("M", bound=Message)


def violations(message: Message) -> tuple[Violation, ...]:
    """Everything in `message`, and in what is packed into it, that breaks a rule of Envoy's API."""
    return tuple(_broken(message, ""))


def sound(message: M, but: frozenset[str] = frozenset()) -> M:
    """The message. `but`: fields at its top that are judged elsewhere.

    Raises:
        RefusedByEnvoy: it breaks a rule of Envoy's API.
    """
    if is_sound(message, but):
        return message
    for path, wrong in violations(message):
        if re.split(r"[.\[]", path, maxsplit=1)[0] not in but:
            raise RefusedByEnvoy(f"{path}: {wrong}")
    return message


@dataclass(slots=True)
class _Plan:
    """What is to be looked at in messages of one type."""

    needed: list[str] = field(default_factory=list)  # message fields that must be set
    choices: list[str] = field(default_factory=list)  # oneofs of which one must be set
    values: list[tuple[str, bool, Judge]] = field(default_factory=list)  # (field, only if set, judge)
    inner: set[str] = field(default_factory=set)  # fields that hold messages


@functools.cache
def _plan(kind: Descriptor) -> _Plan:
    plan = _Plan()
    for choice in kind.oneofs:
        if choice.GetOptions().HasExtension(validate_pb2.required):
            plan.choices.append(choice.name)
    for declared in kind.fields:
        options = declared.GetOptions()
        if declared.message_type is not None and not _is_plain(declared.message_type):
            plan.inner.add(declared.name)
        if not options.HasExtension(validate_pb2.rules):
            continue
        rules = options.Extensions[validate_pb2.rules]
        is_required = rules.message.required or rules.duration.required or rules.any.required
        # In a oneof it is required once it is the one that was chosen, and then it is there.
        if is_required and declared.containing_oneof is None:
            plan.needed.append(declared.name)
        if rules.message.skip:
            plan.inner.discard(declared.name)
        if judge := judge_of(declared, rules):
            plan.values.append((declared.name, declared.has_presence, judge))
    return plan


def _broken(message: Message, path: str) -> Iterator[Violation]:
    plan = _plan(message.DESCRIPTOR)
    for name in plan.needed:
        if not message.HasField(name):
            yield _join(path, name), "it must be set"
    for choice in plan.choices:
        if message.WhichOneof(choice) is None:
            yield _join(path, choice), "one of its fields must be set"
    for name, only_if_set, judge in plan.values:
        if (not only_if_set or message.HasField(name)) and (wrong := judge(getattr(message, name))):
            yield _join(path, name), wrong
    for declared, value in message.ListFields():
        if declared.name in plan.inner:
            yield from _inside(declared, value, _join(path, declared.name))


# --- the quick way: is there anything at all? -------------------------------------------------------


@dataclass(slots=True)
class _Quick:
    """The same as a plan, by the fields that are set: nearly all messages are sound, and most fields are not set."""

    needed: frozenset[str]
    choices: list[str]
    unset: frozenset[str]  # without presence, whose default breaks a rule
    # Number of a field -> what judges its value, and what judges the messages in it.
    fields: dict[int, tuple[Judge | None, Callable[[Any], bool] | None]]
    clean: set[bytes] | None  # those that are remembered


@functools.cache
def _quick(kind: Descriptor) -> _Quick:
    plan = _plan(kind)
    judges = {name: judge for name, _, judge in plan.values}
    empty = message_factory.GetMessageClass(kind)()
    return _Quick(
        needed=frozenset(plan.needed),
        choices=plan.choices,
        unset=frozenset(
            name
            for name, only_if_set, judge in plan.values
            if not only_if_set and judge(getattr(empty, name))
        ),
        fields={
            one.number: (judges.get(one.name), _inner_judge(one) if one.name in plan.inner else None)
            for one in kind.fields
            if one.name in judges or one.name in plan.inner
        },
        clean=_clean.get(kind.full_name),
    )


def _inner_judge(declared: FieldDescriptor) -> Callable[[Any], bool]:
    """Judges all messages that a field holds."""
    kind: Any = declared.message_type
    if kind.GetOptions().map_entry:
        inner = kind.fields_by_name["value"].message_type
        if inner is None or _is_plain(inner):
            return lambda _: True
        judge = _judge_of_kind(inner)
        return lambda value: all(map(judge, value.values()))
    judge = _judge_of_kind(kind)
    if declared.is_repeated:
        return lambda value: all(map(judge, value))
    return judge


def _judge_of_kind(kind: Any) -> Callable[[Any], bool]:
    if kind is Duration.DESCRIPTOR:
        return lambda value: 0 <= value.seconds < _LONGEST_SECONDS and value.nanos >= 0
    if kind is AnyMessage.DESCRIPTOR:
        return lambda value: _is_packed_sound(value.type_url, value.value)
    return is_sound


@functools.lru_cache(maxsize=10_000)
def _is_packed_sound(url: str, value: bytes) -> bool:
    inner = _unpacked(AnyMessage(type_url=url, value=value))
    return inner is None or _is_plain(inner.DESCRIPTOR) or _judge_of_kind(inner.DESCRIPTOR)(inner)


def is_sound(message: Message, but: frozenset[str] = frozenset()) -> bool:
    """Would `_broken` find nothing (outside of `but`)?"""
    quick = _quick(message.DESCRIPTOR)
    if quick.clean is None:
        return _is_kept(message, quick, but)
    digest = hashlib.blake2b(message.SerializeToString(), digest_size=16).digest()
    if digest in quick.clean:
        return True
    if kept := _is_kept(message, quick, but):
        if len(quick.clean) >= _MOST_REMEMBERED:
            quick.clean.clear()
        quick.clean.add(digest)
    return kept


def _is_kept(message: Message, quick: _Quick, but: frozenset[str]) -> bool:
    """Are the rules kept, of the message itself and within it?"""
    given = message.ListFields()
    if quick.needed or quick.unset:
        names = {declared.name for declared, _ in given} | but
        if not (quick.needed <= names and quick.unset <= names):
            return False
    for choice in quick.choices:
        if message.WhichOneof(choice) is None:
            return False
    for declared, value in given:
        judges = quick.fields.get(declared.number)
        if judges is None or (but and declared.name in but):
            continue
        judge, inner = judges
        if (judge is not None and judge(value)) or (inner is not None and not inner(value)):
            return False
    return True


# --- the long way: what, and where ------------------------------------------------------------------


@functools.cache
def _is_plain(kind: Any) -> bool:
    """A message of protobuf's own without rules inside: Struct, UInt32Value ..."""
    return kind.file.package == "google.protobuf" and kind not in (Duration.DESCRIPTOR, AnyMessage.DESCRIPTOR)


def _inside(declared: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    """The messages that a field holds."""
    kind: Any = declared.message_type
    if kind.GetOptions().map_entry:
        if kind.fields_by_name["value"].message_type is not None:
            for key, item in value.items():
                yield from _message(item, f"{path}[{key}]")
    elif declared.is_repeated:
        for index, item in enumerate(value):
            yield from _message(item, f"{path}[{index}]")
    else:
        yield from _message(value, path)


def _message(message: Message, path: str) -> Iterator[Violation]:
    if isinstance(message, Duration):
        if message.seconds < 0 or message.nanos < 0:
            yield path, "a duration cannot be less than 0"
        elif message.seconds >= _LONGEST_SECONDS:
            yield path, f"a duration must be less than {_LONGEST_SECONDS}s"
    elif isinstance(message, AnyMessage):
        yield from _packed(message, path)
    elif not _is_plain(message.DESCRIPTOR):
        yield from _broken(message, path)


def _packed(message: AnyMessage, path: str) -> Iterator[Violation]:
    inner = _unpacked(message)
    if inner is not None:
        yield from _message(inner, path)


def _unpacked(message: AnyMessage) -> Message | None:
    """What is in an Any; None where its type is not ours, which is left to Envoy."""
    try:
        kind = descriptor_pool.Default().FindMessageTypeByName(message.TypeName())
        return message_factory.GetMessageClass(kind).FromString(message.value)
    except (KeyError, DecodeError):
        return None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
