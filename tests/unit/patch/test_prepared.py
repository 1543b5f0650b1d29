"""Where an operation puts something, and what is noted of what was merged."""

import pytest

from mizzen._api import pb
from mizzen.errors import ResourceRef
from mizzen.model.patch import Operation, Patch, Target
from mizzen.patch.prepared import Work, place


@pytest.mark.parametrize(
    ("operation", "anchor", "expected"),
    [
        (Operation.INSERT_FIRST, "b", "xabcb"),
        (Operation.INSERT_BEFORE, None, "xabcb"),
        (Operation.INSERT_BEFORE, "b", "axbcb"),
        (Operation.INSERT_AFTER, "b", "abxcb"),
        (Operation.INSERT_AFTER, None, "abcbx"),
        (Operation.ADD, "b", "abcbx"),
        (Operation.REPLACE, "b", "axcb"),
    ],
)
def test_the_first_that_fits_is_the_anchor(operation: Operation, anchor: str | None, expected: str) -> None:
    items = list("abcb")

    assert place(items, "x", operation, None if anchor is None else lambda one: one == anchor)
    assert "".join(items) == expected


@pytest.mark.parametrize("operation", [Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.REPLACE])
def test_without_its_anchor_there_is_no_place(operation: Operation) -> None:
    items = list("abc")

    assert not place(items, "x", operation, lambda one: one == "z")
    assert items == list("abc")


def test_a_filter_of_another_type_is_not_merged_and_why_is_noted() -> None:
    value = pb.Filter()
    value.typed_config.Pack(pb.Lua())
    patch = Patch(
        target=Target.NETWORK_FILTER,
        operation=Operation.MERGE,
        value=value.SerializeToString(),
        origin=ResourceRef(kind="EnvoyFilter"),
        at="",
    )
    into, work = pb.Filter(name="a"), Work((patch,))
    into.typed_config.Pack(pb.TcpProxy(stat_prefix="a"))
    before = into.SerializeToString()

    work.merge_filter(into, patch)

    assert into.SerializeToString() == before
    assert "cannot be merged" in work.failed[patch]
