from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.errors import Place, Severity
from mizzen.resources import raw_objects as reading
from mizzen.resources.intake import decode_all
from mizzen.resources.raw_objects import parse_documents

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n"


def test_an_object_knows_what_it_is_and_where_its_fields_stand() -> None:
    (first, second), problems = parse_documents(f"# c\n{GOOD}---\n{GOOD}data:\n  a: b\n", "f.yaml")

    assert problems == ()
    assert (first.kind, first.api_version, first.namespace, first.name) == ("ConfigMap", "v1", "", "good")
    assert first.ref.place() == Place("f.yaml", 2, 1)
    assert second.ref.place("data.a") == Place("f.yaml", 10, 3)
    assert second.data["data"] == {"a": "b"}


def test_a_broken_document_loses_only_itself_and_is_named() -> None:
    broken = "kind: Service\nmetadata:\n  name: shop\n  namespace: own\nspec: [\n"

    objects, problems = parse_documents(f"{GOOD}---\n{broken}---\n{GOOD}", "f.yaml")

    assert [raw.name for raw in objects] == ["good", "good"]
    (problem,) = problems
    assert str(problem.resource) == "Service/own/shop"
    assert problem.code == "YML-001"
    assert problem.field == ""
    assert problem.origin.file == "f.yaml"
    assert problem.origin.line > 4


def test_bytes_that_are_no_utf8_lose_only_their_document() -> None:
    bad = b"kind: Secret\nmetadata: {}\nx: \xe9\n"

    objects, (problem,) = parse_documents(GOOD.encode() + b"---\n" + bad + b"---\n" + GOOD.encode(), "f")

    assert len(objects) == 2
    assert problem.code == "YML-002"
    assert problem.origin == Place("f", 7, 4)


def test_a_doubled_key_keeps_the_object_out() -> None:
    objects, (problem,) = parse_documents(f"{GOOD}data:\n  a: 1\n  a: 2\n", "f")

    assert objects == ()
    assert (problem.code, problem.field, problem.origin) == ("YML-003", "data.a", Place("f", 6, 3))
    assert "line 5" in problem.message


def test_the_items_of_a_list_are_objects_of_their_own() -> None:
    text = "kind: List\napiVersion: v1\nitems:\n- {kind: A, metadata: {name: a}}\n- kind: B\n  kind: C\n- 3\n- kind: D\n"

    objects, problems = parse_documents(text, "f")

    assert [(raw.kind, raw.name) for raw in objects] == [("A", "a"), ("D", "")]
    assert [(p.code, p.field, p.origin.line) for p in problems] == [
        ("YML-003", "kind", 6),
        ("YML-004", "", 7),
    ]
    assert objects[0].ref.place("metadata.name") == Place("f", 4, 24)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n---\n", "null\n"])
def test_a_file_without_an_object_is_worth_a_warning(text: str) -> None:
    objects, (problem,) = parse_documents(text, "f.yaml")

    assert objects == ()
    assert (problem.severity, problem.code, problem.origin.file) == (Severity.WARNING, "YML-005", "f.yaml")


@pytest.mark.parametrize("text", ["- a\n- b\n", "only text\n", "3\n"])
def test_what_is_no_mapping_is_no_object(text: str) -> None:
    _, (problem,) = parse_documents(text, "f")

    assert (problem.code, problem.origin) == ("YML-004", Place("f", 1, 1))


def test_json_is_read_and_so_is_a_byte_order_mark() -> None:
    (raw,), _ = parse_documents(b'\xef\xbb\xbf{\n\t"kind": "A",\n\t"metadata": {"name": "a"}\n}', "f.json")

    assert (raw.kind, raw.name) == ("A", "a")


def test_the_digest_tells_another_text_and_another_place() -> None:
    def digests(text: str, file: str = "f") -> list[str]:
        return [raw.digest for raw in parse_documents(text, file)[0]]

    assert digests(GOOD) == digests(GOOD)
    assert digests(GOOD) != digests(GOOD, "g")
    assert digests(GOOD) != digests(f"\n\n---\n{GOOD}")
    assert digests(GOOD) != digests(GOOD + "data: {}\n")
    assert len(set(digests("{kind: List, items: [{kind: A}, {kind: A}]}"))) == 2


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(stream: bytes) -> None:
    objects, _ = parse_documents(stream, "f")
    decode_all(objects)


@settings(deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!|>'\"#% \n\t,?<~0.1\u0085\ud800", max_size=80))
def test_no_text_raises(text: str) -> None:
    objects, _ = parse_documents(text, "f")
    decode_all(objects)


def test_a_cut_anywhere_in_a_file_raises_nothing(tmp_path: Path) -> None:
    text = f"{GOOD}data: {{a: &x [1, 'two'], b: *x, c: |\n  text\n}}\n---\n{GOOD}"
    for end in range(len(text)):
        parse_documents(text[:end], "f")


SMALL = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n"


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE", 40)

    objects, (problem,) = parse_documents(SMALL, "a.yaml")

    assert objects == ()
    assert (problem.code, str(problem.origin)) == ("YML-006", "a.yaml:1:1")


def test_documents_beyond_a_number_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST_DOCUMENTS", 2)

    objects, (problem,) = parse_documents("---\n".join([SMALL] * 4), "a.yaml")

    assert len(objects) == 2
    assert (problem.code, str(problem.origin)) == ("YML-006", "a.yaml:10:1")


def test_a_document_at_which_reading_raises_loses_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    original = reading.construct_values

    def construct(text: str) -> object:
        if "name: b" in text:
            raise RecursionError
        return original(text)

    monkeypatch.setattr(reading, "construct_values", construct)
    objects, (problem,) = parse_documents(
        "---\n".join([SMALL, SMALL.replace("name: a", "name: b"), SMALL]), "a.yaml"
    )

    assert [raw.name for raw in objects] == ["a", "a"]
    assert (problem.code, str(problem.resource), str(problem.origin)) == (
        "INT-001",
        "Namespace/b",
        "a.yaml:5:1",
    )
