"""What a control plane reads is not looked through for garbage again and again."""

import gc
from collections.abc import Iterator

import pytest

from mizzen.plane import garbage_collection
from mizzen.resources.raw_objects import parse_documents

TEXT = "".join(
    f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{n}\ndata:\n  key: value\n"
    for n in range(500)
)


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def looks() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())


def test_reading_many_objects_is_not_interrupted() -> None:
    garbage_collection.look_seldom()
    gc.collect()
    before = looks()

    objects, problems = parse_documents(TEXT, "many.yaml")

    assert len(objects) == 500
    assert not problems
    assert looks() - before <= 1


def test_what_is_there_is_not_looked_through_again() -> None:
    kept, _ = parse_documents(TEXT, "many.yaml")
    try:
        garbage_collection.settle()

        assert gc.get_freeze_count() > len(kept)
        assert not any(one is kept[0] for one in gc.get_objects())
    finally:
        gc.unfreeze()
