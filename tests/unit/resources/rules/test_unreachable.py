from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
TO = "route: [{destination: {host: a}}]"


def told(judge: Judge, *matches: str) -> list[str]:
    rules = ", ".join(f"{{{match}{', ' if match else ''}{TO}}}" for match in matches)
    return judge("VirtualService", f"{{hosts: [a.b], gateways: [gw], http: [{rules}]}}")


def test_whatever_stands_behind_a_rule_without_match_is_never_used(judge: Judge) -> None:
    assert told(judge, "", "match: [{uri: {exact: /a}}]", "") == [
        "warning VAL-101 spec.http[1]",
        "warning VAL-101 spec.http[2]",
    ]


@pytest.mark.parametrize(
    "everything", ["uri: {prefix: /}", "uri: {regex: .*}", "name: all, ignoreUriCase: true"]
)
def test_what_stands_behind_a_match_of_every_request_is_never_used(judge: Judge, everything: str) -> None:
    assert told(judge, f"match: [{{{everything}}}]", "match: [{headers: {a: {exact: b}}}]", "") == [
        "warning VAL-101 spec.http[1].match[0]",
        "warning VAL-101 spec.http[2]",
    ]


@pytest.mark.parametrize("nearly", ["uri: {prefix: /}, port: 80", "uri: {prefix: /}, method: {exact: GET}"])
def test_a_match_that_asks_for_more_than_a_path_leaves_something(judge: Judge, nearly: str) -> None:
    assert told(judge, f"match: [{{{nearly}}}]", "") == []


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("uri: {exact: /a}", "name: other, uri: {exact: /a}"),
        ("uri: {prefix: /}", "uri: {prefix: /api}"),
        ("uri: {prefix: /a}", "uri: {prefix: /ab}, method: {exact: POST}"),
        ("uri: {prefix: /a}, method: {exact: POST}", "uri: {prefix: /ab}, method: {exact: POST}"),
        ("uri: {prefix: /a}", "uri: {exact: /a}"),
        ("uri: {prefix: /a}", "uri: {exact: /a/b}"),
        (
            "uri: {prefix: /a}, headers: {x: {prefix: v}}",
            "uri: {prefix: /ab}, headers: {x: {exact: v1}}",
        ),
    ],
)
def test_a_match_that_an_earlier_one_covers_is_never_met(judge: Judge, earlier: str, later: str) -> None:
    assert told(judge, f"match: [{{{earlier}}}]", f"match: [{{{later}}}]") == [
        "warning VAL-101 spec.http[1].match[0]"
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("uri: {prefix: /ab}", "uri: {prefix: /a}"),
        ("uri: {prefix: /ab}", "uri: {exact: /a}"),
        ("uri: {exact: /a}", "uri: {exact: /ab}"),
        ("uri: {prefix: /a}, method: {exact: POST}", "uri: {prefix: /ab}"),
        ("uri: {prefix: /a}, port: 80", "uri: {prefix: /ab}"),
        ("uri: {prefix: /a}, headers: {x: {exact: v}}", "uri: {prefix: /ab}"),
        ("uri: {prefix: /a}, headers: {x: {exact: v}}", "uri: {prefix: /ab}, headers: {x: {exact: w}}"),
        ("uri: {prefix: /a}, gateways: [gw]", "uri: {prefix: /ab}"),
        ("uri: {prefix: /a}, withoutHeaders: {x: {}}", "uri: {prefix: /ab}"),
    ],
)
def test_a_match_that_can_still_be_met_is_not_told(judge: Judge, earlier: str, later: str) -> None:
    assert told(judge, f"match: [{{{earlier}}}]", f"match: [{{{later}}}]") == []


def test_a_rule_whose_matches_are_all_taken_is_told_as_a_whole(judge: Judge) -> None:
    assert told(
        judge, "match: [{uri: {prefix: /}}]", "match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}]"
    ) == [
        "warning VAL-101 spec.http[1].match[0]",
        "warning VAL-101 spec.http[1].match[1]",
        "warning VAL-101 spec.http[1]",
    ]
