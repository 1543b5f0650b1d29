from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mizzen.errors import ResourceRef
from mizzen.resources.declaring import values
from mizzen.resources.declaring.declare import Range
from mizzen.resources.declaring.findings import Findings


def decode(decoder: Callable[..., Any], value: Any) -> tuple[Any, list[str]]:
    found = Findings(ResourceRef(kind="It"))
    decoded = decoder(value, "spec.x", found)
    return decoded, [problem.message for problem in found.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5s", timedelta(seconds=5)),
        ("1m30s", timedelta(seconds=90)),
        ("1.5h", timedelta(minutes=90)),
        ("100ms", timedelta(milliseconds=100)),
        ("0", timedelta(0)),
        ("0s", timedelta(0)),
        ("-2s", timedelta(seconds=-2)),
        ("100ns", timedelta(0)),
        (".5s", timedelta(milliseconds=500)),
    ],
)
def test_durations_are_written_as_in_go(text: str, expected: timedelta) -> None:
    assert decode(values.duration, text) == (expected, [])


@pytest.mark.parametrize("value", ["5", "s", "", "5 s", "5d", 5, None, "9999999999999h", "1m 3s"])
def test_what_is_no_duration_is_refused(value: object) -> None:
    decoded, (message,) = decode(values.duration, value)

    assert decoded is values.BAD
    assert message.startswith("expected a duration such as")


def test_durations_are_what_envoy_can_count() -> None:
    assert decode(values.span(negative=False), "9223372035s")[1] == []
    for text in ("9223372036s", "-1s"):
        message = f"{text} is not in the range 0s to 9223372035s"
        assert decode(values.span(negative=False), text) == (values.BAD, [message])
    assert decode(values.span(negative=True), "-1s") == (timedelta(seconds=-1), [])
    assert decode(values.span(negative=True), "9223372036s")[0] is values.BAD


@pytest.mark.parametrize(
    ("decoder", "value", "message"),
    [
        (values.integer, "443", 'expected an integer, got the string "443"'),
        (values.integer, 99.5, "expected an integer, got the number 99.5"),
        (values.integer, True, "expected an integer, got the boolean true"),
        (values.text, 8, "expected a string, got the number 8"),
        (values.text, False, "expected a string, got the boolean false"),
        (values.text, ["a"], "expected a string, got a list"),
        (values.boolean, "yes", 'expected true or false, got the string "yes"'),
        (values.number, 10**399, f"expected a number, got the number {str(10**399)[:40]}"),
        (values.header_text, "a\nb", "the value has a control character in it"),
        (values.number, float("nan"), "expected a number, got the number nan"),
        (values.integer_or_name, 1.5, "expected a port number or a port name, got the number 1.5"),
        (values.one_of(("A", "B")), "C", 'expected one of A, B, got the string "C"'),
        (values.sequence(values.text), {"a": 1}, "expected a list, got a mapping"),
        (values.mapping(values.text), [], "expected a mapping, got a list"),
        (
            values.timestamp,
            "yesterday",
            'expected a time such as 2024-05-01T12:00:00Z, got the string "yesterday"',
        ),
        (values.within(values.integer, Range(0, 9)), 10, "10 is not in the range 0 to 9"),
    ],
)
def test_a_wrong_type_is_named(decoder: Callable[..., Any], value: object, message: str) -> None:
    assert decode(decoder, value) == (values.BAD, [message])


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert decode(values.integer, 8080.0) == (8080, [])


def test_a_time_without_zone_is_universal_time() -> None:
    assert decode(values.timestamp, "2024-05-01T12:00:00") == (datetime(2024, 5, 1, 12, tzinfo=UTC), [])


def test_bad_base64_is_refused_without_showing_it() -> None:
    decoded, (message,) = decode(values.encoded, "my secret!")

    assert decoded is values.BAD
    assert "secret" not in message


def test_base64_may_be_broken_into_lines() -> None:
    assert decode(values.encoded, "aGVs\nbG8=\n") == (b"hello", [])


def test_every_bad_item_of_a_list_is_told() -> None:
    decoded, messages = decode(values.sequence(values.text), ["a", 1, None])

    assert decoded is values.BAD
    assert len(messages) == 2


def test_loose_texts_take_numbers_and_booleans() -> None:
    assert [decode(values.loose_text, value)[0] for value in (True, 1, "x", None)] == ["true", "1", "x", ""]
