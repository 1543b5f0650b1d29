"""What is read without places is what is read with them, and the places are there when somebody asks."""

from dataclasses import replace
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as some

from mizzen.errors import Place
from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import parse_documents
from mizzen.resources.yaml import construct as reading
from mizzen.resources.yaml import written
from mizzen.resources.yaml.construct import Broken, construct, construct_values

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: value\n  a.b/c: x\n"

DOCUMENTS = [
    "",
    "# nothing\n",
    "a: 1\nb: [x, 0x10, 1e3, ~, yes, 'yes', \"\\u00e4\"]\nc: {d: {e: |\n  text\n}}",
    "a: |\n  two\n  lines\nb: >-\n  one\n  line\n",
    '{"a": [1, 2.5, null, true], "b": {"c": ""}}',
    "a: &x {b: 1}\nc: *x\n",
    "a: &x 1\n*x : 2\n",
    "<<: {a: 1}\nb: 2\n",
    "base: &b {a: 1}\nc:\n  <<: *b\n  a: 2\n",
    '"<<": 1\n',
    "a: 1\nb: 2\na: 3\n",
    "a: !!int '3'\nb: !!str 3\nc: !!binary aGk=\n",
    "a: !!int x\n",
    "a: !!map {b: 1}\nc: !!seq [1]\n",
    "? [1]\n: 2\n",
    "a: *nowhere\n",
    "a: &a [*a]\n",
    "a:\n\t- b\n",
    "a: [1\n",
    "a: 'b\n",
    "a: 1\n...\n---\nb: 2\n",
    "- 1\n- [2]\n- {a: b}\n",
    "just a text\n",
    "on: 1\n443: 2\ntrue: 3\n",
    "a: \x01\n",
    "a: 2024-05-01\nb: 1:30\nc: 017\nd: 1_000\n",
    "[" * 101 + "]" * 101,
    "[" * 100 + "]" * 100,
    "%YAML 1.1\n---\na: 1\n",
    "%YAML 3.0\n---\na: 1\n",
]


def outcome(how: Any, text: str) -> Any:
    """Values, keys that stand twice and beginnings; or what is wrong, and where."""
    try:
        return [(one.value, one.doubled, one.places[""]) for one in how(text)]
    except Broken as error:
        return (error.message, error.line, error.column, error.is_too_large)


@pytest.mark.parametrize("text", DOCUMENTS)
def test_values_are_those_that_are_read_with_places(text: str) -> None:
    assert repr(outcome(construct_values, text)) == repr(outcome(construct, text))


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
)


@given(VALUES, some.booleans())
def test_values_of_any_document_are_those_that_are_read_with_places(value: Any, in_braces: bool) -> None:
    text = pyyaml.safe_dump(value, default_flow_style=in_braces)

    assert repr(outcome(construct_values, text)) == repr(outcome(construct, text))


@given(some.text(alphabet="ab:-?&*!|>'\"%@`{}[], \n\t#<~01"))
def test_values_of_any_text_are_those_that_are_read_with_places(text: str) -> None:
    assert repr(outcome(construct_values, text)) == repr(outcome(construct, text))


def test_places_are_read_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(text: str) -> list[reading.Constructed]:
        read.append(text)
        return construct(text)

    monkeypatch.setattr(written, "construct", counted)
    text = "---\n".join(OBJECT.format(name=name) for name in "abc")
    objects, problems = parse_documents(text, "a.yaml")
    assert (len(objects), problems, read) == (3, (), [])

    second = objects[1].ref
    assert second.place() == Place("a.yaml", 9, 1)
    assert read == []  # the beginning is known
    assert second.place("data.key") == Place("a.yaml", 14, 3)
    assert second.place("data[a.b/c]") == Place("a.yaml", 15, 3)
    assert second.place("data.absent.below") == Place("a.yaml", 13, 1)
    assert len(read) == 1  # all places of a document at once
    assert objects[0].ref.place("metadata.name") == Place("a.yaml", 4, 3)
    assert len(read) == 2


def test_places_of_a_whole_document_are_all_there_is() -> None:
    (raw,), _ = parse_documents(OBJECT.format(name="a"), "a.yaml")
    (document,) = construct(OBJECT.format(name="a"))

    assert {path: (place.line, place.column) for path, place in raw.ref.places.items()} == document.places
    assert len(raw.ref.places) == len(document.places)
    assert "data.key" in raw.ref.places
    assert "data.other" not in raw.ref.places


def test_places_in_an_item_of_a_list_are_those_of_the_item() -> None:
    items = "".join(
        f"- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: {name}\n  data: {{key: value}}\n"
        for name in "ab"
    )
    objects, problems = parse_documents(f"---\nkind: List\napiVersion: v1\nitems:\n{items}", "a.yaml")
    assert not problems

    assert [str(raw.ref.place()) for raw in objects] == ["a.yaml:5:3", "a.yaml:10:3"]
    assert str(objects[1].ref.place("data.key")) == "a.yaml:14:10"
    assert sorted(objects[1].ref.places) == sorted(
        ["", "apiVersion", "kind", "metadata", "metadata.name", "data", "data.key"]
    )


def test_what_an_alias_puts_into_a_list_has_no_place() -> None:
    text = "x: &x [{apiVersion: v1, kind: Namespace, metadata: {name: a}}]\nkind: List\napiVersion: v1\nitems: *x\n"
    (raw,), _ = parse_documents(text, "a.yaml")

    assert str(raw.ref.place("metadata.name")) == ""
    assert list(raw.ref.places) == []


def test_names_of_fields_and_short_texts_are_kept_once() -> None:
    first, second = (
        parse_documents(OBJECT.format(name=name), f"{name}.yaml")[0][0].data for name in ("one", "two")
    )

    assert all(one is other for one, other in zip(first, second, strict=True))
    assert first["data"]["key"] is second["data"]["key"]


def test_data_is_read_again_when_somebody_asks() -> None:
    (raw,), _ = parse_documents(OBJECT.format(name="a"), "a.yaml")
    before = raw.data
    assert raw.data is before

    raw.forget_data()

    assert raw.data is not before
    assert raw.data == before
    assert raw.data is raw.data


def test_what_was_decoded_keeps_its_text_alone() -> None:
    (raw,), _ = parse_documents(OBJECT.format(name="a"), "a.yaml")
    before = raw.data

    assert decode(raw).resource is not None

    assert raw.data == before
    assert raw.data is not before


def test_other_data_is_never_read_from_the_text() -> None:
    (raw,), _ = parse_documents(OBJECT.format(name="a"), "a.yaml")
    other = replace(raw, data={**raw.data, "kind": "Secret"})
    raw.forget_data()
    other.forget_data()

    assert other.data["kind"] == "Secret"
    assert raw.data["kind"] == "ConfigMap"


def test_data_of_an_item_of_a_list_stays() -> None:
    text = "kind: ConfigMapList\napiVersion: v1\nitems:\n- metadata: {name: a}\n  data: {key: value}\n"
    (raw,), _ = parse_documents(text, "a.yaml")
    raw.forget_data()

    assert raw.data["kind"] == "ConfigMap"  # which its list says
    assert raw.data["data"] == {"key": "value"}
