import pytest

from mizzen.resources.yaml.construct import Broken, construct


def value(text: str) -> object:
    (document,) = construct(text)
    return document.value


def test_every_key_and_item_has_a_place() -> None:
    (document,) = construct("a:\n- b: 1\n  x.y/z: 2\n- c\n")

    assert document.places == {
        "": (1, 1),
        "a": (1, 1),
        "a[0]": (2, 3),
        "a[0].b": (2, 3),
        "a[0][x.y/z]": (3, 3),
        "a[1]": (4, 3),
    }


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert value("on: 1\n443: 2\n~: 3\n") == {"on": 1, "443": 2, "~": 3}


def test_anchors_and_merge_keys_work_and_what_is_written_wins() -> None:
    text = "base: &b {a: 1, b: 2}\nmore: &m {c: 4, a: 9}\nit:\n  <<: [*b, *m]\n  b: 3\nlike: *b\n"

    assert value(text) == {
        "base": {"a": 1, "b": 2},
        "more": {"c": 4, "a": 9},
        "it": {"b": 3, "a": 1, "c": 4},
        "like": {"a": 1, "b": 2},
    }


def test_a_quoted_merge_key_is_a_plain_key() -> None:
    assert value('"<<": 1') == {"<<": 1}


def test_tags_say_what_a_scalar_is() -> None:
    assert value("[!!str 1, !!float 2, !!int 3, !!bool yes, !!null ~, !!binary aGk=]") == [
        "1",
        2.0,
        3,
        True,
        None,
        "hi",
    ]


def test_a_key_that_stands_twice_is_told_with_both_lines() -> None:
    (document,) = construct("a:\n  b: 1\n  c: 2\n  b: 3\n")

    (twice,) = document.doubled
    assert (twice.path, twice.line, twice.column, twice.first_line) == ("a.b", 4, 3, 2)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: [1\nb: 2\n", 2, 2),
        ("a:\n\t- b\n", 2, 1),
        ("a: *nothing", 1, 4),
        ("a: &a [*a]", 1, 8),
        ("a: {<<: 1}", 1, 9),
        ("? [a]\n: b", 1, 3),
        ("a: !!int x", 1, 4),
        ("a: !mine x", 1, 4),
        ("a: !!binary ä", 1, 4),
        ("ä: 1\nb: \x07", 2, 4),
        ("[" * 101, 1, 101),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(Broken) as error:
        construct(text)

    assert (error.value.line, error.value.column) == (line, column)


def test_a_few_bytes_cannot_make_a_value_of_any_size() -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]

    with pytest.raises(Broken) as error:
        construct("\n".join(["a0: &a0 [x]", *levels]))

    assert error.value.is_too_large
    assert error.value.line == 5  # where it becomes too much, not where it ends


@pytest.mark.parametrize("template", ["a{n}: *b", "a{n}: {{<<: *b}}", "a{n}: {{<<: [*b]}}"])
def test_what_aliases_and_merge_keys_repeat_is_bounded(template: str) -> None:
    base = "b: &b {" + ", ".join(f"k{n}: 1" for n in range(300)) + "}"
    lines = [template.format(n=n) for n in range(300)]

    with pytest.raises(Broken, match="aliases repeat more than"):
        construct("\n".join([base, *lines]))


def test_a_block_that_ten_thousand_objects_share_is_no_bomb() -> None:
    base = "b: &b {" + ", ".join(f"k{n}: 1" for n in range(20)) + "}"
    lines = [f"a{n}: {{name: x, host: y, retries: *b}}" for n in range(10_000)]

    (document,) = construct("\n".join([base, *lines]))

    assert len(document.value) == 10_001


def test_a_value_has_a_longest() -> None:
    with pytest.raises(Broken, match="more than 8388608 letters"):
        construct("a: " + "x" * (8 * 1024 * 1024 + 1))
