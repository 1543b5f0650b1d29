"""One YAML document -> plain values, with the place of every key, from the events of libyaml.

Stock constructors take the last of two equal keys in silence, make dates of dates, and keep no places.
"""

import base64
import binascii
import sys
from collections.abc import Callable
from dataclasses import field
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # its stubs leave libyaml's parser out

from mizzen.lazy import dataclass
from mizzen.resources.yaml.places import child
from mizzen.resources.yaml.scalars import Scalar, resolve

Value = Any  # dict[str, Value] | list[Value] | Scalar: as deep as the document goes

_TAG = "tag:yaml.org,2002:"
_DEEPEST = 100  # levels; nothing that Kubernetes stores comes near
_LONGEST_SCALAR = 8 * 1024 * 1024  # letters; an API server takes objects of 1.5 MiB
# Nodes that aliases and merge keys may repeat in a document: so many, and so many for each that is written. What
# is written costs its author as much as us; a repetition costs five letters.
_REPEATED = 10_000
_REPEATED_EACH = 16
_UNFINISHED = object()
_MERGE = "<<"
_SHARED = 64  # letters of a text that is kept once


class Broken(Exception):
    """The document cannot be read on. `line` and `column` count from 1 within the document."""

    def __init__(self, message: str, line: int, column: int, *, is_too_large: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.is_too_large = is_too_large  # well-formed, and more than is taken


@dataclass(frozen=True, slots=True)
class Doubled:
    """A key that one mapping holds twice."""

    path: str
    key: str
    line: int
    column: int
    first_line: int


@dataclass(slots=True)
class Constructed:
    """What one document says. Lines and columns count from 1 within the document."""

    value: Value
    places: dict[str, tuple[int, int]]
    doubled: list[Doubled]


def construct_values(text: str) -> list[Constructed]:
    """The same as `construct`, in two thirds of the time; of the places there may be only that of each document ("").

    Raises:
        Broken: at the first place where the text is no YAML.
    """
    try:
        return _plain_documents(text)
    except (_NotPlain, yaml.YAMLError):
        return construct(text)  # which also knows what to say of it


def construct(text: str) -> list[Constructed]:
    """Every document of `text` (more than one only behind a line of three dots).

    Raises:
        Broken: at the first place where the text is no YAML.
    """
    parser = CParser(text)
    found = []
    try:
        while not parser.check_event(yaml.StreamEndEvent):
            event = parser.get_event()
            if isinstance(event, yaml.DocumentStartEvent):
                found.append(_Document(parser.get_event).read())
    except yaml.MarkedYAMLError as error:
        raise _from_mark(error) from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        raise Broken("a character that YAML does not allow stands here", line, column) from None
    finally:
        parser.dispose()
    return found


def _from_mark(error: yaml.MarkedYAMLError) -> Broken:
    mark = error.problem_mark or error.context_mark
    what = error.problem or "this is no YAML"
    if error.context:
        what = f"{what} ({error.context})"
    if mark is None:
        return Broken(what, 1, 1)
    return Broken(what, mark.line + 1, mark.column + 1)


class _NotPlain(Exception):
    """Something that needs more than the values: an anchor, an alias, a tag, a key that stands twice, a limit."""


def _plain_documents(text: str) -> list[Constructed]:
    parser = CParser(text)
    found = []
    try:
        following: Callable[[], Any] = parser.get_event
        while type(event := following()) is not yaml.StreamEndEvent:
            if type(event) is yaml.DocumentStartEvent:
                event = following()
                start = (event.start_mark.line + 1, event.start_mark.column + 1)
                found.append(Constructed(_plain(event, following, 0), {"": start}, []))
    finally:
        parser.dispose()
    return found


def _plain(event: Any, following: Callable[[], Any], depth: int) -> Value:
    """The value that begins with `event`. Names of fields and short texts are kept once, however often they stand."""
    kind = type(event)
    if event.anchor is not None or kind is yaml.AliasEvent:
        raise _NotPlain
    if kind is yaml.ScalarEvent:
        text: str = event.value
        if event.tag is not None or len(text) > _LONGEST_SCALAR:
            raise _NotPlain
        if len(text) <= _SHARED:
            text = sys.intern(text)
        return resolve(text) if event.implicit[0] else text
    if depth == _DEEPEST:
        raise _NotPlain
    if kind is yaml.SequenceStartEvent:
        items = []
        while type(event := following()) is not yaml.SequenceEndEvent:
            items.append(_plain(event, following, depth + 1))
        return items
    entries: dict[str, Value] = {}
    while type(event := following()) is not yaml.MappingEndEvent:
        if type(event) is not yaml.ScalarEvent or event.anchor is not None:
            raise _NotPlain
        key = sys.intern(event.value)
        if key in entries or (key == _MERGE and event.implicit[0]):
            raise _NotPlain
        entries[key] = _plain(following(), following, depth + 1)
    return entries


@dataclass(slots=True)
class _Document:
    """Consumes the events of one document."""

    next: Callable[[], Any]
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    doubled: list[Doubled] = field(default_factory=list)
    anchors: dict[str, Value] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)  # of what anchors stand for, in nodes
    depth: int = 0
    written: int = 0  # nodes and aliases so far
    repeated: int = 0  # by aliases

    def read(self) -> Constructed:
        event = self.next()
        self.places[""] = (event.start_mark.line + 1, event.start_mark.column + 1)
        return Constructed(self._node(event, ""), self.places, self.doubled)

    def _node(self, event: Any, path: str) -> Value:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self.written += 1
            value: Value = _scalar(event)
            if event.anchor is not None:
                self.anchors[event.anchor], self.sizes[event.anchor] = value, 1
            return value
        if kind is yaml.AliasEvent:
            return self._alias(event)
        if self.depth == _DEEPEST:
            raise _at(event, f"more than {_DEEPEST} levels deep")
        if event.anchor is not None:
            self.anchors[event.anchor] = _UNFINISHED
        before = self.written + self.repeated
        self.written += 1
        self.depth += 1
        value = self._mapping(path) if kind is yaml.MappingStartEvent else self._sequence(path)
        self.depth -= 1
        if event.anchor is not None:
            self.anchors[event.anchor] = value
            self.sizes[event.anchor] = self.written + self.repeated - before
        return value

    def _alias(self, event: Any) -> Value:
        if event.anchor not in self.anchors:
            raise _at(event, f"nothing is called &{event.anchor} before *{event.anchor}")
        value = self.anchors[event.anchor]
        if value is _UNFINISHED:
            raise _at(event, f"*{event.anchor} stands inside of what it stands for")
        self.written += 1
        self.repeated += self.sizes[event.anchor]
        most = _REPEATED + _REPEATED_EACH * self.written
        if self.repeated > most:
            message = f"aliases repeat more than {most} values up to here"
            raise _at(event, message, is_too_large=True)
        return value

    def _sequence(self, path: str) -> list[Value]:
        items: list[Value] = []
        while type(event := self.next()) is not yaml.SequenceEndEvent:
            at = f"{path}[{len(items)}]"
            mark = event.start_mark
            self.places[at] = (mark.line + 1, mark.column + 1)
            items.append(self._node(event, at))
        return items

    def _mapping(self, path: str) -> dict[str, Value]:
        entries: dict[str, Value] = {}
        lines: dict[str, int] = {}
        merged: list[dict[str, Value]] = []
        while type(event := self.next()) is not yaml.MappingEndEvent:
            mark = event.start_mark
            key = self._key(event)
            if key is None:
                merged += self._merge(self.next())
                continue
            at = child(path, key)
            if key in lines:
                self.doubled.append(Doubled(at, key, mark.line + 1, mark.column + 1, lines[key]))
            lines[key] = mark.line + 1
            self.places[at] = (mark.line + 1, mark.column + 1)
            entries[key] = self._node(self.next(), at)
        for source in merged:
            for key, value in source.items():
                entries.setdefault(key, value)
        return entries

    def _key(self, event: Any) -> str | None:
        """The name of a field as it is written (`on:` and `443:` too are texts); None for a merge key."""
        if type(event) is yaml.AliasEvent:
            value = self._alias(event)
            if isinstance(value, str):
                return value
        if type(event) is not yaml.ScalarEvent:
            raise _at(event, "the name of a field must be a text")
        if event.value == _MERGE and event.implicit[0]:
            return None
        if event.anchor is not None:
            self.anchors[event.anchor], self.sizes[event.anchor] = event.value, 1
        return str(event.value)

    def _merge(self, event: Any) -> list[dict[str, Value]]:
        value = self._node(event, "<<")
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise _at(event, "<< takes a mapping, or a list of mappings")
        return sources


def _at(event: Any, message: str, *, is_too_large: bool = False) -> Broken:
    mark = event.start_mark
    return Broken(message, mark.line + 1, mark.column + 1, is_too_large=is_too_large)


def _scalar(event: Any) -> Scalar:
    tag = event.tag
    text: str = event.value
    if len(text) > _LONGEST_SCALAR:
        raise _at(event, f"a value of more than {_LONGEST_SCALAR} letters", is_too_large=True)
    if event.implicit[0] and tag is None:
        return resolve(text)
    if tag is None or tag in (_TAG + "str", _TAG + "timestamp", "!"):
        return text
    if tag == _TAG + "binary":
        try:
            return base64.b64decode(text).decode(errors="replace")
        except (binascii.Error, ValueError):
            raise _at(event, "this is not base64") from None
    value = resolve(text)
    if tag == _TAG + "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    names: dict[str, tuple[type, ...]] = {
        "int": (int,),
        "float": (float,),
        "bool": (bool,),
        "null": (type(None),),
    }
    if type(value) in names.get(tag.removeprefix(_TAG), ()):
        return value
    raise _at(event, f"{tag.replace(_TAG, '!!')} does not fit {text!r}")
