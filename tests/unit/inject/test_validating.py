"""Whether an object may be stored, and what is said of it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mizzen.errors import Severity
from mizzen.inject.validating import FORCED, judged
from mizzen.resolve.access.patches import check
from mizzen.resources.declaring.compile import declared_fields
from mizzen.resources.istio.envoy_filter import EnvoyFilter
from tests.declared import DEFINED, full, judge, object_of

Json = dict[str, Any]

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def asked(written: Any, namespace: str = "shop", **request: Any) -> Json:
    return {"request": {"uid": "u", "namespace": namespace, "object": written, **request}}


@given(anything)
def test_no_input_makes_it_fail(value: Any) -> None:
    for request in (value, {"request": value}, asked(value), asked({"metadata": value, "spec": value})):
        answer = judged(request)
        assert isinstance(answer["response"]["allowed"], bool)
        json.dumps(answer, ensure_ascii=False).encode()


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*way, key)
        yield from places(item, (*way, key))


FULL: tuple[Json, ...] = tuple(
    object_of(
        kind,
        {
            declared.key: full(declared.type)
            for declared in declared_fields(kind.declaration)
            if declared.key == "spec"
        }["spec"],
    )
    for kind in DEFINED
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_an_object_is_refused_just_when_it_has_an_error_whatever_stands_where(data: st.DataObject) -> None:
    written = copy.deepcopy(data.draw(st.sampled_from(FULL)))
    *way, last = data.draw(st.sampled_from(list(places(written["spec"]))))
    inside = written["spec"]
    for step in way:
        inside = inside[step]
    inside[last] = data.draw(anything)
    if isinstance(inside, dict):
        inside[data.draw(st.text(max_size=3))] = data.draw(anything)

    answer = judged(asked(written))

    decoded = judge(written)
    problems = [*decoded.problems]
    if isinstance(decoded.resource, EnvoyFilter):
        problems += check(decoded.resource)
    errors = [one for one in problems if one.severity is Severity.ERROR]
    assert answer["response"]["allowed"] is not bool(errors)
    json.dumps(answer, ensure_ascii=False).encode()


def route(**spec: Any) -> Json:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "a"},
        "spec": {"hosts": ["a.b"], **spec},
    }


GOOD = {"http": [{"route": [{"destination": {"host": "a.b.c"}}]}]}


def test_a_good_object_is_taken_without_a_word() -> None:
    assert judged(asked(route(**GOOD)))["response"] == {"uid": "u", "allowed": True}


def test_an_error_is_refused_with_its_field_and_what_to_do() -> None:
    response = judged(asked(route(http=[{"route": [{"destination": {"host": "a"}, "weight": -5}]}])))[
        "response"
    ]
    assert response["allowed"] is False
    assert response["status"]["message"].startswith("configuration is invalid: ")
    assert "spec.http[0].route[0].weight" in response["status"]["message"]


def test_what_only_other_objects_can_tell_is_let_through() -> None:
    assert judged(asked(route(http=[{"route": [{"destination": {"host": "nobody.has.this"}}]}])))["response"][
        "allowed"
    ]


def test_a_deletion_is_let_through_whatever_is_wrong() -> None:
    assert judged(asked(route(nono=1), operation="DELETE"))["response"]["allowed"] is True


def test_it_can_be_tried() -> None:
    one = route(**GOOD)
    one["metadata"]["annotations"] = {FORCED: "true"}
    assert judged(asked(one))["response"]["allowed"] is False


def test_a_kind_that_nothing_is_done_about_is_let_through_with_a_warning() -> None:
    one = {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "WorkloadGroup",
        "metadata": {"name": "a"},
        "spec": {},
    }
    response = judged(asked(one))["response"]
    assert response["allowed"] is True
    assert "no workload is made from it" in response["warnings"][0]


@pytest.mark.parametrize(
    ("patch", "allowed", "said"),
    [
        (
            {"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {"connect_timeout": "1s"}}},
            True,
            "",
        ),
        (
            {"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {"connect_timeou": "1s"}}},
            True,
            "connect_timeout",
        ),
        ({"applyTo": "BOOTSTRAP", "patch": {"operation": "MERGE", "value": {"a": 1}}}, True, "bootstrap"),
        (
            {"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {"connect_timeout": 1}}},
            False,
            "duration",
        ),
        ({"applyTo": "CLUSTER", "patch": {"operation": "MERGE"}}, False, "value is missing"),
        (
            {
                "applyTo": "HTTP_FILTER",
                "patch": {"operation": "ADD", "value": {"typed_config": {"@type": "a/b.v2.C"}}},
            },
            False,
            "v3 API",
        ),
    ],
)
def test_of_an_envoyfilter_what_istio_refuses_is_refused_and_a_field_that_is_not_known_is_told(
    patch: dict[str, object], allowed: bool, said: str
) -> None:
    one = {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "a"},
        "spec": {"configPatches": [patch]},
    }
    response = judged(asked(one))["response"]

    assert response["allowed"] is allowed
    assert said in str(response)


def test_what_waits_for_its_finalizers_is_let_through_whatever_is_wrong() -> None:
    going = route(nono=1)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert judged(asked(going, operation="UPDATE"))["response"] == {"uid": "u", "allowed": True}


def test_an_object_whose_name_is_still_to_be_made_is_judged_by_the_rest() -> None:
    unnamed = {**route(**GOOD), "metadata": {"generateName": "a-"}}

    assert judged(asked(unnamed))["response"] == {"uid": "u", "allowed": True}


def test_of_many_errors_the_first_are_told_and_the_others_counted() -> None:
    message = judged(asked(route(**GOOD, **{f"nono{number}": 1 for number in range(50)})))["response"][
        "status"
    ]["message"]

    assert message.count("FLD-001") == 20
    assert message.endswith("; and 30 more")


def test_half_a_character_can_be_answered() -> None:
    response = judged(asked(route(**{"\ud800": 1})))["response"]

    assert response["allowed"] is False
    assert "there is no field" in response["status"]["message"].encode().decode()
