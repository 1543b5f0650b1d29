import itertools
from collections.abc import Callable
from typing import Any

from mizzen.resources.decode import Decoded, decode
from mizzen.resources.intake import decode_all
from mizzen.resources.kubernetes.core import Node
from mizzen.resources.raw_objects import RawObject, parse_documents
from mizzen.resources.world import World


def config_map(name: str, value: str = "", *, created: str = "", namespace: str = "own") -> str:
    stamp = f", creationTimestamp: '{created}'" if created else ""
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}{stamp}}}\n"
        f"data: {{value: '{value}'}}\n"
    )


def raws(*texts: str) -> tuple[RawObject, ...]:
    return tuple(
        raw for number, text in enumerate(texts) for raw in parse_documents(text, f"{number}.yaml")[0]
    )


def test_the_older_comes_first_then_the_name_then_the_namespace() -> None:
    world, _ = decode_all(
        raws(
            config_map("b", created="2024-01-01T00:00:00Z"),
            config_map("c", created="2023-01-01T00:00:00Z"),
            config_map("a", namespace="z"),
            config_map("a", namespace="y"),
        )
    )

    assert [(one.name, one.namespace) for one in world.config_maps] == [
        ("a", "y"),
        ("a", "z"),
        ("c", "own"),
        ("b", "own"),
    ]


def test_the_order_of_the_objects_does_not_matter() -> None:
    objects = raws(config_map("a", "1"), config_map("b"), config_map("a", "2"), config_map("c"))

    results = [decode_all(order) for order in itertools.permutations(objects)]

    assert all(result == results[0] for result in results)


def test_of_two_with_one_name_the_later_is_kept_and_both_places_are_told() -> None:
    world, (problem,) = decode_all(raws(config_map("a", "1"), config_map("a", "2")))

    assert world.config_maps[0].data == {"value": "2"}
    assert (problem.code, problem.field, str(problem.origin)) == ("META-002", "metadata.name", "1.yaml:3:12")
    assert "0.yaml:1:1" in problem.message


def test_a_later_one_that_is_refused_does_not_take_the_place_of_an_earlier() -> None:
    refused = config_map("a").replace("data: {", "data: {x: 1, ")

    world, problems = decode_all(raws(config_map("a", "1"), config_map("a", "2"), refused))

    assert world.config_maps[0].data == {"value": "2"}
    assert [problem.code for problem in problems] == ["META-002", "FLD-002", "META-002"]


def test_a_default_namespace_makes_two_objects_one() -> None:
    objects = raws(config_map("a"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")

    _, problems = decode_all(objects, default_namespace="own")

    assert [problem.code for problem in problems] == ["META-002"]


def test_a_caller_may_remember_what_became_of_an_object() -> None:
    asked: list[str] = []

    def remember(raw: RawObject) -> Decoded:
        asked.append(raw.digest)
        return decode(raw)

    objects = raws(config_map("a"))
    world, _ = decode_all(objects, remember=remember)

    assert asked == [objects[0].digest]
    assert len(world.config_maps) == 1


def test_objects_are_found_by_namespace_and_name(read: Callable[[str], Any]) -> None:
    world, _ = read(f"{config_map('a')}---\napiVersion: v1\nkind: Node\nmetadata: {{name: n}}\n")

    assert world.config_map_by_key[("own", "a")] is world.config_maps[0]
    assert world.node_by_key["", "n"] is world.every(Node)[0]
    assert World() == World.of(())
