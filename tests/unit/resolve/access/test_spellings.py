"""How the hosts, header values and paths of policies are compared with what clients send."""

import pytest
import re2

from mizzen.model.authorization import All, AnyOf, Header, Path, Suffix
from mizzen.model.route import Exact, Prefix, Present, Regex
from mizzen.resolve.access.spellings import header, host, path, quoted, text

BYTES = re2.Options()
BYTES.encoding = re2.Options.Encoding.LATIN1  # as Envoy has it


def fits(expression, value: str) -> bool:
    """Whether a pattern takes the whole of a value, as Envoy asks."""
    assert isinstance(expression, Header | Path)
    assert isinstance(expression.value, Regex), expression
    return (
        re2.compile(expression.value.pattern.encode(), BYTES).fullmatch(value.encode("latin-1")) is not None
    )


@pytest.mark.parametrize(
    ("value", "taken", "left"),
    [
        (
            "a.test",
            "a.test A.TEST a.test: a.test:1 a.test:x a.test:[",
            "a.test. a.test:1:2 xa.test a.testx aXtest a.test:1]",
        ),
        ("a.test.", "a.test a.test:443", "a.test. b.test"),
        ("a.test:", "a.test a.test:443", "b.test"),
        (
            "*.a.test",
            "x.a.test X.y.A.test:443 x:1.a.test:443 x:].a.test",
            "a.test xa.test b:.a.test b:1.a.test [::1]:.a.test",
        ),
        ("a*", "a a.test A.test:443 a:1", "b.a"),
        ("[::1]", "[::1] [::1]:443 [::1]:", "[::1]x [::2]"),
        ("[::1]:443", "[::1]:443", "[::1]:80"),
        ("a.test:8443", "a.test:8443 A.test:08443", "a.test a.test: a.test:443 a.test:84430"),
        ("*:8443", "a:8443", "a a:443"),
    ],
)
@pytest.mark.parametrize("refuses", [False, True])
def test_a_host_is_what_routes_make_of_it(value, taken, left, refuses):
    assert [one for one in taken.split() if not fits(host(value, refuses=refuses), one)] == []
    assert [one for one in left.split() if fits(host(value, refuses=refuses), one)] == []


@pytest.mark.parametrize("value", ["a.test:443", "a.test:80", "a.test:*"])
def test_a_port_that_clients_leave_out_counts_where_it_refuses(value):
    assert fits(host(value, refuses=True), "a.test")
    assert not fits(host(value, refuses=False), "a.test")
    assert fits(host(value, refuses=False), "a.test:80") == (":443" not in value)


def test_any_host_is_any_host():
    assert host("*", refuses=True) == Header(name=":authority", value=Present())


def test_host_is_the_authority_by_either_name():
    assert (
        header("Host", "a", refuses=True)
        == header(":authority", "a", refuses=True)
        == host("a", refuses=True)
    )


@pytest.mark.parametrize(
    ("value", "taken", "left"),
    [
        (
            "evil",
            ["evil", " evil", "evil\t", "a,evil", "a, evil ,b", "evil,", "\xff,evil"],
            ["evilx", "xevil", "e vil", "", "a"],
        ),
        ("evil*", ["evilest", " evil", "a, evil\xff"], ["devil", "a evil"]),
        ("*evil", ["devil ", "\xffevil, a"], ["evils"]),
        ("a,b", ["a,b", "a , b", "x,a,b,y"], ["a", "b,a"]),
        (" a ", ["a", " a"], ["b"]),
        (".*", [".*"], ["x"]),
    ],
)
def test_a_value_that_refuses_is_any_of_those_in_a_header(value, taken, left):
    assert [one for one in taken if not fits(header("x", value, refuses=True), one)] == []
    assert [one for one in left if fits(header("x", value, refuses=True), one)] == []


@pytest.mark.parametrize(
    ("value", "taken", "left"),
    [
        ("good", ["good", " good\t"], ["good,bad", "bad,good", "good,", "xgood"]),
        ("good*", ["good", " goods"], ["bad,good"]),
        ("*good", ["good ", "very good"], ["good,bad"]),
    ],
)
def test_a_value_that_allows_is_all_there_is(value, taken, left):
    assert [one for one in taken if not fits(header("x", value, refuses=False), one)] == []
    assert [one for one in left if fits(header("x", value, refuses=False), one)] == []


def test_a_header_that_is_there_and_one_without_blanks():
    assert header("x", "*", refuses=True) == Header(name="x", value=Present())
    assert header(":method", "GET", refuses=True) == Header(name=":method", value=Exact("GET"))


def test_a_query_gets_nobody_round_a_path_that_is_refused_as_a_header():
    whole = Header(name=":path", value=Exact("/a"))
    assert header(":path", "/a", refuses=True) == AnyOf((whole, Path(Exact("/a"))))
    assert header(":path", "/a", refuses=False) == whole


@pytest.mark.parametrize(
    ("template", "taken", "left"),
    [
        ("/a/{*}/b", ["/a/x/b", "/a/x=y*|/b", "/a/\xff/b"], ["/a//b", "/a/x/y/b", "/a/b", "/a/x/b/"]),
        ("/a/{**}", ["/a/", "/a/b", "/a/b/c=*"], ["/a", "/b/a"]),
        ("/{*}/{**}", ["/a/", "/a/b/c"], ["/a", "//a"]),
        ("/{*}/x.y", ["/a/x.y"], ["/a/xzy"]),
    ],
)
@pytest.mark.parametrize("refuses", [False, True])
def test_a_template_is_its_segments(template, taken, left, refuses):
    assert [one for one in taken if not fits(path(template, refuses=refuses), one)] == []
    assert [one for one in left if fits(path(template, refuses=refuses), one)] == []


def test_letters_count_for_a_path_unless_a_route_ignores_them_and_the_path_refuses():
    assert path("/a", refuses=False, any_case=("shop.test",)) == Path(Exact("/a"))
    assert path("/a", refuses=True) == Path(Exact("/a"))
    there = AnyOf((host("shop.test", refuses=True),))
    loose = Path(Exact("/a"), ignore_case=True)
    assert path("/a", refuses=True, any_case=("shop.test",)) == AnyOf(
        (Path(Exact("/a")), All((there, loose)))
    )


def test_texts():
    assert [text(one) for one in ("*", "*a", "a*", "a", "*a*")] == [
        Present(),
        Suffix("a"),
        Prefix("a"),
        Exact("a"),
        Suffix("a*"),
    ]


@pytest.mark.parametrize(
    "literal", [chr(code) for code in range(1, 128)] + ["é", "\xa0", "٣", "\u2028", "😀"]
)
def test_whatever_is_quoted_is_itself(literal):
    pattern = quoted(f"a{literal}b").encode()
    for compiled in (re2.compile(pattern), re2.compile(pattern, BYTES)):
        assert compiled.fullmatch(f"a{literal}b".encode())
