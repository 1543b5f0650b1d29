from typing import Any

import pytest

from mizzen.install.setvalues import SetError, assigned, parsed


@pytest.mark.parametrize(
    ("said", "path", "value"),
    [
        ("a.b=c", ("a", "b"), "c"),
        ("a.b=1", ("a", "b"), 1),
        ("a=1.5", ("a",), 1.5),
        ("a=true", ("a",), True),
        ("a=null", ("a",), None),
        ('a="1"', ("a",), "1"),
        ("tag=1.10", ("tag",), "1.10"),
        ("tag=007", ("tag",), "007"),
        ("a[0].b=c", ("a", 0, "b"), "c"),
        ("a.[name:x].b=c", ("a", ("name", "x"), "b"), "c"),
        (r"a.prometheus\.io/port=c", ("a", "prometheus.io/port"), "c"),
        ("a={x,y}", ("a",), ["x", "y"]),
        ("a={}", ("a",), []),
        ("a=[]", ("a",), []),
        (r"a=1\,2", ("a",), "1,2"),
        ("a=", ("a",), ""),
        ("a=b=c", ("a",), "b=c"),
        ("a=nan", ("a",), "nan"),
    ],
)
def test_an_assignment_is_read_as_helm_reads_it(said: str, path: tuple[Any, ...], value: Any) -> None:
    assert parsed(said) == ((path, value),)


def test_a_comma_separates_two_assignments() -> None:
    assert assigned({}, "a=1,b.c=2") == {"a": 1, "b": {"c": 2}}


def test_a_declaration_is_not_changed_by_what_is_put_into_it() -> None:
    before = {"a": [{"name": "x", "b": 1}]}

    assert assigned(before, "a.[name:x].b=2") == {"a": [{"name": "x", "b": 2}]}
    assert before == {"a": [{"name": "x", "b": 1}]}


def test_an_item_that_is_not_there_comes_last_with_its_name() -> None:
    assert assigned({"a": [{"name": "x"}]}, "a.[name:y].b=1") == {"a": [{"name": "x"}, {"name": "y", "b": 1}]}
    assert assigned({"a": ["x"]}, "a[1]=y") == {"a": ["x", "y"]}
    assert assigned({}, "a[0].b=1") == {"a": [{"b": 1}]}


def test_null_takes_a_field_or_an_item_away() -> None:
    assert assigned({"a": {"b": 1, "c": 2}}, "a.b=null") == {"a": {"c": 2}}
    assert assigned({"a": ["x", "y"]}, "a[-1]=null") == {"a": ["x"]}


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ("a", "is not PATH=VALUE"),
        ("a=1,b", "a comma in a value is written"),
        ("=1", "must begin with a field"),
        ("[0]=1", "must begin with a field"),
        ("a.=1", "ends with a dot"),
        ("a..b=1", "cannot be read"),
        ("a[x]=1", "cannot be read"),
        ("s.b=1", "no mapping"),
        ("s[0]=1", "no list"),
        ("l[5]=1", "there is no item [5]"),
        ("l[999999999]=1", "there is no item"),
    ],
)
def test_an_assignment_that_cannot_be_followed_is_named(said: str, because: str) -> None:
    with pytest.raises(SetError) as caught:
        assigned({"s": "text", "l": [1]}, said)
    assert because in str(caught.value)
    assert said in str(caught.value)
