from typing import Any

import pytest

from mizzen.errors import ResourceRef
from mizzen.resources.declaring.compile import decoder_of
from mizzen.resources.declaring.declare import Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.virtual_service import VirtualServiceSpec
from mizzen.resources.rules.http_surprises import surprises


def told(rules: list[dict[str, Any]], *, delegate: bool = False) -> list[str]:
    ref = ResourceRef(kind="VirtualService")
    spec = decoder_of(VirtualServiceSpec, Unknown.REFUSE)({"http": rules}, "spec", Findings(ref))
    found = Findings(ref)
    surprises(spec.http, found, delegate=delegate)
    return [f"{problem.field} {problem.message}" for problem in found.problems]


def rewritten(prefix: str, uri: str) -> dict[str, Any]:
    return {"match": [{"uri": {"prefix": prefix}}], "rewrite": {"uri": uri}}


@pytest.mark.parametrize(
    ("prefix", "uri", "sent"),
    [
        ("/a", "/", "/a/x is sent as //x"),
        ("/a", "/b/", "/a/x is sent as /b//x"),
        ("/a/", "/b", "/a/x is sent as /bx"),
        ("/", "/b", "/x is sent as /bx"),
    ],
)
def test_a_rewrite_whose_slashes_do_not_fit_is_told(prefix: str, uri: str, sent: str) -> None:
    (problem,) = told([rewritten(prefix, uri)])

    assert problem.startswith("spec.http[0].rewrite.uri")
    assert sent in problem


@pytest.mark.parametrize(("prefix", "uri"), [("/a/", "/"), ("/a", "/b"), ("/", "/b/"), ("/a/", "/b/")])
def test_a_rewrite_whose_slashes_fit_is_not(prefix: str, uri: str) -> None:
    assert told([rewritten(prefix, uri)]) == []


def test_a_prefix_beside_the_same_with_a_slash_is_how_it_is_done() -> None:
    both = [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/a/"}}]

    assert told([{"match": both, "rewrite": {"uri": "/"}}]) == []
    assert told([rewritten("/a/", "/"), rewritten("/a", "/")]) == []


def test_a_rule_without_a_match_takes_each_path_but_that_of_a_delegate() -> None:
    rule = {"rewrite": {"uri": "/b"}}

    assert len(told([rule])) == 1
    assert told([rule], delegate=True) == []


@pytest.mark.parametrize(
    "uri",
    [
        {"prefix": "/api/.*"},
        {"prefix": "/api/*"},
        {"exact": "/api/*"},
        {"exact": "/users/{id}"},
        {"prefix": "^/api"},
        {"exact": "/api$"},
        {"prefix": "/(a|b)"},
        {"prefix": "/v[12]"},
        {"prefix": "/a\\.b"},
    ],
)
def test_a_text_that_looks_like_a_pattern_is_told(uri: dict[str, str]) -> None:
    (problem,) = told([{"match": [{"uri": uri}]}])

    assert "is no pattern" in problem


@pytest.mark.parametrize(
    "match",
    [
        {"uri": {"regex": "/api/.*"}},
        {"uri": {"exact": "*"}},  # OPTIONS *
        {"uri": {"prefix": "/a.b-c_d~e+f@g:h"}},
        {"uri": {"prefix": "/(old)/"}},
        {"headers": {"accept": {"exact": "*/*"}}},
        {"headers": {"x-price": {"prefix": "$(1)"}}},
    ],
)
def test_what_is_written_as_it_is_meant_is_not(match: dict[str, Any]) -> None:
    assert told([{"match": [match]}]) == []


def test_an_empty_exact_is_told_wherever_it_stands() -> None:
    match = {"headers": {"a": {"exact": ""}}, "withoutHeaders": {"b": {"exact": ""}}, "method": {"exact": ""}}

    assert [problem.split()[0] for problem in told([{"match": [match]}])] == [
        "spec.http[0].match[0].method.exact",
        "spec.http[0].match[0].headers.a.exact",
        "spec.http[0].match[0].withoutHeaders.b.exact",
    ]
    assert told([{"match": [{"headers": {"a": {}}}]}]) == []
