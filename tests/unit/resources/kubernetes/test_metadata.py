from mizzen.resources.kubernetes.metadata import LAST_APPLIED, asked


def test_what_a_cluster_keeps_beside_is_left_out() -> None:
    mine = {"name": "a", "annotations": {"b": "c"}}

    assert asked({**mine, "uid": "u", "resourceVersion": "1", "managedFields": []}, LAST_APPLIED) == mine
    noted = {**mine, "annotations": {"b": "c", LAST_APPLIED: "{}"}}
    assert asked(noted, LAST_APPLIED) == mine
    assert asked(noted, "another") is noted


def test_annotations_that_hold_a_note_alone_go_as_a_whole() -> None:
    assert asked({"name": "a", "annotations": {LAST_APPLIED: "{}"}}, LAST_APPLIED) == {"name": "a"}


def test_what_holds_nothing_of_it_is_the_very_same() -> None:
    for metadata in ({"name": "a"}, {"name": "a", "annotations": "nonsense"}, {"annotations": None}):
        assert asked(metadata, LAST_APPLIED) is metadata
