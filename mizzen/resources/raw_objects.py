"""Text -> plain objects: the last stage that knows YAML, the first that knows what an object is."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from mizzen.errors import Place, Problem, ResourceRef, Severity, capped
from mizzen.guard import Stage, fault
from mizzen.lazy import dataclass
from mizzen.resources.kinds import group_of
from mizzen.resources.yaml.construct import Broken, Constructed, Doubled, construct_values
from mizzen.resources.yaml.documents import Piece, guess, split
from mizzen.resources.yaml.written import Written, WrittenPlaces

_BOM = b"\xef\xbb\xbf"
# Generous: 10,000 VirtualServices are some 5 MB.
LARGEST_FILE = 256 * 1024 * 1024  # bytes
_MOST_DOCUMENTS = 200_000  # in a file
_READ_BY_LINES = frozenset({"DestinationRule", "Gateway"})


@dataclass(frozen=True, kw_only=True)  # without slots: see _Data
class RawObject:
    """One object as it was written. Two are equal when text and place are."""

    kind: str
    api_version: str
    namespace: str  # "" where it is not written
    name: str
    data: Mapping[str, Any] = field(compare=False, repr=False)
    ref: ResourceRef = field(compare=False)
    digest: str  # of its text and of where that stands: whatever follows from the object can be kept by it
    unread: str = ""  # why `data` does not say what the object says: it takes no part
    aside: tuple[Problem, ...] = field(
        default=(), compare=False
    )  # why it takes no part, although it reads well

    def forget_data(self) -> None:
        """Keep the text alone, a tenth of the size, where it came from a text: `data` is read from it again when somebody
        asks. For who has made of it what he needed."""
        if self.kind not in _ASKED_OFTEN:
            _DATA.forget(self)


# Of these `data` is looked at with every change (sources.named_files).
_ASKED_OFTEN = frozenset({"DestinationRule", "TrafficExtension", "WasmPlugin"})


class _Data:
    """`RawObject.data`: what was given, or what the text says.

    What stands in for it is no field, so `dataclasses.replace` with other data does not take it along.
    """

    def __get__(self, raw: RawObject | None, owner: type[RawObject]) -> Any:
        if raw is None:
            return self
        known = vars(raw)
        value = known["_data"]
        if value is None:
            value = known["_data"] = known["_written"].value()
        return value

    def __set__(self, raw: RawObject, value: Mapping[str, Any]) -> None:
        vars(raw)["_data"] = value

    def written(self, raw: RawObject, text: Written) -> RawObject:
        """`raw`, all of whose data is what a document says."""
        vars(raw)["_written"] = text
        return raw

    def forget(self, raw: RawObject) -> None:
        if "_written" in vars(raw):
            vars(raw)["_data"] = None


_DATA = _Data()
RawObject.data = _DATA  # type: ignore[assignment]  # what a field is in the dataclass is read through this


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenDocument(Problem):
    """What is wrong with a document that gives no object, and its text. Of a kind that is read by its lines alone."""

    text: str = field(default="", compare=False, repr=False)


def parse_documents(text: str | bytes, file: str) -> tuple[tuple[RawObject, ...], tuple[Problem, ...]]:
    """The objects of a YAML (or JSON) text, and what is wrong with the rest of it. Raises nothing.

    Each document is parsed by itself. One with an error gives no object; its problem names the object as
    far as the lines of the document tell. Places name `file`.
    """
    stream = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    objects: list[RawObject] = []
    problems: list[Problem] = []
    if len(stream) > LARGEST_FILE:
        return (), (_too_large(file, 1, f"this file has more than {LARGEST_FILE} bytes: none of it is read"),)
    for number, piece in enumerate(split(stream.removeprefix(_BOM))):
        if number == _MOST_DOCUMENTS:
            message = f"this file has more than {_MOST_DOCUMENTS} documents: from here on none is read"
            problems.append(_too_large(file, piece.line + 1, message))
            break
        for found in _guarded(piece, file):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                objects.append(found)
    if not objects and not problems:
        problems.append(_nothing(file))
    return tuple(objects), capped(problems)


def _guarded(piece: Piece, file: str) -> tuple[RawObject | Problem, ...]:
    try:
        return tuple(_with_text(found, piece) for found in _read_piece(piece, file))
    except Exception as error:  # noqa: BLE001  # the other documents are read all the same
        ref = _seeming(piece.content.decode(errors="replace"), Place(file, piece.line + 1, 1))
        return (fault(Stage.READ, ref, error),)


def _with_text(found: RawObject | Problem, piece: Piece) -> RawObject | Problem:
    """A DestinationRule or Gateway is missed where it is not read: its text tells what it may have been for."""
    if isinstance(found, RawObject) or found.resource.kind not in _READ_BY_LINES:
        return found
    return BrokenDocument(
        severity=found.severity,
        code=found.code,
        resource=found.resource,
        field=found.field,
        message=found.message,
        hint=found.hint,
        text=piece.content.decode(errors="replace"),
    )


def _too_large(file: str, line: int, message: str) -> Problem:
    return Problem(
        code="YML-006",
        resource=ResourceRef(kind="File", name=file, places={"": Place(file, line, 1)}),
        message=message,
        hint="Write less, or into several files.",
    )


def _nothing(file: str) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        code="YML-005",
        resource=ResourceRef(kind="File", name=file, places={"": Place(file, 1, 1)}),
        message="there is no object in this file",
        hint="Remove the file, or write an object into it.",
    )


def _read_piece(piece: Piece, file: str) -> Iterator[RawObject | Problem]:
    try:
        text = piece.content.decode()
    except UnicodeDecodeError as error:
        before = piece.content[: error.start]
        line = before.count(b"\n")
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace"))
        yield _broken(
            piece.content.decode(errors="replace"),
            Place(file, piece.line + line + 1, column + 1),
            "YML-002",
            f"the byte 0x{piece.content[error.start]:02x} is not UTF-8",
            "Save the file as UTF-8.",
        )
        return
    try:
        documents = construct_values(text)
    except Broken as error:
        place = Place(file, piece.line + error.line, error.column)
        if error.is_too_large:
            hint = "Write it in less, or into several documents."
            yield _broken(text, place, "YML-006", f"this document is too large: {error.message}", hint)
            return
        yield _broken(text, place, "YML-001", f"this cannot be read as YAML: {error.message}", _hint(error))
        return
    seal = hashlib.blake2b(f"{file}\n{piece.line}\n".encode(errors="replace"), digest_size=16)
    seal.update(piece.content)
    for number, document in enumerate(documents):
        if document.value is not None:
            written = Written(file, piece.content, number, piece.line)
            yield from _objects(document, written, piece.line, f"{seal.hexdigest()}.{number}")


def _hint(error: Broken) -> str:
    if "cannot start any token" in error.message:
        return (
            "Look for a tab: YAML is indented with spaces. Put quotes around a text that begins with a sign."
        )
    return ""


def _broken(text: str, place: Place, code: str, message: str, hint: str) -> Problem:
    return Problem(code=code, resource=_seeming(text, place), message=message, hint=hint)


def _seeming(text: str, place: Place) -> ResourceRef:
    """What a document seems to be that cannot be read."""
    seems = guess(text)
    return ResourceRef(
        kind=seems.kind or "Document",
        group=group_of(seems.kind, seems.api_version),
        namespace=seems.namespace,
        name=seems.name,
        places={"": place},
    )


def _objects(
    document: Constructed, written: Written, line: int, digest: str
) -> Iterator[RawObject | Problem]:
    start = document.places[""]
    places = WrittenPlaces(written, (line + start[0], start[1]))
    starts: dict[str, tuple[int, int]] | None = None
    for value, path, number in _items(document.value):
        if not path:
            for found in _object(value, places, document.doubled, written.file, line, f"{digest}{number}"):
                yield _DATA.written(found, written) if isinstance(found, RawObject) else found
            continue
        if starts is None:
            starts = written.read_places()
        doubled = [twice for twice in document.doubled if twice.path.startswith(path)]
        inside = WrittenPlaces(written, starts.get(path), path)
        strip = len(path) + 1
        yield from _object(value, inside, doubled, written.file, line, f"{digest}{number}", strip=strip)


def _items(value: Any, path: str = "", number: str = "") -> Iterator[tuple[Any, str, str]]:
    """Each object that a document holds, its path and number: itself, or what a List, a list of one kind
    (AuthorizationPolicyList, whose items need not say theirs) and lists in lists have in them, as for kubectl."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not (isinstance(kind, str) and kind.endswith("List") and isinstance(value.get("items"), list)):
        yield value, path, number
        return
    of = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
    for index, item in enumerate(value["items"]):
        named = {**of, **item} if of and isinstance(item, dict) and not item.get("kind") else item
        yield from _items(named, f"{path}.items[{index}]".lstrip("."), f"{number}.{index}")


def _object(
    data: Any,
    places: WrittenPlaces,
    doubled: list[Doubled],
    file: str,
    line: int,
    digest: str,
    *,
    strip: int = 0,
) -> Iterator[RawObject | Problem]:
    if not isinstance(data, dict):
        yield Problem(
            code="YML-004",
            resource=ResourceRef(kind="Document", places=places),
            message=f"an object is a mapping with apiVersion, kind and metadata; this is {_called(data)}",
        )
        return
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    # Of two apiVersions, nobody knows which is meant: it counts as missing.
    is_unclear = any(twice.path[strip:] == "apiVersion" for twice in doubled)
    ref = ResourceRef(
        kind=_text(data.get("kind")) or "Document",
        group=group_of(_text(data.get("kind")), "" if is_unclear else _text(data.get("apiVersion"))),
        namespace=_text(metadata.get("namespace")),
        name=_text(metadata.get("name")),
        places=places,
    )
    for twice in doubled:
        at = {twice.path[strip:]: Place(file, line + twice.line, twice.column)}
        yield Problem(
            code="YML-003",
            resource=replace(ref, places=at),
            field=twice.path[strip:],
            message=f"{twice.key!r} stands twice, first in line {line + twice.first_line}",
            hint="Only one of the two can be meant: remove the other.",
        )
    if not doubled:
        yield RawObject(
            kind=_text(data.get("kind")),
            api_version=_text(data.get("apiVersion")),
            namespace=ref.namespace,
            name=ref.name,
            data=data,
            ref=ref,
            digest=digest,
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _called(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return f"only {value!r:.40}"
