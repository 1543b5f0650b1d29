"""What a plain scalar of YAML means: as kubectl reads it, which is YAML 1.1 with exceptions.

yes/no/on/off are booleans, 0x10, 0o17, 0b11 and 017 are numbers, 1_000 is a thousand. Dates and "1:30"
stay text. (sigs.k8s.io/yaml, which kubectl and istioctl use, resolves scalars so.)
"""

import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | float | None] = {
    word: value
    for words, value in (
        ("~ null Null NULL", None),
        ("true True TRUE yes Yes YES on On ON", True),
        ("false False FALSE no No NO off Off OFF", False),
        (".inf .Inf .INF +.inf +.Inf +.INF", float("inf")),
        ("-.inf -.Inf -.INF", float("-inf")),
        (".nan .NaN .NAN", float("nan")),
    )
    for word in words.split()
} | {"": None}
_FIRST = frozenset("0123456789+-.")
_INTEGER = re.compile(
    r"[-+]?(?:0[bB](?P<bin>[01]+)|0[xX](?P<hex>[0-9a-fA-F]+)|0[oO]?(?P<oct>[0-7]+)|(?:0|[1-9][0-9]*))"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# Longer than any number that is one: Python refuses to read thousands of digits, and nobody writes them.
_LONGEST_NUMBER = 400


def resolve(text: str) -> Scalar:
    """The value of a scalar written without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST or len(text) > _LONGEST_NUMBER:
        return text
    plain = text.replace("_", "") if "_" in text else text
    if integer := _INTEGER.fullmatch(plain):
        sign = -1 if plain[0] == "-" else 1
        for group, base in (("bin", 2), ("hex", 16), ("oct", 8)):
            if digits := integer[group]:
                return sign * int(digits, base)
        return int(plain)
    if _FLOAT.fullmatch(plain):
        return float(plain)
    return text
