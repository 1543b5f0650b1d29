"""A persistent map behaves as a dictionary, and tells in what two of them differ."""

from hypothesis import given
from hypothesis import strategies as st

from mizzen.persistent import PersistentMap

KEYS = st.text("abc", max_size=3)
VALUES = st.integers(0, 3)
STEPS = st.lists(st.tuples(st.dictionaries(KEYS, VALUES), st.frozensets(KEYS)), max_size=8)


@given(STEPS)
def test_it_is_a_dictionary_in_ascending_order(steps: list[tuple[dict[str, int], frozenset[str]]]) -> None:
    made: PersistentMap[str, int] = PersistentMap()
    model: dict[str, int] = {}
    for changed, removed in steps:
        before, copy = made, dict(made)
        made = made.updated(changed, removed)
        model = {key: value for key, value in (model | changed).items() if key not in removed}
        assert dict(made) == model and list(made) == sorted(model) and len(made) == len(model)
        assert dict(before) == copy, "a map never changes"
        assert made == PersistentMap(model) and made == model
        assert all((key in made, made.get(key)) == (key in model, model.get(key)) for key in ("a", "b", "zz"))


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES))
def test_a_difference_leads_from_one_map_to_the_other(first: dict[str, int], second: dict[str, int]) -> None:
    before = PersistentMap(first)
    after = before.updated(second, first.keys() - second.keys())
    difference = after.difference(before)
    assert before.updated(difference.changed, difference.removed) == after == second
    assert difference.changed.keys() == {key for key in second if first.get(key) is not second[key]}
    assert difference.removed == first.keys() - second.keys()
    assert after.difference(None).changed == second and not after.difference(after)


def test_without_a_change_it_is_the_same_map() -> None:
    value = object()
    made = PersistentMap({"a": value})
    assert made.updated({"a": value}, ["b"]) is made
    assert not PersistentMap({"a": value}).difference(made).changed
