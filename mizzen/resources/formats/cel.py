"""What Envoy 1.40 takes as an expression in CEL (Common Expression Language), such as `response.code >= 400`.

One that it cannot read makes it refuse every listener that has it. The grammar is that of the language
(cel-spec, doc/langdef.md); functions, and what is switched off, were tried out on Envoy 1.40: macros over lists (`exists`,
`all`, `map` ...), `string()`, extensions and messages are refused.
"""

import re
from collections.abc import Iterator, Mapping

import re2

from mizzen.lazy import dataclass

LONGEST = 4096  # characters; Envoy takes more, and nobody writes them
DEEPEST = 24  # steps of nesting, of members and of operators in a row: Envoy's parser gives up at 32
_LARGEST_PROGRAM = 100  # of a pattern: RE2's size of it, Envoy's limit

# What an expression may begin with (Envoy, "Attributes"); anything else is never there.
ATTRIBUTES = frozenset(
    {"request", "response", "connection", "upstream", "source", "destination", "metadata"}
    | {"filter_state", "upstream_filter_state", "xds"}
)
_TYPES = frozenset({"bool", "bytes", "double", "google", "int", "list", "map", "null_type", "type", "uint"})

_STRING = r"""(?P<prefix>[bB]?[rR]?|[rR]?)(?P<quote>\"\"\"|'''|"|')"""
_TOKEN = re.compile(
    r"(?P<space>(?:\s|//[^\n]*)+)"
    r"|(?P<float>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)"
    r"|(?P<integer>0x[0-9a-fA-F]+|[0-9]+)(?P<unsigned>[uU])?"
    rf"|(?:{_STRING})"
    r"|(?P<word>[_a-zA-Z][_a-zA-Z0-9]*)"
    r"|(?P<sign>&&|\|\||<=|>=|==|!=|[-+*/%!<>?:.,()\[\]{}])",
    re.ASCII,
)
_ESCAPE = r"\\(?:[abfnrtv\"'`\\?]|[xX][0-9a-fA-F]{2}|[0-3][0-7]{2})"
_TEXT_ESCAPE = re.compile(
    rf"{_ESCAPE}|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{{4}}|\\U000[0-9a-fA-F]{{5}}|\\U0010[0-9a-fA-F]{{4}}"
)
_BYTES_ESCAPE = re.compile(_ESCAPE)
_WORDS = (
    "as break const continue else for function if import let loop package namespace return var void while"
)
_RESERVED = frozenset(_WORDS.split())
_LITERALS = frozenset({"true", "false", "null"})

# Name -> how many arguments it takes.
_FUNCTIONS = {
    **dict.fromkeys(("size", "int", "uint", "double", "bool", "bytes", "dyn", "type"), (1,)),
    **dict.fromkeys(("duration", "timestamp"), (1,)),
    **dict.fromkeys(("matches", "contains", "startsWith", "endsWith"), (2,)),
}
_OF_TIME = """
    getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds
"""
_METHODS = {
    "size": (0,),
    **dict.fromkeys(("matches", "contains", "startsWith", "endsWith"), (1,)),
    **dict.fromkeys(_OF_TIME.split(), (0, 1)),
}
_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_RELATIONS = frozenset({"<", "<=", ">", ">=", "==", "!=", "in"})
_OPERATORS = (_RELATIONS, frozenset("+-"), frozenset("*/%"))  # each binds closer than those before


class _Wrong(Exception):
    """What is wrong with an expression."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "number", "string", "word", "sign", "end"
    text: str
    at: int
    value: str = ""  # of a string without an escape in it


def wrong_expression(text: str) -> str:
    """What Envoy would not take of an expression; "" when it takes all of it."""
    try:
        _Parser(text).whole()
    except _Wrong as wrong:
        return str(wrong)
    return ""


def unknown_roots(text: str) -> tuple[str, ...]:
    """The names in a good expression that stand for nothing: whatever is asked of them is an error, each time."""
    parser = _Parser(text)
    parser.whole()
    return tuple(sorted(parser.roots - ATTRIBUTES - _TYPES))


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _Wrong(f"at {text[at : at + 20]!r}: nothing begins like this")
        start, at = at, token.end()
        if token["space"]:
            continue
        if token["quote"]:
            value, at = _string(text, token["prefix"].lower(), token["quote"], at)
            yield _Token("string", text[start:at], start, value)
        elif token["integer"]:
            yield _number(token["integer"], bool(token["unsigned"]), start)
        elif token["float"]:
            yield _Token("number", token[0], start)
        else:
            kind = "word" if token["word"] and token["word"] != "in" else "sign"
            yield _Token(kind, token[0], start)
    yield _Token("end", "", len(text))


def _number(text: str, unsigned: bool, at: int) -> _Token:
    least = 2**64 if unsigned else 2**63
    if len(text) > 24 or int(text, 16 if text.startswith("0x") else 10) >= least:
        raise _Wrong(f"the number {text[:24]} is too large")
    return _Token("number", text, at)


def _string(text: str, prefix: str, quote: str, at: int) -> tuple[str, int]:
    """The content of a string that begins at `at` ("" where it has escapes), and where it ends."""
    is_raw, escape = "r" in prefix, _BYTES_ESCAPE if "b" in prefix else _TEXT_ESCAPE
    start, plain = at, True
    while not text.startswith(quote, at):
        if at >= len(text) or (len(quote) == 1 and text[at] in "\r\n"):
            raise _Wrong(f"the text that begins at {text[start - len(quote) :][:20]!r} has no end")
        if text[at] == "\\" and not is_raw:
            escaped = escape.match(text, at)
            if escaped is None:
                raise _Wrong(f"{text[at : at + 6]!r} is no escape")
            at, plain = escaped.end(), False
        else:
            at += 1
    if is_raw and text[at - 1] == "\\":
        raise _Wrong("a raw text does not end with a backslash")
    return (text[start:at] if plain else ""), at + len(quote)


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise _Wrong(f"the expression is longer than {LONGEST} characters")
        self.tokens = tuple(_tokens(text))
        self.at = 0
        self.roots: set[str] = set()

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def take(self, *texts: str) -> bool:
        """Is the next one of these signs? Then it is passed."""
        if self.next.kind == "sign" and self.next.text in texts:
            self.at += 1
            return True
        return False

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise self.unexpected(f"{sign!r} is missing")

    def unexpected(self, what: str) -> _Wrong:
        text = "at its end" if self.next.kind == "end" else f"at {self.next.text[:20]!r}"
        return _Wrong(f"{text}: {what}")

    def whole(self) -> None:
        self.expression(0)
        if self.next.kind != "end":
            raise self.unexpected("an operator was expected")

    def expression(self, depth: int) -> None:
        _deep(depth)
        self.any_of(depth)
        if self.take("?"):
            self.any_of(depth + 1)
            self.need(":")
            self.expression(depth + 1)

    def any_of(self, depth: int) -> None:
        self.all_of(depth)
        while self.take("||"):
            self.all_of(depth)

    def all_of(self, depth: int) -> None:
        self.operation(depth, 0)
        while self.take("&&"):
            self.operation(depth, 0)

    def operation(self, depth: int, level: int) -> None:
        """Operators of one level in a row, from the left."""
        if level == len(_OPERATORS):
            self.unary(depth)
            return
        self.operation(depth, level + 1)
        while self.take(*_OPERATORS[level]):
            depth += 1
            _deep(depth)
            self.operation(depth, level + 1)

    def unary(self, depth: int) -> None:
        sign = next((sign for sign in "!-" if self.take(sign)), "")
        while sign and self.take(sign):
            pass
        if self.next.text == "-" and self.tokens[self.at + 1].kind == "number":
            self.at += 1
        self.member(depth)

    def member(self, depth: int) -> None:
        owner = self.primary(depth)
        while True:
            if self.take("."):
                self.field(depth, owner)
            elif self.take("["):
                self.expression(depth + 1)
                self.need("]")
            else:
                return
            owner, depth = "", depth + 1
            _deep(depth)

    def field(self, depth: int, owner: str) -> None:
        name = self.next
        if name.kind != "word" or name.text in _LITERALS:
            raise self.unexpected("the name of a field was expected")
        self.at += 1
        if self.take("("):
            if owner == "re" and name.text in ("extract", "capture", "captureN"):
                self.arguments(depth, name.text, {"extract": (3,), "capture": (2,), "captureN": (2,)})
            else:
                self.arguments(depth, name.text, _METHODS)

    def primary(self, depth: int) -> str:
        """The name that it is, "" for anything else."""
        token = self.next
        if token.kind in ("string", "number") or (token.kind == "word" and token.text in _LITERALS):
            self.at += 1
        elif self.take("("):
            self.expression(depth + 1)
            self.need(")")
        elif self.take("["):
            self.items(depth, "]")
        elif self.take("{"):
            self.items(depth, "}", pairs=True)
        else:
            return self.name(depth)
        return ""

    def name(self, depth: int) -> str:
        self.take(".")
        token = self.next
        if token.kind != "word" or token.text in _RESERVED or token.text in _LITERALS:
            raise self.unexpected("a value was expected")
        self.at += 1
        if not self.take("("):
            if token.text != "re":
                self.roots.add(token.text)
            return token.text
        if token.text == "has":
            self.has(depth)
        else:
            self.arguments(depth, token.text, _FUNCTIONS)
        return ""

    def has(self, depth: int) -> None:
        """has(a.b): its argument ends with the name of a field."""
        start = self.at
        self.expression(depth + 1)
        ends = [token.text for token in self.tokens[max(start, self.at - 2) : self.at]]
        if len(ends) != 2 or ends[0] != "." or self.tokens[self.at - 1].kind != "word":
            raise self.unexpected("has() takes a field, as in has(request.headers)")
        self.need(")")

    def arguments(self, depth: int, name: str, known: Mapping[str, tuple[int, ...]]) -> None:
        start = self.at
        count = self.items(depth, ")")
        if name in _MACROS:
            raise _Wrong(f"{name}() is switched off in Envoy")
        if name not in known:
            raise _Wrong(f"there is no function {name}() here")
        if count not in known[name]:
            raise _Wrong(f"{name}() takes {' or '.join(map(str, known[name]))} arguments, not {count}")
        pattern = self.tokens[self.at - 2]
        if name == "matches" and pattern.kind == "string" and (self.at - start == 2 or count == 2):
            _check_pattern(pattern)

    def items(self, depth: int, end: str, *, pairs: bool = False) -> int:
        """Expressions (or pairs of them) up to `end`, and how many there were."""
        count = 0
        while not self.take(end):
            if count:
                self.need(",")
                if end != ")" and self.take(end):
                    break
            self.expression(depth + 1)
            if pairs:
                self.need(":")
                self.expression(depth + 1)
            count += 1
        return count


def _deep(depth: int) -> None:
    if depth > DEEPEST:
        raise _Wrong(f"more than {DEEPEST} steps lie within one another, or follow one another")


def _check_pattern(token: _Token) -> None:
    if not token.value:
        raise _Wrong(f"the pattern {token.text[:40]} is empty, or has escapes in it: write it as r'...'")
    options = re2.Options()
    options.log_errors = False
    try:
        pattern = re2.compile(token.value, options)
    except re2.error:
        raise _Wrong(f"{token.text[:40]} is no pattern of RE2") from None
    if pattern.programsize > _LARGEST_PROGRAM:
        raise _Wrong(f"the pattern {token.text[:40]} is too large for Envoy")
