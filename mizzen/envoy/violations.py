"""What Envoy would refuse of a message before it looks at what it means: its own declared rules.

Envoy's API declares limits in its descriptors (`validate.rules`, protoc-gen-validate): lengths, ranges, patterns,
what must be there. Envoy checks them when a resource arrives and refuses the whole resource for one value.
The generated messages keep those rules, so they can be checked here, before anything is sent.

Beyond the rules: every Duration must be 0 or more and fit into 64 bits of nanoseconds (Envoy's DurationUtil).
"""

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import re2
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from mizzen._api.validate import validate_pb2

Violation = tuple[str, str]  # (path inside the message, what is wrong there)
_Judge = Callable[[Any], str]  # a value -> what is wrong with it, "" for nothing

_LONGEST_SECONDS = 9_223_372_036  # Envoy: seconds below what 64 bits of nanoseconds hold
_LOOSE = re2.compile(r"[^\x00\n\r]*")
_WELL_KNOWN = {
    (validate_pb2.HTTP_HEADER_NAME, True): re2.compile(r":?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+"),
    (validate_pb2.HTTP_HEADER_VALUE, True): re2.compile(r"[^\x00-\x08\x0A-\x1F\x7F]*"),
}
# A route table is one message of all its hosts: those that were looked at before are not looked at again.
_REMEMBERED = "envoy.config.route.v3.VirtualHost"
_MOST_REMEMBERED = 100_000
_clean: set[bytes] = set()  # digests; changes no result


def violations(message: Message) -> tuple[Violation, ...]:
    """Everything in `message`, and in what is packed into it, that breaks a rule of Envoy's API."""
    return tuple(_broken(message, ""))


@dataclass(slots=True)
class _Plan:
    """What is to be looked at in messages of one type."""

    needed: list[str] = field(default_factory=list)  # message fields that must be set
    choices: list[str] = field(default_factory=list)  # oneofs of which one must be set
    values: list[tuple[str, bool, _Judge]] = field(default_factory=list)  # (field, only if set, judge)
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
        if judge := _field_judge(declared, rules):
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


def _is_plain(kind: Descriptor) -> bool:
    """A message of protobuf's own without rules inside: Struct, UInt32Value ..."""
    return kind.file.package == "google.protobuf" and kind not in (Duration.DESCRIPTOR, AnyMessage.DESCRIPTOR)


def _inside(declared: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    """The messages that a field holds."""
    kind = declared.message_type
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
            yield path, f"a duration must be less than {_LONGEST_SECONDS} s"
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


# --- judges of values -------------------------------------------------------------------------------


def _field_judge(declared: FieldDescriptor, rules: "validate_pb2.FieldRules") -> _Judge | None:
    which = rules.WhichOneof("type")
    if which == "repeated":
        return _repeated(rules.repeated, declared)
    if which == "map":
        return _map(rules.map)
    judge = _judge(rules, declared)
    if judge is None or declared.message_type is None or which == "duration":
        return judge
    wrapped = judge  # a number in a message of its own: UInt32Value and the like
    return lambda value: wrapped(value.value)


def _judge(rules: "validate_pb2.FieldRules", declared: FieldDescriptor) -> _Judge | None:
    """For one value. None where the rules say nothing of it."""
    which = rules.WhichOneof("type")
    match which:
        case "string" | "bytes":
            return _text(getattr(rules, which))
        case "duration":
            return _duration(rules.duration)
        case "enum":
            return _enum(rules.enum, declared)
        case "bool":
            return lambda value: "" if value == rules.bool.const else f"it must be {rules.bool.const}"
        case None | "any" | "message":
            return None
        case _:
            return _number(getattr(rules, which))


def _text(rules: Any) -> _Judge:
    checks: list[_Judge] = []
    given = {declared.name for declared, _ in rules.ListFields()}
    if "min_len" in given:
        checks.append(lambda text: "" if len(text) >= rules.min_len else f"shorter than {rules.min_len}")
    if "max_len" in given:
        checks.append(lambda text: "" if len(text) <= rules.max_len else f"longer than {rules.max_len}")
    if "max_bytes" in given:
        checks.append(
            lambda text: (
                "" if len(text.encode()) <= rules.max_bytes else f"longer than {rules.max_bytes} bytes"
            )
        )
    if "pattern" in given:
        pattern = re2.compile(rules.pattern)
        checks.append(lambda text: "" if pattern.fullmatch(text) else f"it does not match {rules.pattern}")
    if "well_known_regex" in given:
        known = _WELL_KNOWN.get((rules.well_known_regex, rules.strict), _LOOSE)
        checks.append(lambda text: "" if known.fullmatch(text) else "a character that headers cannot have")
    for name, has in (("prefix", str.startswith), ("suffix", str.endswith)):
        if name in given:
            part: str = getattr(rules, name)
            checks.append(
                lambda text, has=has, name=name, part=part: "" if has(text, part) else f"its {name} is not {part}"
            )
    if "in" in given:
        allowed = frozenset(getattr(rules, "in"))
        checks.append(lambda text: "" if text in allowed else f"it is none of {', '.join(sorted(allowed))}")
    return _all(checks, ignore_empty="ignore_empty" in given)


def _number(rules: Any) -> _Judge:
    checks: list[_Judge] = []
    for declared, limit in rules.ListFields():
        if (compare := _COMPARE.get(declared.name)) is not None:
            fits, words = compare
            checks.append(
                lambda value, fits=fits, words=words, limit=limit: "" if fits(value, limit) else f"{words} {limit:g}"
            )
    return _all(checks, ignore_empty=bool(rules.ignore_empty))


_COMPARE: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "lt": (lambda value, limit: value < limit, "it must be less than"),
    "lte": (lambda value, limit: value <= limit, "it must be at most"),
    "gt": (lambda value, limit: value > limit, "it must be more than"),
    "gte": (lambda value, limit: value >= limit, "it must be at least"),
}


def _duration(rules: "validate_pb2.DurationRules") -> _Judge:
    checks: list[_Judge] = []
    for declared, limit in rules.ListFields():
        if (compare := _COMPARE.get(declared.name)) is not None:
            fits, words = compare
            bound = _nanoseconds(limit)
            checks.append(
                lambda value, fits=fits, words=words, bound=bound: (
                    "" if fits(_nanoseconds(value), bound) else f"{words} {bound / 1e9:g} s"
                )
            )
    return _all(checks, ignore_empty=False)


def _nanoseconds(value: Duration) -> int:
    return value.seconds * 1_000_000_000 + value.nanos


def _enum(rules: "validate_pb2.EnumRules", declared: FieldDescriptor) -> _Judge:
    known = frozenset(declared.enum_type.values_by_number) if rules.defined_only else None
    refused = frozenset(rules.not_in)

    def judge(value: int) -> str:
        return "there is no such value" if value in refused or (known and value not in known) else ""

    return judge


def _repeated(rules: "validate_pb2.RepeatedRules", declared: FieldDescriptor) -> _Judge:
    item = _judge(rules.items, declared) if rules.HasField("items") else None

    def judge(values: Any) -> str:
        if len(values) < rules.min_items:
            return f"fewer than {rules.min_items} items"
        if rules.max_items and len(values) > rules.max_items:
            return f"more than {rules.max_items} items"
        if rules.unique and len(set(values)) < len(values):
            return "an item stands twice"
        return next((f"[{i}]: {wrong}" for i, value in enumerate(values) if item and (wrong := item(value))), "")

    return judge


def _map(rules: "validate_pb2.MapRules") -> _Judge:
    key = _text(rules.keys.string) if rules.HasField("keys") else None

    def judge(values: Any) -> str:
        if len(values) < rules.min_pairs:
            return f"fewer than {rules.min_pairs} entries"
        return next((f"key {name!r}: {wrong}" for name in values if key and (wrong := key(name))), "")

    return judge


def _all(checks: list[_Judge], *, ignore_empty: bool) -> _Judge:
    if len(checks) == 1 and not ignore_empty:
        return checks[0]

    def judge(value: Any) -> str:
        if ignore_empty and not value:
            return ""
        return next((wrong for check in checks if (wrong := check(value))), "")

    return judge
