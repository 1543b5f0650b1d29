from mizzen.install.merging import merged


def test_mappings_are_laid_over_each_other_and_lists_replaced() -> None:
    assert merged({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2], "d": 3}}) == {"a": {"b": 1, "c": [2], "d": 3}}


def test_null_takes_a_field_away() -> None:
    assert merged({"a": 1, "b": 2}, {"a": None}) == {"b": 2}
    assert merged({}, {"a": {"b": None}}) == {"a": {}}


def test_components_and_variables_are_merged_by_name() -> None:
    base = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]}
    top = {"env": [{"name": "B", "value": "2"}, {"name": "C", "value": "2"}]}

    assert merged(base, top) == {
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "2"}]
    }


def test_what_is_merged_stays_as_it_was() -> None:
    base, top = {"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A", "value": "2"}]}
    merged(base, top)

    assert base == {"env": [{"name": "A", "value": "1"}]}
