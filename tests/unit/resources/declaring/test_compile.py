from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

import pytest

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.resources.declaring.compile import declared_fields, decoder_of, nearest
from mizzen.resources.declaring.declare import Element, Key, LooseText, Range, Unknown
from mizzen.resources.declaring.findings import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf(Element):
    max_size: Annotated[int | None, Range(1, 9), "how large"] = None
    mode: Literal["ON", "OFF"] = "OFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree(Element):
    RETIRED: ClassVar = {"oldHost": "Write host."}
    SUCCEEDED: ClassVar = {"guard": "Write a policy."}

    host: str
    from_: Annotated[str, Key("from", also=("source",))] = ""
    leaf: Leaf = field(default_factory=Leaf)
    maybe: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    by_name: Mapping[str, Leaf | None] = field(default_factory=dict)
    port: int | str | None = None
    wait: timedelta | None = None
    env: Mapping[str, LooseText] = field(default_factory=dict)


def decode(value: Any, unknown: Unknown = Unknown.REFUSE) -> tuple[Any, list[str]]:
    found = Findings(ResourceRef(kind="Tree"))
    decoded = decoder_of(Tree, unknown)(value, "spec", found)
    return decoded, [
        f"{p.severity.value} {p.code} {p.field}: {p.message} {p.hint}".strip() for p in found.problems
    ]


def test_a_declaration_reads_itself_from_a_mapping() -> None:
    tree, problems = decode(
        {
            "host": "a",
            "from": "b",
            "leaves": [{"maxSize": 3}, {"mode": "ON"}],
            "byName": {"x": None, "y.z": {}},
            "port": "http",
            "wait": "5s",
            "env": {"A": True},
        }
    )

    assert problems == []
    assert tree == Tree(
        host="a",
        from_="b",
        leaves=(Leaf(max_size=3), Leaf(mode="ON")),
        by_name={"x": None, "y.z": Leaf()},
        port="http",
        wait=timedelta(seconds=5),
        env={"A": "true"},
    )


def test_every_element_knows_its_path_even_one_that_is_left_out() -> None:
    tree, _ = decode({"host": "a", "leaves": [{}, {}], "byName": {"y.z": {}}})

    assert tree.at == "spec"
    assert tree.leaf.at == "spec.leaf"
    assert tree.leaves[1].at == "spec.leaves[1]"
    assert tree.by_name["y.z"].at == "spec.byName[y.z]"


def test_null_is_as_good_as_absent() -> None:
    tree, problems = decode({"host": "a", "from": None, "leaf": None, "leaves": None})

    assert problems == []
    assert tree == Tree(host="a")


def test_another_accepted_spelling_is_read() -> None:
    tree, _ = decode({"host": "a", "source": "b"})

    assert tree.from_ == "b"


def test_all_that_is_wrong_is_told_at_once() -> None:
    _, problems = decode(
        {"from": 1, "leaves": [{"maxsize": 3}, {"maxSize": 10}, {"mode": "on"}], "maybe": [], "zzz": 1}
    )

    assert problems == [
        'error FLD-002 spec.from: expected a string, got the number 1 Write it in quotes: "1".',
        "error FLD-001 spec.leaves[0].maxsize: there is no field 'maxsize' here Did you mean maxSize?",
        "error FLD-004 spec.leaves[1].maxSize: 10 is not in the range 1 to 9",
        'error FLD-002 spec.leaves[2].mode: expected one of ON, OFF, got the string "on"',
        "error FLD-002 spec.maybe: expected a mapping, got a list",
        "error FLD-001 spec.zzz: there is no field 'zzz' here "
        "The fields here are byName, env, from, host, leaf, leaves, maybe, port, wait.",
        "error FLD-003 spec.host: host is missing",
    ]


def test_where_more_fields_exist_only_a_slip_is_told() -> None:
    _, problems = decode({"host": "a", "other": 1, "Host": 2, "by_name": {}}, Unknown.PASS)

    assert [problem.split(":")[0] for problem in problems] == [
        "warning FLD-001 spec.Host",
        "warning FLD-001 spec.by_name",
    ]


def test_where_fields_may_have_no_effect_they_are_warned_of() -> None:
    _, problems = decode({"host": "a", "other": 1}, Unknown.WARN)

    assert problems == ["warning FLD-005 spec.other: the field 'other' has no effect in mizzen"]


def test_a_retired_field_is_told_in_either_spelling_and_costs_nothing() -> None:
    tree, problems = decode({"host": "a", "oldHost": "b", "old_host": 1})

    assert tree == Tree(host="a")
    assert problems == [
        "warning VAL-102 spec.oldHost: oldHost was retired: it has no effect Write host.",
        "warning VAL-102 spec.old_host: old_host was retired: it has no effect Write host.",
    ]


def test_a_retired_field_that_may_have_guarded_something_is_an_error() -> None:
    _, problems = decode({"host": "a", "guard": True}, Unknown.PASS)

    assert problems == ["error FLD-001 spec.guard: guard was retired: there is no such field Write a policy."]


def test_a_declaration_says_the_names_limits_and_meaning_of_its_fields() -> None:
    (size, mode) = declared_fields(Leaf)

    assert (size.key, size.limits, size.doc, size.required) == ("maxSize", Range(1, 9), "how large", False)
    assert mode.key == "mode"
    assert declared_fields(Tree)[0].required


def test_the_nearest_word_is_found_or_none() -> None:
    assert nearest("virtualservice", ("Gateway", "VirtualService")) == "VirtualService"
    assert nearest("destnation", ("destination", "weight")) == "destination"
    assert nearest("zzz", ("destination", "weight")) == ""


def test_a_type_that_cannot_be_read_is_a_mistake_of_the_declaration() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Odd(Element):
        what: complex = 0j

    with pytest.raises(TypeError):
        decoder_of(Odd, Unknown.REFUSE)
