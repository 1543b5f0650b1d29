from typing import Any

import pytest

from mizzen.plan.differences import Differences, differences
from mizzen.resources.raw_objects import RawObject, parse_documents

HEAD = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: web}\n"


def objects(text: str, file: str = "a.yaml") -> tuple[RawObject, ...]:
    found, problems = parse_documents(text, file)
    assert not problems
    return found


def between(old: str, new: str) -> Differences:
    return differences(objects(old, "old.yaml"), objects(new, "new.yaml"), "default")


def names(old: str, new: str) -> list[str]:
    [changed] = between(HEAD + old, HEAD + new).changed
    return [field.name for field in changed.fields]


def test_what_says_the_same_in_another_file_is_the_very_same_object() -> None:
    old = objects(HEAD + "spec: {a: 1}\n", "old.yaml")
    found = differences(old, objects("# a comment\n" + HEAD + "spec: {'a': 1}\n", "new.yaml"), "default")

    assert found.changed == ()
    assert found.objects[0] is old[0]


def test_a_namespace_that_is_not_written_is_the_default_one() -> None:
    old = HEAD + "spec: {a: 1}\n"
    assert (
        between(old, old.replace("name: web", "name: web, namespace: default")).changed[0].ref.namespace
        == "default"
    )
    assert len(between(old, old.replace("name: web", "name: web, namespace: other")).changed) == 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("spec: {a: 1}", "spec: {a: 2}", ["spec.a"]),
        ("spec: {a: 1}", "spec: {a: '1'}", ["spec.a"]),
        ("spec: {a: 1}", "spec: {}", ["spec.a"]),
        ("spec: {}", "spec: {a: {b: {c: 1}}}", ["spec.a.b.c"]),
        ("spec: {}", "spec: {a: {b: 1, c: 1}}", ["spec.a"]),
        ("spec: {a: {b: 1}}", "spec: {a: 5}", ["spec.a"]),
        ("spec: {a: [1, 2, 3]}", "spec: {a: [1, 4, 3]}", ["spec.a[1]"]),
        ("spec: {a: [1, 3]}", "spec: {a: [1, 2, 3]}", ["spec.a[1]"]),
        ("spec: {a: [1, 2, 3]}", "spec: {a: [1, 3]}", ["spec.a"]),
        ("spec: {a: [{x: 1}, {x: 2}]}", "spec: {a: [{x: 0}, {x: 1}, {x: 2}]}", ["spec.a[0]"]),
        ("spec: {a: [{x: 1, y: 1}]}", "spec: {a: [{x: 1, y: 2}, {x: 2}]}", ["spec.a[0].y", "spec.a[1]"]),
        ("spec: {a: [{x: 1, y: 2}, {x: 3}]}", "spec: {a: [{x: 3}, {x: 1, y: 2}]}", ["spec.a"]),
        ("data: {tls.crt: a}", "data: {tls.crt: b}", ["data[tls.crt]"]),
        ("spec: {a: [[1], [2]]}", "spec: {a: [[1], [3]]}", ["spec.a[1][0]"]),
    ],
)
def test_fields_are_named_as_their_author_would(old: str, new: str, expected: list[str]) -> None:
    assert names(old + "\n", new + "\n") == expected


VALUES: list[Any] = [
    {"a": 1, "b": [1, 2, {"c": 3}]},
    {"a": 2, "b": [0, 1, {"c": 3}, 4], "d": {"e": 1}},
    {"b": [], "d": {"e": 2, "f": None}},
    {"b": [{"c": 3}]},
    {},
]


@pytest.mark.parametrize("old", VALUES)
@pytest.mark.parametrize("new", VALUES)
def test_all_fields_put_back_from_the_last_to_the_first_give_what_was(old: Any, new: Any) -> None:
    import json

    found = between(HEAD + f"spec: {json.dumps(old)}\n", HEAD + f"spec: {json.dumps(new)}\n").changed
    if old == new:
        assert not found
        return
    data = found[0].after[0].data
    for field in reversed(found[0].fields):
        data = field.put_back(data)

    assert data == found[0].before[0].data
    assert found[0].after[0].data["spec"] == new, "the object itself was changed"


def test_what_an_api_server_keeps_is_no_difference() -> None:
    there = HEAD.replace(
        "{name: web}",
        "{name: web, uid: u, resourceVersion: '7', managedFields: [], annotations: "
        "{kubectl.kubernetes.io/last-applied-configuration: '{}'}}",
    )
    assert between(there, HEAD).changed == ()


def test_objects_of_one_name_count_as_one() -> None:
    twice = f"{HEAD}spec: {{a: 1}}\n---\n{HEAD}spec: {{a: 2}}\n"
    [changed] = between(HEAD + "spec: {a: 1}\n", twice).changed

    assert (len(changed.before), len(changed.after), changed.fields) == (1, 2, ())


def test_an_object_that_comes_or_goes_has_no_fields() -> None:
    [came] = differences((), objects(HEAD), "default").changed
    [went] = differences(objects(HEAD), (), "default").changed

    assert (came.before, went.after, came.fields, went.fields) == ((), (), (), ())
