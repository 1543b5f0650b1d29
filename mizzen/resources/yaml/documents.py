"""A YAML stream, cut into its documents before anything is parsed: a broken one loses only itself."""

import re
from collections.abc import Iterator

from mizzen.lazy import dataclass

_SEPARATOR = re.compile(rb"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]*")
_JSON_VERSION = re.compile(r'"apiVersion"\s*:\s*"([^"\n]*)"')
_JSON_KIND = re.compile(r'"kind"\s*:\s*"(\w+)"')
_IN_BRACES = re.compile(r"[{,]\s*[\"']?(name|namespace)[\"']?\s*:\s*([^,{}]+)")
_INNER_BRACES = re.compile(r"(?<=.)\{[^{}]*\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one document, and the number of lines before it."""

    content: bytes
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a document that cannot be parsed seems to be; "" is not known."""

    api_version: str = ""  # also where two are written
    kind: str = ""
    namespace: str = ""
    name: str = ""


def split(stream: bytes) -> Iterator[Piece]:
    """The documents of a stream, cut at lines of three dashes. Blank ones are left out."""
    start = line = 0
    for cut in [*(match.start() for match in _SEPARATOR.finditer(stream)), len(stream)]:
        piece = stream[start:cut]
        if _only_directives(piece):
            continue  # "%YAML 1.1" belongs to the document behind the dashes
        if not _is_blank(piece):
            yield Piece(piece, line)
        line += piece.count(b"\n")
        start = cut


def _only_directives(piece: bytes) -> bool:
    if b"%" not in piece:
        return False
    lines = [text for text in piece.splitlines() if text.strip() and not text.lstrip().startswith(b"#")]
    return bool(lines) and all(text.startswith(b"%") for text in lines)


def _is_blank(piece: bytes) -> bool:
    body = piece[3:] if piece.startswith(b"---") else piece
    if body.lstrip()[:1] not in (b"", b"#"):
        return False
    return all(not text.strip() or text.lstrip().startswith(b"#") for text in body.splitlines())


def guess(text: str) -> Guess:
    """Read apiVersion, kind, name and namespace off the lines of a document, without understanding the rest."""
    kind, found, inside = "", dict[str, str](), False
    versions: set[str] = set()
    if text.lstrip().startswith("{"):  # JSON
        word = _JSON_KIND.search(text)
        found |= _in_braces(text.partition('"metadata"')[2])
        return Guess(
            api_version=_only(set(_JSON_VERSION.findall(text))),
            kind=word[1] if word else "",
            namespace=found.get("namespace", ""),
            name=found.get("name", ""),
        )
    for line in text.splitlines():
        indented = line[:1] in (" ", "\t")
        key, colon, value = line.partition(":")
        key = key.strip().strip("\"'")
        if not colon:
            continue
        if not indented:
            inside = key == "metadata"
            if inside:
                found |= _in_braces(value)
            if key == "kind":
                kind = kind or _word(value)
            if key == "apiVersion":
                versions.add(_word(value, _VERSION))
        elif inside and key in ("name", "namespace"):
            found.setdefault(key, _word(value))
    return Guess(
        api_version=_only(versions),
        kind=kind,
        namespace=found.get("namespace", ""),
        name=found.get("name", ""),
    )


def _only(words: set[str]) -> str:
    return words.pop() if len(words) == 1 else ""


def _in_braces(text: str) -> dict[str, str]:
    """Name and namespace in a mapping that is written in braces."""
    beginning = text.partition("{")[2]
    outer = "{" + _INNER_BRACES.sub("", f" {beginning}").partition("}")[0]
    words = _IN_BRACES.findall(outer)
    plain = ((key, value.strip().strip("\"'")) for key, value in reversed(words))
    return {key: value for key, value in plain if _NAMED.fullmatch(value)}


def _word(text: str, pattern: re.Pattern[str] = _NAMED) -> str:
    match = pattern.match(text.strip().strip("\"'"))
    return match[0] if match else ""
