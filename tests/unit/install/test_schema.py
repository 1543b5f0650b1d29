"""A schema says what the declarations say, and never more than the decoder and the validators hold to."""

import itertools
import re
from dataclasses import field
from datetime import timedelta
from typing import Annotated, Any, Literal

import pytest

from mizzen.install.schema import ANYTHING, object_schema
from mizzen.lazy import dataclass
from mizzen.resources.declaring.compile import declared_fields
from mizzen.resources.declaring.declare import Element, Int32, Key, LooseText, Range
from mizzen.resources.istio.destination_rule import LoadBalancerSettings, TrafficPolicy
from mizzen.resources.istio.service_entry import ServiceEntrySpec
from mizzen.resources.istio.virtual_service import HTTPRoute, StringMatch, VirtualServiceSpec
from mizzen.resources.istio.workload_entry import WorkloadEntryStatus
from tests.declared import DEFINED, Part, bare_type, full, judge, object_of, parts, value_of

PARTS = tuple(parts())


def test_names_types_limits_and_words_are_those_of_the_declaration() -> None:
    found = object_schema(HTTPRoute)["properties"]

    assert found["name"] == {"type": "string", "nullable": True}
    assert found["route"]["items"]["required"] == ["destination"]
    assert found["route"]["items"]["properties"]["weight"] == {
        "type": "integer",
        "format": "int64",
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
        "nullable": True,
    }
    assert found["corsPolicy"]["properties"]["unmatchedPreflights"] == {
        "type": "string",
        "enum": ["UNSPECIFIED", "FORWARD", "IGNORE"],
    }
    assert found["match"]["items"]["properties"]["headers"]["additionalProperties"]["nullable"] is True


def test_a_second_spelling_is_a_field_as_well() -> None:
    found = object_schema(HTTPRoute)["properties"]

    assert found["mirror_percent"] == found["mirrorPercent"]
    assert found["mirrorPercent"]["description"] == "deprecated: mirrorPercentage"


def test_what_is_said_of_a_field_or_an_object_is_its_description() -> None:
    http = object_schema(VirtualServiceSpec)["properties"]["http"]["items"]

    assert http["description"] == "One rule of `http`."
    assert "description" not in object_schema(VirtualServiceSpec)


def test_what_may_hold_more_than_is_read_keeps_it() -> None:
    assert object_schema(WorkloadEntryStatus)["x-kubernetes-preserve-unknown-fields"] is True
    assert "x-kubernetes-preserve-unknown-fields" not in object_schema(ServiceEntrySpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Element):
    port: int | str = 0
    loose: LooseText = ""
    share: Annotated[float, Range(0, 0.5)] = 0.0
    wide: Annotated[int, Range(0, 2**64 - 1)] = 0
    few: tuple[Int32, ...] = ()
    choice: Annotated[Literal["A"] | None, Key("chosen"), "one of one"] = None
    free: Any = None
    sizes: Annotated[tuple[str, ...], "in words"] = field(default=())


def test_types_that_are_not_one_of_jsons_have_a_schema_of_their_own() -> None:
    found = object_schema(Sample)["properties"]

    assert found["port"]["x-kubernetes-int-or-string"] is True
    assert found["loose"] == {**ANYTHING, "nullable": True} == found["free"]
    assert found["share"]["maximum"] == 0.5
    assert "maximum" not in found["wide"]
    assert found["few"]["items"]["maximum"] == 2**31 - 1
    assert found["chosen"] == {"type": "string", "enum": ["A"], "description": "one of one"}


def test_a_type_without_a_schema_is_a_mistake_of_the_declaration() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Odd:
        number: complex = 0j

    with pytest.raises(TypeError, match="complex"):
        object_schema(Odd)


def test_only_one_of_some_is_a_rule_where_no_list_makes_it_dear() -> None:
    assert object_schema(StringMatch)["x-kubernetes-validations"] == [
        {
            "rule": "(has(self.exact) ? 1 : 0) + (has(self.prefix) ? 1 : 0) + (has(self.regex) ? 1 : 0) <= 1",
            "message": "only one of exact and prefix and regex can be given",
        }
    ]
    assert len(object_schema(LoadBalancerSettings)["x-kubernetes-validations"]) == 2
    assert "x-kubernetes-validations" not in object_schema(StringMatch, depth=1)


def test_a_duration_has_a_rule_unless_two_lists_make_it_dear() -> None:
    pool = object_schema(TrafficPolicy)["properties"]["connectionPool"]["properties"]["tcp"]["properties"]
    rule = {"rule": "duration(self) >= duration('1ms')", "message": "must be a duration of at least 1ms"}

    assert pool["connectTimeout"]["x-kubernetes-validations"] == [rule]
    assert "x-kubernetes-validations" not in pool["idleTimeout"]
    deep = object_schema(TrafficPolicy, depth=2)["properties"]["connectionPool"]["properties"]["tcp"]
    assert "x-kubernetes-validations" not in deep["properties"]["connectTimeout"]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("1s", True),
        ("1h1.5m.5s", True),
        ("-2us", True),
        ("3µs", True),
        ("0", True),
        ("-0", True),
        ("", False),
        ("1", False),
        ("1 s", False),
        ("1d", False),
        ("1s\n", False),
    ],
)
def test_the_pattern_of_durations_is_that_of_the_decoder(text: str, is_one: bool) -> None:
    pattern = object_schema(HTTPRoute)["properties"]["timeout"]["pattern"].replace("$", r"\Z")
    route = {"route": [{"destination": {"host": "a"}}], "timeout": text}
    spec = {"hosts": ["a"], "http": [route]}
    codes = {one.code for one in judge(object_of(kind("VirtualService"), spec)).problems}

    assert bool(re.search(pattern, text)) is is_one
    assert ("FLD-002" in codes) is not is_one


def kind(name: str) -> Any:
    return next(one for one in DEFINED if one.kind == name)


@pytest.mark.parametrize(
    "part", [part for part in PARTS if part.declaration.AT_MOST_ONE], ids=lambda part: part.path
)
def test_what_excludes_each_other_in_a_schema_is_refused_by_the_validators(part: Part) -> None:
    given = {one.key: one for one in declared_fields(part.declaration)}
    for group in part.declaration.AT_MOST_ONE:
        for pair in itertools.combinations(group, 2):
            values = {key: value_of(given[key].type) for key in pair}
            assert "VAL-002" in {one.code for one in judge(part.whole(values)).problems}, pair


TIMES = [
    (part, declared)
    for part in PARTS
    for declared in declared_fields(part.declaration)
    if bare_type(declared) is timedelta
]


@pytest.mark.parametrize(("part", "declared"), TIMES, ids=lambda one: getattr(one, "path", "") or one.key)
def test_a_least_duration_is_declared_just_where_the_validators_ask_for_it(part: Part, declared: Any) -> None:
    schema = object_schema(part.declaration)["properties"][declared.key]
    problems = judge(part.whole({declared.key: "0s"})).problems

    assert ("x-kubernetes-validations" in schema) is any(one.code == "VAL-009" for one in problems)


@pytest.mark.parametrize("one", DEFINED, ids=lambda one: one.kind)
def test_an_object_with_every_field_can_be_decoded(one: Any) -> None:
    declaration: type = one.declaration
    spec = next(declared.type for declared in declared_fields(declaration) if declared.key == "spec")
    codes = {problem.code for problem in judge(object_of(one, full(spec))).problems}

    assert not {code for code in codes if code.startswith(("FLD", "KIND"))} - {
        "KIND-002"
    }  # done nothing about
