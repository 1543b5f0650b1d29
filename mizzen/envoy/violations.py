"""What Envoy would refuse of a message before it looks at what it means: its own declared rules.

Envoy's API declares limits in its descriptors (`validate.rules`, protoc-gen-validate): lengths, ranges, patterns,
what must be there. Envoy checks them when a resource arrives and refuses the whole resource for one value.
The generated messages keep those rules, so they can be checked here, before anything is sent.

Beyond the rules: every Duration must be 0 or more and fit into 64 bits of nanoseconds (Envoy's DurationUtil).
"""

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from mizzen._api.validate import validate_pb2
from mizzen.envoy.rules import Judge, judge_of

NOTHING: Mapping[str, Any] = MappingProxyType({})
Violation = tuple[str, str]  # (path inside the message, what is wrong there)
_LONGEST_SECONDS = 9_223_372_036  # Envoy: seconds below what 64 bits of nanoseconds hold
# A route table is one message of all its hosts: those that were looked at before are not looked at again.
_REMEMBERED = "envoy.config.route.v3.VirtualHost"
_MOST_REMEMBERED = 100_000
_clean: set[bytes] = set()  # digests; changes no result


def violations(message: Message) -> tuple[Violation, ...]:
    """Everything in `message`, and in what is packed into it, that breaks a rule of Envoy's API."""
    return tuple(_broken(message, ""))


def broken_resources(
    resources: Mapping[str, Mapping[str, Message]], known: Mapping[str, Mapping[str, Message]] = NOTHING
) -> dict[tuple[str, str], tuple[Violation, ...]]:
    """(type URL, name) -> what each resource breaks; those that break nothing are not among them.

    `known`: resources that were found sound before; the very messages among them are not looked at again.
    """
    found = {}
    for url, named in resources.items():
        before = known.get(url, NOTHING)
        for name, message in named.items():
            if before.get(name) is not message and (wrong := violations(message)):
                found[url, name] = wrong
    return found


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
    elif message.DESCRIPTOR.full_name == _REMEMBERED:
        yield from _remembered(message, path)
    elif not _is_plain(message.DESCRIPTOR):
        yield from _broken(message, path)


def _remembered(message: Message, path: str) -> Iterator[Violation]:
    digest = hashlib.blake2b(message.SerializeToString(), digest_size=16).digest()
    if digest in _clean:
        return
    found = tuple(_broken(message, path))
    if not found:
        if len(_clean) >= _MOST_REMEMBERED:
            _clean.clear()
        _clean.add(digest)
    yield from found


def _packed(message: AnyMessage, path: str) -> Iterator[Violation]:
    """What is in an Any. A type that is not ours is left to Envoy."""
    try:
        kind = descriptor_pool.Default().FindMessageTypeByName(message.TypeName())
        inner = message_factory.GetMessageClass(kind).FromString(message.value)
    except (KeyError, DecodeError):
        return
    yield from _message(inner, path)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
