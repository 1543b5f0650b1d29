"""Decoders of single values: what is written -> what a field holds, or a problem that says why not.

Each takes (value, path, findings) and returns the value, or `BAD` after it has reported. They are as
strict as an API server: a number in quotes is a text, not a number.
"""

import base64
import binascii
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mizzen.redaction import is_secret_name
from mizzen.resources.declaring.declare import Range
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.yaml.places import child


class _Bad:
    """The type of BAD."""


BAD: Final = _Bad()
Decoder = Callable[[Any, str, Findings], Any]

_DURATION = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BOOLEANS = frozenset({"on", "off", "yes", "no", "true", "false"})
_LONGEST = 2**63 / 1e9  # seconds; what Go's 64 bits of nanoseconds hold
LONGEST = timedelta(seconds=9_223_372_035)  # the most that Envoy takes (DurationUtil): one second less


def describe(value: Any) -> str:
    """A value in a message: its type, and itself where that is short. Texts are shown up to 40 letters."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {str(value)[:40]}"
        case str():
            return f'the string "{value if len(value) <= 40 else value[:37] + "..."}"'
        case list():
            return "a list"
        case Mapping():
            return "a mapping"
        case _:
            return "something else"


def mismatch(wanted: str, value: Any, at: str, found: Findings, hint: str = "") -> _Bad:
    """Report a value of the wrong type; of one that may be a secret, the type alone."""
    if _may_be_secret(at):
        found.error("FLD-002", at, f"expected {wanted}, got {type(value).__name__}")
    else:
        found.error("FLD-002", at, f"expected {wanted}, got {describe(value)}", hint)
    return BAD


def _may_be_secret(at: str) -> bool:
    first, *rest = re.split(r"[.\[]", at)
    return first in ("data", "stringData", "binaryData") or any(map(is_secret_name, rest[-1:]))


def as_written(value: Any, at: str, found: Findings) -> Any:  # noqa: ARG001  # a decoder like the others
    """Anything: whoever gets it judges it."""
    return value


def text(value: Any, at: str, found: Findings) -> Any:
    if type(value) is str:
        return value
    hint = f'Write it in quotes: "{value}".' if isinstance(value, int | float) and value is not True else ""
    return mismatch("a string", value, at, found, hint or ("Write it in quotes." if value is True else ""))


def header_text(value: Any, at: str, found: Findings) -> Any:
    """A text that becomes the value of a header."""
    decoded = text(value, at, found)
    if decoded is BAD or not (wrong := checks.plain(decoded)):
        return decoded
    found.error("VAL-006", at, wrong)
    return BAD


def loose_text(value: Any, at: str, found: Findings) -> Any:
    """A text, or a number or boolean taken as one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else text(value, at, found)


def boolean(value: Any, at: str, found: Findings) -> Any:
    if type(value) is bool:
        return value
    return mismatch("true or false", value, at, found)


def integer(value: Any, at: str, found: Findings) -> Any:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    hint = "Write the number without quotes." if type(value) is str and value.strip().isdigit() else ""
    return mismatch("an integer", value, at, found, hint)


def number(value: Any, at: str, found: Findings) -> Any:
    if (
        type(value) in (int, float) and abs(value) <= sys.float_info.max
    ):  # neither infinite nor longer than one
        return float(value)
    return mismatch("a number", value, at, found)


def integer_or_name(value: Any, at: str, found: Findings) -> Any:
    if type(value) in (int, str):
        return value
    return mismatch("a port number or a port name", value, at, found)


def duration(value: Any, at: str, found: Findings) -> Any:
    """Go's notation ("1.5h", "1m30s", "100ms", "0"), as timedelta (whole microseconds)."""
    if type(value) is not str:
        return mismatch('a duration such as "5s"', value, at, found)
    if value in ("0", "-0", "+0"):
        return timedelta(0)
    if _DURATION.fullmatch(value):
        seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(value))
        if seconds < _LONGEST:
            return timedelta(seconds=-seconds if value[0] == "-" else seconds)
    return mismatch('a duration such as "5s", "1m30s" or "100ms"', value, at, found)


def timestamp(value: Any, at: str, found: Findings) -> Any:
    """RFC 3339, as datetime with a time zone."""
    if type(value) is str:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return mismatch("a time such as 2024-05-01T12:00:00Z", value, at, found)


def encoded(value: Any, at: str, found: Findings) -> Any:
    """Base64 -> bytes. The value itself never shows in a message: it may be a secret."""
    if type(value) is str:
        try:
            return base64.b64decode(re.sub(r"[\r\n]", "", value), validate=True)
        except (binascii.Error, ValueError):
            pass
    found.error("FLD-002", at, "expected base64", "Plain text belongs into stringData.")
    return BAD


def within(inner: Decoder, limits: Range) -> Decoder:
    """A number that `inner` decodes, kept to its range."""

    def limited(value: Any, at: str, found: Findings) -> Any:
        decoded = inner(value, at, found)
        if decoded is BAD or limits.low <= decoded <= limits.high:
            return decoded
        shown = describe(decoded).removeprefix("the number ")
        found.error("FLD-004", at, f"{shown} is not in the range {limits.low:.10g} to {limits.high:.10g}")
        return BAD

    return limited


def span(*, negative: bool) -> Decoder:
    """A duration that Envoy can take. `negative`: one below zero is left to the validators."""

    def limited(value: Any, at: str, found: Findings) -> Any:
        decoded = duration(value, at, found)
        if decoded is BAD or ((negative or decoded >= timedelta(0)) and decoded <= LONGEST):
            return decoded
        most = f"{LONGEST.total_seconds():.0f}s"
        found.error(
            "FLD-004", at, f"{value} is not in the range 0s to {most}", "Envoy takes no other duration."
        )
        return BAD

    return limited


def one_of(allowed: tuple[str, ...]) -> Decoder:
    """One of some words."""
    known = frozenset(allowed)
    wanted = "one of " + ", ".join(word or '""' for word in allowed)

    def chosen(value: Any, at: str, found: Findings) -> Any:
        if type(value) is str and value in known:
            return value
        # YAML 1.1: on, off, yes and no without quotes are booleans.
        hint = "Write it in quotes." if isinstance(value, bool) and known & _BOOLEANS else ""
        return mismatch(wanted, value, at, found, hint)

    return chosen


def optional(inner: Decoder) -> Decoder:
    def present(value: Any, at: str, found: Findings) -> Any:
        return None if value is None else inner(value, at, found)

    return present


def sequence(inner: Decoder) -> Decoder:
    def items(value: Any, at: str, found: Findings) -> Any:
        if type(value) is not list:
            return mismatch("a list", value, at, found)
        decoded = [inner(item, f"{at}[{index}]", found) for index, item in enumerate(value)]
        return BAD if BAD in decoded else tuple(decoded)

    return items


def mapping(inner: Decoder) -> Decoder:
    def entries(value: Any, at: str, found: Findings) -> Any:
        if not isinstance(value, dict):
            return mismatch("a mapping", value, at, found)
        decoded = {key: inner(item, child(at, key), found) for key, item in value.items()}
        return BAD if any(item is BAD for item in decoded.values()) else decoded

    return entries
