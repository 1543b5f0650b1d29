import pytest

from mizzen.resources.yaml.documents import Guess, guess, split


def pieces(stream: bytes) -> list[tuple[int, bytes]]:
    return [(piece.line, piece.content) for piece in split(stream)]


def test_a_stream_is_cut_at_lines_of_three_dashes() -> None:
    assert pieces(b"a: 1\n---\nb: 2\n--- # c\nd: 3\n") == [
        (0, b"a: 1\n"),
        (1, b"---\nb: 2\n"),
        (3, b"--- # c\nd: 3\n"),
    ]


def test_dashes_inside_a_line_do_not_cut() -> None:
    assert pieces(b"a: ---\n  ---\n---x: 1\n") == [(0, b"a: ---\n  ---\n---x: 1\n")]


def test_documents_of_blanks_and_comments_are_left_out() -> None:
    assert pieces(b"# nothing\n---\n\n---\r\na: 1\n---\n") == [(3, b"---\r\na: 1\n")]


def test_a_directive_belongs_to_the_document_behind_it() -> None:
    assert pieces(b"%YAML 1.1\n---\na: 1\n") == [(0, b"%YAML 1.1\n---\na: 1\n")]


def test_a_broken_document_still_tells_its_name() -> None:
    text = (
        'apiVersion: v1\nkind: "Service"\nmetadata:\n  labels: {name: no}\n  name: shop # c\n'
        "  namespace: 'own'\nspec:\n  name: other\n\t- x"
    )

    assert guess(text) == Guess(api_version="v1", kind="Service", namespace="own", name="shop")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("apiVersion: security.istio.io/v1 # c\nkind: A\nspec: [", "security.istio.io/v1"),
        ('{"kind": "A", "apiVersion": "security.istio.io/v1", "spec": [', "security.istio.io/v1"),
        ("apiVersion: other.test/v1\nkind: A\napiVersion: security.istio.io/v1", ""),
        ("apiVersion: &other.test/v1\nkind: A\n", ""),
        ("spec:\n  apiVersion: other.test/v1\nkind: A\n", ""),
    ],
)
def test_an_api_version_is_told_where_it_is_clear(text: str, version: str) -> None:
    assert guess(text) == Guess(api_version=version, kind="A")


@pytest.mark.parametrize(
    "text",
    [
        "kind: Service\nmetadata: {name: shop, namespace: own}\nspec: [",
        "kind: Service\nmetadata: {labels: {name: no}, 'namespace': \"own\", name: shop}\nspec: [",
        '{"kind": "Service", "metadata": {"labels": {"name": "no"}, "name": "shop",\n"namespace": "own"}, "spec": {"name": "x"',
    ],
)
def test_a_name_in_braces_is_told_too(text: str) -> None:
    assert guess(text) == Guess(kind="Service", namespace="own", name="shop")


def test_a_document_that_tells_nothing_gives_an_empty_guess() -> None:
    assert guess("- a\n- b") == Guess()
