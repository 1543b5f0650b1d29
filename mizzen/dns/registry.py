"""Whose records are: beside each HTTPS record that mizzen writes stands a TXT record that says so.

Only records beside which stands our own word are replaced or removed, whatever else is forgotten: a run-dir is lost with a
restart of the machine, and the next replica knows nothing of the one before it.
"""

import re

from mizzen.dns.record import Unnameable

HERITAGE = "heritage=mizzen"
_PREFIX = "_mizzen"
# A name with an asterisk inside would be no wildcard, but programs take it for one.
_WILDCARD = "_wildcard"
_LONGEST_NAME = 254  # with the dot at its end
_WORD = re.compile(rf"{HERITAGE},owner=(.*)")


def registry_name(name: str) -> str:
    """Where the word on the records of an absolute name stands: "_mizzen.www.example.com.".

    Raises:
        Unnameable: if that would be too long.
    """
    labels = [_WILDCARD if label == "*" else label for label in name.split(".")]
    made = ".".join((_PREFIX, *labels))
    if len(made) > _LONGEST_NAME:
        raise Unnameable(f"the name of its registration would be too long ({len(made) - 1} letters)")
    return made


def word(owner: str) -> str:
    """The content of that TXT record."""
    return f"{HERITAGE},owner={owner}"


def owner_in(text: str) -> str | None:
    """Who says it is his; None: that is not such a word."""
    found = _WORD.fullmatch(text)
    return found[1] if found else None
