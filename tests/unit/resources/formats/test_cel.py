"""Expressions that Envoy 1.40 takes, and those that it refuses (each was tried on it)."""

import pytest

from mizzen.resources.formats.cel import DEEPEST, LONGEST, unknown_roots, wrong_expression

GOOD = r"""
response.code >= 400
connection.mtls && request.url_path.contains('v1beta3')
has(response.code) && response.code > 3
request.headers['x'] == "a" || !(response.flags > 0)
foo.bar == 1
"a" + "b" == "ab"
int("3") == response.code
size(request.path) > 3 && request.path.size() > 3
request.path.matches("^/a.*") || matches(request.path, r'\d+')
request.path.matches(request.host)
response.code in [200, 404]
'a' in request.headers
response.code == 200 ? true : false
request.time.getHours() > 3 && request.time.getHours("UTC") > 3
duration("1s") < request.duration
{'a': 1}['a'] == 1
b"abc" == request.path || bR"abc\d" == request.path
1u == 1u && 1e3 > 2.0 && 0x1F == 31 && .5 < 1.0
!!true && !-1 && --1 < 2 && - 1 < 2
response.code >= 400 // comment
.response.code >= 400
'''tri'ple''' == ''
"\x41\u0041\U00000041\101\n" == "A"
re.extract('a', 'b', 'c') == ''
[1,] == [] && {'a': 1,} == {}
request.if == 1 && a.b.c[1][2]
a ? b : c ? d : e
"é" == "é"
type(1) == int && null == null
"""

BAD = r"""
foo(1)
request.headers.exists(k, k == 'x')
string(response.code) == "200"
request.path.matches("(")
request.path.matches("[a-z]{50}[0-9]{60}")
request.path.lowerAscii() == 'a'
1 +
response.code >= 400 &&
Foo{a: 1} == 1
// comment
"unterminated
"\q"
"\400"
"\ud800"
b"\u0041"
'a' 'b'
for == 1
in == 1
response.code === 3
(response.code > 1
[1,2
9223372036854775808 > 1
18446744073709551616u > 1u
0x
1.2.3
request.headers[?'x'] == 1
size()
request.path.contains()
has(response)
has(1)
response.code > 1 and true
request.true
true()
a ? b
a[]
a..b
é == 1
f(,)
"""


@pytest.mark.parametrize("text", GOOD.strip().splitlines())
def test_what_envoy_takes_is_taken(text):
    assert wrong_expression(text) == ""


@pytest.mark.parametrize("text", ["", *BAD.strip().splitlines()])
def test_what_envoy_refuses_is_refused(text):
    assert wrong_expression(text)


def test_what_is_too_long_or_too_deep_is_refused_before_it_is_read():
    assert "longer than" in wrong_expression(" " * (LONGEST + 1) + "1")
    for deep in ("(" * 1000 + "1" + ")" * 1000, "+".join("1" * 1000), "a" + ".b" * 1000, "[" * 1000):
        assert f"more than {DEEPEST}" in wrong_expression(deep)
    assert wrong_expression(" || ".join(["true"] * 100) + "!" * 0) == ""


def test_what_is_wrong_is_said_with_its_place():
    assert wrong_expression("response.code >=") == "at its end: a value was expected"
    assert wrong_expression("response.code => 1") == "at '=> 1': nothing begins like this"
    assert wrong_expression("x.exists(a, b)") == "exists() is switched off in Envoy"


def test_names_that_stand_for_nothing_are_told():
    assert unknown_roots("foo.bar == 1 || response.code > size(bar) || int == type(request)") == (
        "bar",
        "foo",
    )
